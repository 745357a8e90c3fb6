import { describe, expect, test } from 'vitest';
import type { LocalEntry } from '../../src/message/local-entry.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { FakeConfiguration, message, problemLines, sequence } from '../mediation/harness.ts';

const symbol = (type: string) =>
  `declare variable $symbol as ${type} external; <m:symbol xmlns:m="http://services.samples">{$symbol}</m:symbol>`;

const TEXTS: Record<string, string> = {
  request: `declare namespace m0="http://services.samples"; declare variable $payload as document-node() external;
    <m:getQuote xmlns:m="http://services.samples"><m:request><m:symbol>{$payload//m0:CheckPriceRequest/m0:Code/child::text()}</m:symbol></m:request></m:getQuote>`,
  commission: `<r>{ for $c in $commission//company where $c/@name = "IBM" return xs:double($c) * 2 }</r>`,
  element: 'declare variable $payload as element() external; <e>{name($payload)}</e>',
  price:
    'declare variable $code as xs:string external; declare variable $price as xs:double external; <q c="{$code}">{$price + 1}</q>',
  int: symbol('xs:int'),
  byte: symbol('xs:byte'),
  double: symbol('xs:double'),
  float: symbol('xs:float'),
  boolean: symbol('xs:boolean'),
  string: symbol('xs:string'),
  text: '"plain", "second"',
  sum: 'sum((1, 2.5))',
  none: '()',
  empty: '   ',
  companies: '<companies><company name="IBM">1.5</company></companies>',
  doc: 'doc("file:///etc/hostname")',
  unparsed: 'unparsed-text("http://127.0.0.1:9/")',
  collection: 'collection()',
  imported: 'import module namespace a="urn:a" at "http://127.0.0.1:9/"; 1',
  environment: 'environment-variable("PATH")',
  wrong: 'for $x in',
  endless: 'declare function local:f($x) { local:f($x + 1) }; local:f(1)',
  slow: 'count(for $a in 1 to 100000, $b in 1 to 100000, $c in 1 to 100000 return $a)',
};

function configuration(limitMs = 10_000): FakeConfiguration {
  const localEntry = Object.fromEntries(
    Object.entries(TEXTS).map(([key, text]): [string, LocalEntry] => [key, { key, text, xml: undefined }]),
  );
  const xml = parseXml(`<x>${TEXTS.text?.replaceAll('"', '&quot;')}</x>`).documentElement as XmlElement;
  localEntry.xmlEntry = { key: 'xmlEntry', text: serializeXml(xml), xml };
  const made = new FakeConfiguration({ localEntry });
  Object.assign(made.services, { isolation: { scriptMs: limitMs, transformMs: limitMs } });
  return made;
}

const BODY = '<m0:CheckPriceRequest xmlns:m0="http://services.samples"><m0:Code>IBM</m0:Code></m0:CheckPriceRequest>';

async function run(mediator: string, body: string | null = BODY, limitMs?: number) {
  const context = message({ ...(body !== null && { body }), configuration: configuration(limitMs) });
  const goesOn = await sequence(mediator).mediate(context);
  const child = () => serializeXml(context.payload.firstBodyChild() as XmlElement);
  return { context, goesOn, child };
}

describe('results', () => {
  test('an element replaces the payload: sample 390', async () => {
    const { child, goesOn } = await run('<xquery key="request"><variable name="payload" type="ELEMENT"/></xquery>');
    expect(child()).toBe(
      '<m:getQuote xmlns:m="http://services.samples"><m:request><m:symbol>IBM</m:symbol></m:request></m:getQuote>',
    );
    expect(goesOn).toBe(true);
  });

  test('or a target', async () => {
    const { child } = await run(
      '<xquery xmlns:m="http://services.samples" key="string" target="//m:Code"><variable name="symbol" type="STRING" value=" SUN "/></xquery>',
    );
    expect(child()).toContain('>SUN</m:symbol></m0:CheckPriceRequest>');
    await expect(run('<xquery key="text" target="//nothing"/>')).rejects.toThrow(
      "the target '//nothing' selects no element",
    );
  });

  test('an empty Body gets it', async () => {
    const { child } = await run(
      '<xquery key="string"><variable name="symbol" type="STRING" value="x"/></xquery>',
      null,
    );
    expect(child()).toContain('>x</m:symbol>');
  });

  test('the first atomic value becomes the text of the target', async () => {
    expect((await run('<xquery key="text"/>', '<a><b/></a>')).child()).toBe('<a>plain</a>');
    expect((await run('<xquery key="xmlEntry"/>', '<a><b/></a>')).child()).toBe('<a>plain</a>');
    expect((await run('<xquery key="sum"/>', '<a/>')).child()).toBe('<a>3.5</a>');
  });

  test('nothing, and no query, change nothing', async () => {
    expect((await run('<xquery key="none"/>')).child()).toBe(BODY);
    expect((await run('<xquery key="empty"/>')).child()).toBe(BODY);
  });
});

describe('variables, of which -1 is a value like any other (MREQ-39)', () => {
  test.each([
    ['INT', 'int', '-1', '-1'],
    ['INTEGER', 'int', '7', '7'],
    ['SHORT', 'int', '7', '7'],
    ['LONG', 'int', '7', '7'],
    ['BYTE', 'byte', '100', '100'],
    ['BOOLEAN', 'boolean', 'true', 'true'],
    ['DOUBLE', 'double', '1.5', '1.5'],
    ['FLOAT', 'float', '156312.98', '156312.98'],
    ['STRING', 'string', 'IBM', 'IBM'],
  ])('%s', async (type, key, value, shown) => {
    const { child } = await run(
      `<xquery key="${key}"><variable name="symbol" type="${type}" value="${value}"/></xquery>`,
    );
    expect(child()).toBe(`<m:symbol xmlns:m="http://services.samples">${shown}</m:symbol>`);
  });

  test('from expressions', async () => {
    const { child } = await run(
      `<xquery key="price"><variable name="code" type="STRING" expression="self::node()//s/child::text()"/><variable name="price" type="DOUBLE" expression="//p/child::text()"/></xquery>`,
      '<r><s>IBM</s><p>1.5</p></r>',
    );
    expect(child()).toBe('<q c="IBM">2.5</q>');
  });

  test('from entries', async () => {
    const { child } = await run(
      '<xquery key="commission"><variable name="commission" type="ELEMENT" key="companies"/></xquery>',
    );
    expect(child()).toBe('<r>3</r>');
    const looked = await run(
      '<xquery key="string"><variable name="symbol" type="STRING" key="companies" expression="//company/@name"/></xquery>',
    );
    expect(looked.child()).toContain('>IBM<');
  });

  test('an element, where the query says so', async () => {
    expect((await run('<xquery key="element"><variable name="payload" type="ELEMENT"/></xquery>')).child()).toBe(
      '<e>m0:CheckPriceRequest</e>',
    );
  });

  test('a value that is no number', async () => {
    await expect(run('<xquery key="int"><variable name="symbol" type="INT" value="x"/></xquery>')).rejects.toThrow(
      "Unable to execute the query : the value of $symbol, 'x', is no number",
    );
  });
});

describe('what a query may not', () => {
  test.each(['doc', 'unparsed', 'collection', 'imported', 'environment', 'wrong', 'endless', 'nothing'])(
    '%s',
    async (key) => {
      await expect(run(`<xquery key="${key}"/>`)).rejects.toThrow(/^Unable to execute the query /);
    },
  );

  test('run for ever', async () => {
    await expect(run('<xquery key="slow"/>', BODY, 400)).rejects.toThrow('took longer than 400 ms');
    expect((await run('<xquery key="text"/>', '<a/>')).child()).toBe('<a>plain</a>');
  });
});

test.each([
  ['<xquery/>', "error: The 'key' attribute is required for the XQuery mediator"],
  ['<xquery key="k"><variable name="a" type="DATE"/></xquery>', 'error: Unsupported Type : DATE'],
  ['<xquery key="k"><variable type="INT"/></xquery>', 'warning: a <variable> without name or type is ignored'],
])('%s', (mediator, problem) => {
  expect(problemLines(mediator)).toContain(problem);
});
