import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { detailedLine, type LogRecord } from '../../src/logging/index.ts';
import { shownRecord } from '../../src/logging/shown-record.ts';
import { call } from '../support/http-call.ts';
import { type InProcess, inOnly, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const ATTEMPTS = 2;
/** The lines about single attempts. */
const OF_ATTEMPTS = /failed to forward message|Blocking Sender Error|Error while forwarding message/;
const SUSPEND_BRIEFLY =
  '<suspendOnFailure><initialDuration>1</initialDuration><maximumDuration>1</maximumDuration></suspendOnFailure>';

/** Accepts requests, and ends the connection instead of answering. */
const hangsUp = createServer((request) => request.socket.destroy());
let served: InProcess;

beforeEach(async () => {
  await new Promise<void>((listening) => hangsUp.listen(0, '127.0.0.1', listening));
  served = await serve({ ...failingFlow(), ...mishaps((hangsUp.address() as AddressInfo).port) });
});

afterEach(async () => {
  await served.stop();
  await new Promise((closed) => hangsUp.close(closed));
});

/** Proxy → sequence → store → forwarder whose back end nobody is → fail store. */
function failingFlow(): Record<string, string> {
  return {
    P: '<proxy name="P"><target><inSequence>\n<sequence key="Keep"/>\n</inSequence></target></proxy>',
    Keep: '<sequence name="Keep">\n<property name="OUT_ONLY" value="true"/>\n<log level="custom"><property name="order" value="1"/></log>\n<store messageStore="S"/>\n</sequence>',
    Fault: '<sequence name="Fault">\n<log level="custom"><property name="failed" value="1"/></log>\n</sequence>',
    S: '<messageStore name="S"/>',
    Failed: '<messageStore name="Failed"/>',
    E: `<endpoint name="E"><address uri="http://127.0.0.1:1/">${SUSPEND_BRIEFLY}</address></endpoint>`,
    F: `<messageProcessor name="F" class="${FORWARDER}" messageStore="S" targetEndpoint="E">
      <parameter name="interval">10</parameter>
      <parameter name="client.retry.interval">10</parameter>
      <parameter name="max.delivery.attempts">${ATTEMPTS}</parameter>
      <parameter name="message.processor.fault.sequence">Fault</parameter>
      <parameter name="message.processor.failMessagesStore">Failed</parameter>
    </messageProcessor>`,
  };
}

it('every line about a message that fails says whence it came, where it is, its id, attempt and cause (OP-70)', async () => {
  const before = served.records.length;
  await call(served.service('P'), { method: 'POST', body: '<a/>', headers: { 'Content-Type': 'application/xml' } });
  await served.logged(/Moved failed message to fail-messages-store/, before);
  await waitFor(async () => (await served.depth('Failed')) === 1, { what: 'the message in the fail store' });
  const lines = served.records
    .slice(before)
    .filter(({ category }) => !/^(AUDIT_LOG|ArtifactFolder|Deployer)$/.test(category));
  expect(lines.filter(({ details }) => details.messageId === undefined).map(detailedLine)).toEqual([]);
  // The sender's and the endpoint's own lines are among them.
  expect(new Set(lines.map(({ category }) => category))).toEqual(
    new Set(['LogMediator', 'TargetHandler', 'EndpointContext', 'ForwardingService']),
  );
  for (const record of lines) expectWhole(record, /\/(Keep|Fault|F|E)\.xml$/, 'P');
  const ofAttempts = lines.filter(({ message }) => OF_ATTEMPTS.test(message));
  expect(ofAttempts.map(({ details }) => details.attempt)).toEqual(expect.arrayContaining([1, ATTEMPTS]));
  for (const record of ofAttempts) {
    const json = shownRecord(record);
    const text = detailedLine(record);
    expect(json, text).toMatchObject({
      attempt: expect.any(Number),
      cause: expect.stringMatching(/./),
      processor: 'F',
    });
    expect(text).toContain(`attempt ${json.attempt}`);
    expect(text).toContain(json.cause);
  }
});

/** Services of which each has one mishap; the lines that each must leave, and what their messages carry. */
interface Mishap {
  readonly service: string;
  readonly body: string;
  readonly lines: readonly RegExp[];
  readonly details?: Readonly<Record<string, unknown>>;
}

const MISHAPS: readonly Mishap[] = [
  { service: 'Sibling', body: '{"a":1}', lines: [/^Action sibling is not supported/] },
  { service: 'BodyAction', body: '{"a":1}', lines: [/^Action child is not supported for a JSON body/] },
  {
    service: 'NoSource',
    body: '<a/>',
    lines: [/^Specified node by xpath cannot/, /^Cannot Enrich message from an empty/],
  },
  { service: 'NoProperty', body: '<a/>', lines: [/^Invalid source property type/] },
  { service: 'NoJson', body: '<a><![CDATA[{"]]></a>', lines: [/^Malformed JSON payload/] },
  {
    service: 'Quota',
    body: '<a/>',
    lines: [/^You cannot access this service since/],
    details: { caller: '127.0.0.1' },
  },
  { service: 'Status', body: '<a/>', lines: [/^Unable to set the HTTP status code/] },
  {
    service: 'Twice',
    body: '<a/>',
    lines: [/^Trying to send a response to an already responded .* Proxy Name : Twice/],
  },
  {
    service: 'HangsUp',
    body: '<a/>',
    lines: [
      /CAUSE_OF_ERROR = Connection between this server/,
      /marked SUSPENDED as it failed$/,
      /^Suspending endpoint/,
    ],
    details: { cause: expect.stringMatching(/./) },
  },
];

function mishaps(port: number): Record<string, string> {
  const enrich = (source: string, target: string) => `<enrich><source ${source}/><target ${target}/></enrich>`;
  const inSequences: Record<string, string> = {
    Sibling: enrich('type="custom" xpath="json-eval($.a)"', 'type="custom" action="sibling" xpath="json-eval($)"'),
    BodyAction: enrich('type="custom" xpath="json-eval($.a)"', 'type="body" action="child"'),
    NoSource: enrich('type="custom" xpath="//nowhere"', 'type="custom" xpath="//a"'),
    NoProperty: enrich('type="property" property="none"', 'type="property" property="p"'),
    NoJson: '<property name="p" expression="string(//a)" type="JSON"/>',
    Quota:
      '<throttle id="q"><policy><wsp:Policy xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy" xmlns:throttle="http://www.wso2.org/products/wso2commons/throttle"><throttle:ThrottleAssertion><wsp:All><throttle:ID throttle:type="IP">other</throttle:ID><wsp:ExactlyOne><wsp:All><throttle:IsAllow>false</throttle:IsAllow></wsp:All></wsp:ExactlyOne></wsp:All></throttle:ThrottleAssertion></wsp:Policy></policy><onReject><respond/></onReject><onAccept><respond/></onAccept></throttle>',
    Status: '<property name="HTTP_SC" scope="axis2" value="fine"/><respond/>',
    Twice:
      '<clone continueParent="false"><target><sequence><respond/></sequence></target><target><sequence><respond/></sequence></target></clone>',
    HangsUp: `<call><endpoint><address uri="http://127.0.0.1:${port}/">${SUSPEND_BRIEFLY}</address></endpoint></call>`,
  };
  return Object.fromEntries(
    Object.entries(inSequences).map(([name, mediators]) => [name, inOnly(name, `\n${mediators}\n`)]),
  );
}

it.each(MISHAPS)('the lines of a mishap in $service say what they are about (OP-70)', async (mishap) => {
  const { service, body, lines, details } = mishap;
  const before = served.records.length;
  const type = body.startsWith('{') ? 'application/json' : 'application/xml';
  await call(served.service(service), { method: 'POST', body, headers: { 'Content-Type': type } });
  for (const line of lines) {
    const record = await waitFor(() => served.records.slice(before).find(({ message }) => line.test(message)), {
      what: () => `a line like ${line}; there are:\n${served.lines(before).join('\n')}`,
    });
    expectWhole(record, new RegExp(`/${service}\\.xml$`), service);
    if (details) expect(record.details).toMatchObject(details);
  }
});

/** As NDJSON and as text: the proxy that the message came in by, where it was, and its id. */
function expectWhole(record: LogRecord, file: RegExp, proxy: string): void {
  const json = shownRecord(record);
  const text = detailedLine(record);
  expect(json, text).toMatchObject({
    artifact: { kind: 'proxy', name: proxy },
    file: expect.stringMatching(file),
    line: expect.any(Number),
    messageId: expect.stringMatching(/^urn:uuid:/),
  });
  expect(text).toContain(`proxy ${proxy}`);
  expect(text).toContain(`${json.file}:${json.line}`);
  expect(text).toContain(json.messageId);
}
