import { describe, expect, test } from 'vitest';
import type { LocalEntry } from '../../src/message/local-entry.ts';
import { JsonValue } from '../../src/message/property-value.ts';
import { serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { FakeConfiguration, message, problemLines, sequence } from '../mediation/harness.ts';

const ORDER_SCHEMA = {
  title: 'o:order',
  type: 'object',
  inputType: 'XML',
  outputType: 'XML',
  namespaces: [{ prefix: 'o', url: 'urn:o' }],
  attributes: { id: { type: 'integer' } },
  properties: {
    'o:customer': { type: 'string' },
    item: {
      type: 'array',
      items: { type: 'object', properties: { price: { type: 'number' }, 'sold-out': { type: 'boolean' } } },
    },
  },
};
const TOTAL_SCHEMA = {
  title: 't:total',
  type: 'object',
  outputType: 'XML',
  namespaces: [{ prefix: 't', url: 'urn:t' }],
  attributes: { id: { type: 'integer' } },
  properties: {
    't:name': { type: 'string' },
    prices: { type: 'array', items: { type: 'number' } },
    sum: { type: 'number' },
  },
};
const JSON_SCHEMA = {
  title: 'root',
  type: 'object',
  outputType: 'JSON',
  inputType: 'JSON',
  properties: { a: { type: 'integer' } },
};
const CSV_SCHEMA = {
  title: 'root',
  type: 'array',
  inputType: 'CSV',
  outputType: 'CSV',
  items: { type: 'object', properties: { name: { type: 'string' }, age: { type: 'integer' } } },
};

const TEXTS: Record<string, string> = {
  order: JSON.stringify(ORDER_SCHEMA),
  total: JSON.stringify(TOTAL_SCHEMA),
  json: JSON.stringify(JSON_SCHEMA),
  csv: JSON.stringify(CSV_SCHEMA),
  untyped: '{"title":"root","type":"object"}',
  noSchema: 'x',
  sum: `map_S_order_S_total = function(){
    var outputtotal = {};
    outputtotal.sum = 0;
    outputtotal.t_name = inputo_order.o_customer.toUpperCase();
    outputtotal.attr_id = inputo_order.attr_id + 1;
    outputtotal.prices = [];
    for (var i in inputo_order.item) { outputtotal.prices.push(inputo_order.item[i].price); outputtotal.sum += inputo_order.item[i].price; }
    outputtotal.sold = inputo_order.item[1].sold_out;
    return outputtotal;
  };`,
  modern:
    'export function mapFunction(input) { return { a: input.a * 2, who: DM_PROPERTIES.DEFAULT.who, scope: DM_PROPERTIES.TRANSPORT.H }; }',
  rows: 'map_L_root_L_root = function(){ return inputroot.map(function (r) { return { name: r.name + "!", age: r.age + 1 }; }); };',
  throws: 'map_S_root_S_root = function(){ throw new Error("no way"); };',
  endless: 'map_S_root_S_root = function(){ for(;;); };',
  nothing: 'var x = 1;',
};

async function run(attributes: string, body: string, contentType = 'application/xml') {
  const localEntry = Object.fromEntries(
    Object.entries(TEXTS).map(([key, text]): [string, LocalEntry] => [key, { key, text, xml: undefined }]),
  );
  const configuration = new FakeConfiguration({ localEntry });
  Object.assign(configuration.services, { isolation: { scriptMs: 400, transformMs: 400 } });
  const context = message({ body, contentType, configuration });
  context.properties.set('who', 'me');
  context.headers.set('H', 'header');
  await sequence(`<datamapper ${attributes}/>`).mediate(context);
  return context;
}

const ORDER =
  '<order xmlns="urn:o" id="7"><customer>abc</customer><item xmlns=""><price>1.5</price></item><item xmlns=""><price>2</price><sold-out>true</sold-out></item></order>';

describe('mapping', () => {
  test('XML to XML, as the schemas say', async () => {
    const context = await run('config="sum" inputSchema="order" outputSchema="total"', ORDER);
    expect(serializeXml(context.payload.firstBodyChild() as XmlElement)).toBe(
      '<t:total xmlns:t="urn:t" id="8"><t:name>ABC</t:name><prices>1.5</prices><prices>2</prices><sum>3.5</sum><sold>true</sold></t:total>',
    );
    expect(context.axis2.get('messageType')).toBe('application/xml');
    expect(context.axis2.get('ContentType')).toBe('application/xml');
  });

  test('JSON to JSON, with properties, by the newer function', async () => {
    const context = await run('config="modern" inputSchema="json" outputSchema="json"', '{"a":21}', 'application/json');
    expect(context.payload.json()).toBe('{"a":42,"who":"me","scope":"header"}');
    expect(context.axis2.get('messageType')).toBe('application/json');
  });

  test('CSV to CSV', async () => {
    const context = await run(
      'config="rows" inputSchema="csv" outputSchema="csv"',
      'name,age\n"a, b",1\nc,2\n',
      'text/plain',
    );
    expect(context.payload.text()).toBe('"a, b!",2\nc!,3');
    expect(context.axis2.get('messageType')).toBe('text/xml');
  });

  test('attributes win over the schemas, and a variable gets the result', async () => {
    const context = await run(
      'config="sum" inputSchema="order" outputSchema="total" inputType="XML" outputType="JSON" target="variable" variable="v"',
      ORDER,
    );
    expect(context.variables.get('v')).toEqual(
      new JsonValue('{"sum":3.5,"t_name":"ABC","attr_id":8,"prices":[1.5,2],"sold":true}'),
    );
    expect(serializeXml(context.payload.firstBodyChild() as XmlElement)).toContain('customer');
  });
});

test.each([
  ['config="throws" inputSchema="json" outputSchema="json"', 'mapping failed: Error: no way'],
  ['config="endless" inputSchema="json" outputSchema="json"', 'took longer than 400 ms'],
  ['config="nothing" inputSchema="json" outputSchema="json"', 'neither a function map_'],
  ['config="gone" inputSchema="json" outputSchema="json"', "there is no entry with the key 'gone'"],
  [
    'config="modern" inputSchema="untyped" outputSchema="json"',
    'Input type is not defined in the input schema/synapse configuration',
  ],
  ['config="modern" inputSchema="noSchema" outputSchema="json" inputType="JSON"', 'the input schema is no JSON'],
])('%s is a fault', async (attributes, reason) => {
  await expect(run(attributes, '{"a":1}', 'application/json')).rejects.toThrow(reason);
});

test.each([
  [
    '<datamapper inputSchema="a" outputSchema="b"/>',
    'error: The attribute config is required for the DataMapper mediator',
  ],
  [
    '<datamapper config="a" outputSchema="b"/>',
    'error: The attribute inputSchema is required for the DataMapper mediator',
  ],
  [
    '<datamapper config="a" inputSchema="b"/>',
    'error: The outputSchema attribute is required for the DataMapper mediator',
  ],
])('%s', (mediator, problem) => {
  expect(problemLines(mediator)).toContain(problem);
});
