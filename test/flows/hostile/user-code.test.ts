import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inOnly } from '../../support/in-process.ts';
import { type Attack, HostileServer, setTrap, type Trap } from './hostile-server.ts';

/* Scripts, stylesheets, queries and schemas that run on, take memory, or look for what is none of their business. */

const SECRET = 'the-secret-of-this-machine';
/** A script or a stylesheet has so long here, ms. */
const LIMIT_MS = 2_000;

let server: HostileServer;
let trap: Trap;
let hidden: string;

interface Case extends Attack {
  /** The mediator, with {trap} for the address of the trap and {secret} for that of the secret file. */
  readonly mediator: string;
  /** A local entry that it refers to as `entry`. */
  readonly entry?: string;
}

const script = (code: string): string => `<script language="js"><![CDATA[${code}]]></script>`;
const stylesheet = (content: string) => ({
  mediator: '<xslt key="entry"/>',
  entry: `<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">${content}</xsl:stylesheet>`,
});
const rule = (content: string) => stylesheet(`<xsl:template match="/">${content}</xsl:template>`);
const query = (text: string) => ({ mediator: '<xquery key="entry"/>', entry: text });
const jsonSchema = (schema: unknown) => ({
  mediator: '<validate><schema key="entry"/><on-fail><drop/></on-fail></validate>',
  entry: JSON.stringify(schema),
});
const LET = 'mc.setPayloadJSON({found: String(';

const REFUSED = /is refused: only what a &lt;resource location="…" key="…"\/&gt; names can be read/;
const NOT_THERE = /Function Q\{[^}]*\}[\w-]+ with arity of 1 not registered/;
const TOO_LONG = /it took longer than 2000 ms and was stopped/;
const TWICE = `<xsl:call-template name="r"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template>`.repeat(2);

const SCRIPTS: Readonly<Record<string, Case>> = {
  'endless loop': { mediator: script('while (true) {}'), told: TOO_LONG },
  'endless promises': {
    mediator: script('function again() { return Promise.resolve().then(again); } again(); for (;;) {}'),
    told: TOO_LONG,
  },
  'endless recursion': { mediator: script('function f() { return f() + 1; } f();'), told: /stack overflow/ },
  'memory: arrays': {
    mediator: script('var a = []; for (;;) a.push(new Array(10000).join("x") + a.length);'),
    told: /out of memory|took longer/,
  },
  'memory: text': { mediator: script('var s = "x"; for (;;) s += s;'), told: /string too long|out of memory/ },
  'memory: buffers': {
    mediator: script('var a = []; for (;;) a.push(new ArrayBuffer(10000000));'),
    told: /out of memory/,
  },
  'regular expression': { mediator: script('/(a+)+$/.test(new Array(60).join("a") + "!");'), told: TOO_LONG },
  'many properties': {
    mediator: script('for (;;) mc.setProperty("a" + Math.random(), "x");'),
    told: /a script may do at most 10000 things/,
  },
  'deep XML': {
    mediator: script('mc.setPayloadXML(new Array(10001).join("<a>") + new Array(10001).join("</a>"));'),
    told: /nested more than 256 deep/,
  },
  'the process': {
    mediator: script(
      `${LET}this.constructor.constructor("return typeof process + typeof require + typeof fetch")())});`,
    ),
    status: 200,
    told: /undefinedundefinedundefined/,
  },
};

const TRANSFORMATIONS: Readonly<Record<string, Case>> = {
  'document(http)': { ...rule(`<a><xsl:copy-of select="document('{trap}/d')"/></a>`), told: REFUSED },
  'document(file)': { ...rule(`<a><xsl:copy-of select="document('{secret}')"/></a>`), told: REFUSED },
  'xsl:include of http': { ...stylesheet('<xsl:include href="{trap}/i"/>'), told: /Error compiling the XSLT/ },
  'xsl:import of a file': { ...stylesheet('<xsl:import href="{secret}"/>'), told: /Error compiling the XSLT/ },
  'entity of a file': {
    mediator: '<xslt key="entry"/>',
    entry:
      '<!DOCTYPE x [<!ENTITY e SYSTEM "{secret}">]><xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><a>&e;</a></xsl:template></xsl:stylesheet>',
    told: /DOCTYPE/,
  },
  'templates without end': { ...rule('<xsl:apply-templates select="/"/>'), told: /longer than 2000 ms|recursion/ },
  'templates that double': {
    ...stylesheet(
      `<xsl:template name="r"><xsl:param name="n"/><xsl:if test="$n &gt; 0">${TWICE}</xsl:if></xsl:template><xsl:template match="/"><a><xsl:call-template name="r"><xsl:with-param name="n" select="60"/></xsl:call-template></a></xsl:template>`,
    ),
    told: TOO_LONG,
  },
  'text that doubles': {
    ...stylesheet(
      `<xsl:template name="r"><xsl:param name="s" select="'xxxxxxxxxxxxxxxx'"/><xsl:call-template name="r"><xsl:with-param name="s" select="concat($s,$s)"/></xsl:call-template></xsl:template><xsl:template match="/"><xsl:call-template name="r"/></xsl:template>`,
    ),
    told: /Error performing XSLT transformation/,
    memoryMiB: 500,
  },
  'doc(file)': { ...query(`doc('{secret}')`), told: NOT_THERE },
  'doc(http)': { ...query(`doc('{trap}/d')`), told: NOT_THERE },
  'unparsed-text': { ...query(`unparsed-text('{secret}')`), told: NOT_THERE },
  collection: { ...query(`collection('{trap}/c')`), told: NOT_THERE },
  'json-doc': { ...query(`json-doc('{trap}/j')`), told: NOT_THERE },
  'environment-variable': { ...query(`environment-variable('PATH')`), told: NOT_THERE },
  'import module': {
    ...query(`import module namespace m = "urn:m" at "{trap}/m"; m:x()`),
    told: /No modules found with the namespace uri urn:m/,
  },
  'function without end': {
    ...query('declare function local:f($n) { local:f($n + 1) + 1 }; local:f(1)'),
    told: /nested or recurses too deeply/,
  },
  'a billion items': {
    ...query('count(for $x in 1 to 1000000000 order by -$x return $x)'),
    told: /more than 256 MiB of memory are needed|took longer/,
    memoryMiB: 600,
  },
  'regular expression': {
    ...query(`matches("${'a'.repeat(50)}!", "^(a+)+$")`),
    status: [500, 200],
  },
};

const XML = { body: '<a><b>1</b></a>', headers: { 'Content-Type': 'application/xml' } };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const SCHEMAS: Readonly<Record<string, Case>> = {
  'schema that is itself': {
    ...jsonSchema({ $ref: '#' }),
    body: '{}',
    headers: JSON_TYPE,
    told: /the schema refers to itself without end/,
  },
  'reference to another document': {
    ...jsonSchema({ $ref: '{trap}/schema' }),
    body: '{}',
    headers: JSON_TYPE,
    told: /can't resolve reference/,
  },
  '60,000 items that must differ': {
    ...jsonSchema({ type: 'object', properties: { l: { uniqueItems: true } } }),
    body: JSON.stringify({ l: Array.from({ length: 60_000 }, (_, i) => ({ i })) }),
    headers: JSON_TYPE,
    status: 200,
  },
  'XSD that includes': {
    mediator: '<validate><schema key="entry"/><on-fail><drop/></on-fail></validate>',
    entry:
      '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="{trap}/x.xsd"/><xs:element name="a"/></xs:schema>',
    ...XML,
    told: /is included, and no &lt;resource/,
  },
};

const CASES = Object.entries({ script: SCRIPTS, transformation: TRANSFORMATIONS, schema: SCHEMAS }).flatMap(
  ([group, cases]) =>
    Object.entries(cases).map(([name, given]) => ({
      group,
      name,
      given,
      proxy: `${group}-${name.replace(/\W+/g, '-')}`,
    })),
);

beforeAll(async () => {
  trap = await setTrap();
  const artifacts: Record<string, string> = {};
  hidden = mkdtempSync(join(tmpdir(), 'mini-synapse-hidden-'));
  writeFileSync(join(hidden, 'secret.xml'), `<secret>${SECRET}</secret>`);
  const secret = pathToFileURL(join(hidden, 'secret.xml')).href;
  const filled = (text: string) => text.replaceAll('{trap}', trap.url).replaceAll('{secret}', secret);
  for (const { proxy, given } of CASES) {
    artifacts[proxy] = inOnly(proxy, `${filled(given.mediator).replace('"entry"', `"${proxy}-entry"`)}<respond/>`);
    if (given.entry !== undefined)
      artifacts[`${proxy}-entry`] = `<localEntry key="${proxy}-entry"><![CDATA[${filled(given.entry)}]]></localEntry>`;
  }
  server = await HostileServer.start({
    artifacts,
    toml: `[mini_synapse]\nscript_limit_ms = ${LIMIT_MS}\ntransform_limit_ms = ${LIMIT_MS}\n`,
  });
});

afterAll(async () => {
  await trap?.close();
  rmSync(hidden, { recursive: true, force: true });
  await server?.stop();
});

describe.each(['script', 'transformation', 'schema'])('%s', (wanted) => {
  it.each(CASES.filter(({ group }) => group === wanted))('$name', async ({ name, proxy, given }) => {
    const { mediator: _, entry: __, ...attack } = given;
    const explained = attack.status === undefined ? { logged: new RegExp(`\\{proxy:${proxy}\\}.*ERROR_MESSAGE`) } : {};
    const reply = await server.attack(`${wanted}: ${name}`, proxy, {
      ...XML,
      ...explained,
      memoryMiB: 350,
      ...attack,
    });
    expect(reply.text).not.toContain(SECRET);
    expect(trap.requests).toEqual([]);
  });
});

it('nothing of the machine came to light', () => {
  expect(server.runtime.lines().join('\n')).not.toContain(SECRET);
});
