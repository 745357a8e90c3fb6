import { afterAll, beforeAll, describe, it } from 'vitest';
import { inOnly } from '../../support/in-process.ts';
import { HostileServer } from './hostile-server.ts';

/* Mediators that make more of a message than came in: what they build is bounded, and the fault says by what. */

const XML_TYPE = { 'Content-Type': 'application/xml' };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const TOO_MANY_VALUES = /the JSON document has more than 2000000 values/;
const TOO_MANY_COPIES = /copies for one document have more than 2000000 nodes/;

interface Case {
  readonly mediators: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly told: RegExp;
  readonly memoryMiB?: number;
  readonly cpuMs?: number;
}

/** The sequence of this name calls itself. */
const again = (name: string) => `<sequence key="S${name}"/>`;
const nested = (depth: number) => `${'<a>'.repeat(depth)}${'<b/>'.repeat(100_000)}${'</a>'.repeat(depth)}`;
const LONG = `<property name="long" value="${'x'.repeat(1_000_000)}"/>`;

const CASES: Readonly<Record<string, Case>> = {
  TriplingJson: {
    mediators: `<payloadFactory media-type="json"><format>[$1,$1,$1]</format><args><arg evaluator="json" expression="$"/></args></payloadFactory>${again('TriplingJson')}`,
    body: '[1,2]',
    told: /payloadFactory makes a text of more than 17825792 characters/,
  },
  TriplingJsonThatIsRead: {
    mediators: `<payloadFactory media-type="json"><format>[$1,$1,$1]</format><args><arg evaluator="json" expression="$.*"/></args></payloadFactory>${again('TriplingJsonThatIsRead')}`,
    body: '[1,2]',
    told: TOO_MANY_VALUES,
    // Of 500 MiB a part is garbage that nobody collected yet.
    memoryMiB: 700,
  },
  EnrichedJson: {
    mediators: `<enrich><source xpath="json-eval($)"/><target xpath="json-eval($)" action="child"/></enrich>${again('EnrichedJson')}`,
    body: '[1]',
    told: TOO_MANY_VALUES,
  },
  EnrichedEverywhere: {
    mediators: '<enrich><source xpath="json-eval($)"/><target xpath="json-eval($..*)" action="child"/></enrich>',
    body: `{${Array.from({ length: 20_000 }, (_, index) => `"m${index}":{}`).join(',')}}`,
    told: /enrich adds more than 2000000 values to the JSON document/,
  },
  ValuesInsideEachOther: {
    mediators: '<property name="p" expression="json-eval($..a)"/>',
    body: `${'{"a":'.repeat(200)}"${'x'.repeat(1_000_000)}"${'}'.repeat(200)}`,
    told: /the JSON text has more than 33554432 characters/,
  },
  EnrichedXml: {
    mediators: `<enrich><source xpath="$body/*/*"/><target xpath="$body/*" action="child"/></enrich>${again('EnrichedXml')}`,
    body: '<a><b/></a>',
    headers: XML_TYPE,
    told: TOO_MANY_COPIES,
  },
  ElementsInsideEachOther: {
    mediators: '<enrich><source xpath="//*"/><target xpath="$body/*" action="child"/></enrich>',
    body: nested(100),
    headers: XML_TYPE,
    told: TOO_MANY_COPIES,
  },
  TextOfElementsInsideEachOther: {
    mediators: '<property name="p" expression="//*[local-name()=\'a\']"/><log level="full"/>',
    body: nested(200),
    headers: XML_TYPE,
    told: /more than 33554432 characters|copies for one document/,
    // Mostly text that has been joined and that nobody collected yet.
    memoryMiB: 1_000,
    cpuMs: 30_000,
  },
  TriplingScript: {
    mediators: `<script language="js">var p = mc.getPayloadJSON(); mc.setPayloadJSON([p, p, p]);</script>${again('TriplingScript')}`,
    body: '[1,2]',
    told: /out of memory: 64 MiB are all that it may have/,
    cpuMs: 30_000,
  },
  ForeachResults: {
    mediators: `${LONG}<foreach collection="json-eval($)" parallel-execution="false"><sequence><payloadFactory media-type="json"><format>{"x":"$1"}</format><args><arg expression="get-property('long')"/></args></payloadFactory></sequence></foreach>`,
    body: `[${'1,'.repeat(400)}1]`,
    told: /foreach: the results of the parts take more than 268435456 bytes/,
    memoryMiB: 800,
  },
};

let server: HostileServer;

beforeAll(async () => {
  const artifacts: Record<string, string> = {};
  for (const [name, { mediators }] of Object.entries(CASES)) {
    artifacts[`S${name}`] = `<sequence name="S${name}">${mediators}</sequence>`;
    artifacts[name] = inOnly(name, again(name));
  }
  server = await HostileServer.start({ artifacts });
});

afterAll(() => server?.stop());

describe('what makes more of a message than came in ends with a fault that says so', () => {
  it.each(Object.entries(CASES))(
    '%s',
    async (name, { body, headers = JSON_TYPE, told, memoryMiB = 500, cpuMs = 20_000 }) => {
      await server.attack(name, name, {
        body,
        headers,
        told,
        status: 500,
        logged: new RegExp(`\\{proxy:${name}\\}.*ERROR_MESSAGE = .*(${told.source})`),
        memoryMiB,
        cpuMs,
      });
    },
  );
});
