import { afterAll, beforeAll, describe, it } from 'vitest';
import { inOnly } from '../../support/in-process.ts';
import { type Attack, HostileServer } from './hostile-server.ts';

/* Messages that are hostile to honest artifacts: what parsers, expressions, regular expressions and splitting mediators must bear. */

const MEBIBYTE = 1024 * 1024;
const XML = { 'Content-Type': 'application/xml' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

interface Case extends Attack {
  /** What the proxy does; default: count the elements. */
  readonly mediators?: string;
  readonly body: string;
}

const LOOK = '<property name="seen" expression="count($body//*)"/>';
const property = (expression: string) => `<property name="seen" expression="${expression}"/>`;
const attributes = (count: number) => Array.from({ length: count }, (_, index) => `a${index}=""`).join(' ');
/** What makes a processor of 16 MiB of anything work for long. */
const LARGE = { memoryMiB: 1_000, cpuMs: 25_000, withinMs: 240_000, bystanderMs: 240_000 };
const TOO_MANY_NODES = /the document has more than 2000000 nodes/;

const BODIES: Readonly<Record<string, Case>> = {
  '10,000-deep XML': { body: nested('<a>', '</a>', 10_000), status: 400, told: /nested more than 256 deep/ },
  '10,000-deep SOAP': {
    body: `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${nested('<a>', '</a>', 10_000)}</e:Body></e:Envelope>`,
    headers: { 'Content-Type': 'text/xml' },
    status: 400,
    told: /nested more than 256 deep/,
  },
  '10,000-deep JSON': {
    body: nested('[', ']', 10_000),
    headers: JSON_TYPE,
    status: 400,
    told: /nested deeper than 256/,
  },
  'an attribute of 1 MB': { body: `<a b="${'x'.repeat(MEBIBYTE)}"/>`, status: 200 },
  'a name of 1 MB': { body: `<${'x'.repeat(MEBIBYTE)}/>`, status: 200 },
  '100,000 attributes': { body: `<a ${attributes(100_000)}/>`, status: 400, told: /has more than 1024 attributes/ },
  '200 namespaces around 100,000 elements': {
    body: `${Array.from({ length: 200 }, (_, index) => `<a xmlns:p${index}="urn:${index}">`).join('')}${'<b/>'.repeat(100_000)}${'</a>'.repeat(200)}`,
    status: 200,
    memoryMiB: 400,
  },
  '16 MB of nothing but tags': {
    body: `<a>${'<a/>'.repeat(4 * MEBIBYTE - 4)}</a>`,
    status: 400,
    told: TOO_MANY_NODES,
    ...LARGE,
  },
  '16 MB of nothing but attributes': {
    body: `<a>${`<a ${attributes(1_000)}/>`.repeat(2_100)}</a>`,
    status: 400,
    told: TOO_MANY_NODES,
    ...LARGE,
  },
  '16 MB of nothing but comments': {
    body: `<a>${'<!---->'.repeat(2.2 * MEBIBYTE)}</a>`,
    status: 400,
    told: TOO_MANY_NODES,
    ...LARGE,
  },
  '16 MB of numbers, for XPath': {
    body: `[${'1,'.repeat(8 * MEBIBYTE - 4)}1]`,
    headers: JSON_TYPE,
    status: 400,
    told: /the JSON document has more than 2000000 values/,
    ...LARGE,
  },
  'a form of 8 million fields': {
    body: 'a&'.repeat(8 * MEBIBYTE - 1),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    status: 400,
    told: /more than 10000 fields/,
  },
  'a million parts': {
    body: `${'--b\r\n\r\n\r\n'.repeat(MEBIBYTE)}--b--`,
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
    status: 400,
    told: /more than 1000 parts/,
  },
  'billion laughs': {
    body: `<!DOCTYPE a [<!ENTITY l0 "ha">${Array.from({ length: 12 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`).join('')}]><a>&l12;</a>`,
    status: 400,
    told: /DOCTYPE/,
  },
  'an external entity': {
    body: '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
    status: 400,
    told: /DOCTYPE/,
  },
};

const sum = `$${'{payload.a + 1}'}`;
const EXPRESSIONS: Readonly<Record<string, Case>> = {
  'a number of 10 million digits': {
    mediators: property(sum),
    body: `{"a":${'9'.repeat(10 * MEBIBYTE)}}`,
    headers: JSON_TYPE,
    status: 200,
  },
  'an exponent of a billion': { mediators: property(sum), body: '{"a":1e999999999}', headers: JSON_TYPE, status: 200 },
  'an exponent of minus a billion': {
    mediators: property(`$${'{round(payload.a)}'}`),
    body: '{"a":1e-999999999}',
    headers: JSON_TYPE,
    status: 200,
  },
  'names of prototypes': {
    mediators: property('json-eval($.__proto__)'),
    body: '{"__proto__":{"x":1},"constructor":{"prototype":{"y":2}}}',
    headers: JSON_TYPE,
    status: 200,
  },
  '.. four times, 200 deep': {
    mediators: property('json-eval($..a..a..a..a)'),
    body: `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
    headers: JSON_TYPE,
    told: /a path finds more than 10000000 values/,
    memoryMiB: 600,
    cpuMs: 20_000,
  },
  'descendants four times, 200 deep': {
    mediators: property('count(//a//a//a//a)'),
    body: nested('<a>', '</a>', 200),
    status: 200,
  },
  'descendants inside descendants': {
    mediators: property('count(//*[count(//*[count(//*)=0])=0])'),
    body: `<a>${'<b/>'.repeat(20_000)}</a>`,
    status: [200, 500],
  },
};

const EVIL = `${'a'.repeat(60)}!`;
const STOPPED = /The regular expression '[^']*' takes longer than 250 ms on a text of 6\d characters and was stopped/;
const evilXml = { body: `<a><b>${EVIL}</b></a>` };
const evilJson = { body: JSON.stringify({ b: EVIL, list: [{ b: EVIL }] }), headers: JSON_TYPE };
const uri = `<property name="u" expression="concat('http://h/',//b)"/>`;
const REGEXES: Readonly<Record<string, Case>> = {
  filter: { mediators: '<filter source="//b" regex="(a+)+$"><then/></filter>', ...evilXml, told: STOPPED },
  switch: {
    mediators: '<switch source="//b"><case regex="([a-z]+)*$"><drop/></case></switch>',
    ...evilXml,
    told: STOPPED,
  },
  rewrite: {
    mediators: `${uri}<rewrite inProperty="u" outProperty="o"><rewriterule><action type="replace" regex="(a+)+$" fragment="path" value="x"/></rewriterule></rewrite>`,
    ...evilXml,
    told: STOPPED,
  },
  'condition of a rewrite': {
    mediators: `${uri}<rewrite inProperty="u" outProperty="o"><rewriterule><condition><match xmlns="" type="url" source="path" regex="/(a+)+$"/></condition><action type="set" fragment="path" value="/x"/></rewriterule></rewrite>`,
    ...evilXml,
    status: 200,
    logged: /Skipping it: The regular expression '\/\(a\+\)\+\$' takes longer than 250 ms/,
  },
  conditionalRouter: {
    mediators:
      '<conditionalRouter continueAfter="true"><conditionalRoute><condition><match xmlns="" type="header" source="X-E" regex="(a+)+$"/></condition><target><sequence/></target></conditionalRoute></conditionalRouter>',
    body: '<a/>',
    headers: { ...XML, 'X-E': EVIL },
    told: /Couldn't evaluate the route condition: The regular expression/,
  },
  'pattern of a property': {
    mediators: '<property name="u" expression="//b" pattern="(a+)+$" group="0"/>',
    ...evilXml,
    told: STOPPED,
  },
  'filter of json-eval': { mediators: property('json-eval($.list[?(@.b =~ /(a+)+$/)])'), ...evilJson, told: STOPPED },
  'filter of ${}': {
    mediators: property(`$${'{payload.list[?(@.b =~ /(a+)+$/)]}'}`),
    ...evilJson,
    status: 200,
    logged: /takes longer than 250 ms/,
  },
  'JSON Schema': {
    mediators: '<validate><schema key="Pattern"/><on-fail><drop/></on-fail></validate>',
    ...evilJson,
    told: STOPPED,
  },
};

const NOTHING = '<sequence><property name="x" value="1"/></sequence>';
const children = (count: number) => `<a>${'<b/>'.repeat(count)}</a>`;
const SPLITTINGS: Readonly<Record<string, Case>> = {
  'iterate: 100,000 elements': {
    mediators: `<iterate expression="//b"><target>${NOTHING}</target></iterate>`,
    body: children(100_000),
    status: 202,
    memoryMiB: 500,
    cpuMs: 60_000,
    withinMs: 240_000,
  },
  'iterate: a million items': {
    mediators: `<iterate expression="json-eval($.a)"><target>${NOTHING}</target></iterate>`,
    body: `{"a":[${'1,'.repeat(999_999)}1]}`,
    headers: JSON_TYPE,
    status: [202, 504],
    memoryMiB: 400,
    cpuMs: 90_000,
    withinMs: 240_000,
  },
  'iterate: more items than are allowed': {
    mediators: `<iterate expression="json-eval($.a)"><target>${NOTHING}</target></iterate>`,
    body: `{"a":[${'1,'.repeat(1_000_000)}1]}`,
    headers: JSON_TYPE,
    told: /iterate: the message has 1000001 parts, more than the 1000000 that are allowed/,
    memoryMiB: 400,
  },
  'foreach: more elements than are allowed': {
    mediators: `<foreach expression="//b">${NOTHING}</foreach><drop/>`,
    body: children(1_000_001),
    told: /foreach: the message has 1000001 parts, more than the 1000000 that are allowed/,
    memoryMiB: 800,
    cpuMs: 20_000,
  },
  'foreach: 30,000 elements': {
    mediators: `<foreach expression="//b">${NOTHING}</foreach><drop/>`,
    body: children(30_000),
    status: 202,
    memoryMiB: 500,
    cpuMs: 60_000,
    withinMs: 240_000,
  },
  'clone: 100,000 times': {
    mediators: `<clone iterations="100000"><target>${NOTHING}</target></clone>`,
    body: '<a/>',
    status: 202,
    cpuMs: 60_000,
    withinMs: 240_000,
  },
  'clone: a million times': {
    mediators: `<clone iterations="1000000"><target>${NOTHING}</target></clone>`,
    body: '<a/>',
    told: /Error while parsing iterations number in clone mediator/,
  },
  'aggregate: 12,000 groups that are never complete': {
    mediators: `<iterate continueParent="true" expression="//b"><target><sequence>
      <aggregate id="never"><correlateOn expression="get-property('MessageID')"/><completeCondition><messageCount min="2" max="2"/></completeCondition>
      <onComplete expression="//b"><drop/></onComplete></aggregate></sequence></target></iterate>`,
    body: children(12_000),
    status: [200, 202, 500, 503],
    logged: /Aggregate 'never' has 10000 open groups and takes no more/,
    cpuMs: 60_000,
    withinMs: 240_000,
  },
};

const GROUPS = { body: BODIES, expression: EXPRESSIONS, 'regular expression': REGEXES, splitting: SPLITTINGS };
const CASES = Object.entries(GROUPS).flatMap(([group, cases]) =>
  Object.entries(cases).map(([name, given]) => ({
    group,
    name,
    given,
    proxy: `${group}-${name}`.replace(/\W+/g, '-'),
  })),
);

let server: HostileServer;

beforeAll(async () => {
  const artifacts: Record<string, string> = {
    Pattern:
      '<localEntry key="Pattern"><![CDATA[{"type":"object","properties":{"b":{"type":"string","pattern":"^(a+)+$"}}}]]></localEntry>',
  };
  for (const { proxy, given } of CASES)
    artifacts[proxy] = inOnly(proxy, `${given.mediators ?? LOOK}${proxy.startsWith('splitting') ? '' : '<respond/>'}`);
  server = await HostileServer.start({ artifacts });
});

afterAll(() => server?.stop());

describe.each(Object.keys(GROUPS))('%s', (wanted) => {
  it.each(CASES.filter(({ group }) => group === wanted))(
    '$name',
    { timeout: 300_000 },
    async ({ name, proxy, given }) => {
      const { mediators: _, ...attack } = given;
      const refused = attack.status === undefined || attack.status === 400;
      const explained = refused ? { logged: new RegExp(`\\{proxy:${proxy}\\}.*ERROR_MESSAGE`) } : {};
      await server.attack(`${wanted}: ${name}`, proxy, { headers: XML, ...explained, ...attack });
    },
  );
});

function nested(open: string, close: string, depth: number): string {
  return open.repeat(depth) + close.repeat(depth);
}
