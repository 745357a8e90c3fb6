import { describe, expect, test } from 'vitest';
import { FakeConfiguration, message, problemLines, sequence } from '../mediation/harness.ts';

async function transformed(mediator: string, body: string, contentType: string, schema = '{}'): Promise<string> {
  const configuration = new FakeConfiguration({
    localEntry: { schema: { key: 'schema', text: schema, xml: undefined } },
  });
  const context = message({ body, contentType, configuration });
  await sequence(mediator).mediate(context);
  return context.payload.jsonText();
}

const setting = (name: string, value: string) => `<property name="synapse.commons.${name}" value="${value}"/>`;
const fromXml = (properties: string, body: string) =>
  transformed(`<jsontransform>${properties}</jsontransform>`, body, 'application/xml');
const toSchema = (schema: object | string | boolean, json: string) =>
  transformed(
    '<jsontransform schema="schema"/>',
    json,
    'application/json',
    typeof schema === 'string' ? schema : JSON.stringify(schema),
  );

describe('settings of the conversion (spec mediators 5.4, 3.38)', () => {
  test.each([
    [
      setting('json.output.autoPrimitive', 'false'),
      '<a><b>1</b><c>true</c><d/></a>',
      '{"a":{"b":"1","c":"true","d":null}}',
    ],
    [
      setting('json.output.disableAutoPrimitive.regex', '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$'),
      '<a><b>1</b><c>true</c></a>',
      '{"a":{"b":"1","c":true}}',
    ],
    [
      setting('json.json.output.disableAutoPrimitive.customReplaceRegex', '@@@') +
        setting('json.json.output.disableAutoPrimitive.customReplaceSequence', ''),
      '<a><b>@@@1</b><c>1</c></a>',
      '{"a":{"b":"1","c":1}}',
    ],
    [
      setting('json.preserve.namespace', 'true'),
      '<x:a xmlns:x="u"><x:b x:i="2">1</x:b></x:a>',
      '{"x_a":{"x_b":{"@x_i":"2","$":1}}}',
    ],
    [
      setting('json.preserve.namespace', 'true') +
        setting('json.output.namespaceSepChar', ':') +
        setting('json.output.enableNSDeclarations', 'true'),
      '<x:a xmlns:x="u"><x:b>1</x:b></x:a>',
      '{"x:a":{"@xmlns:x":"u","x:b":1}}',
    ],
    [setting('json.output.jsonoutAutoArray', 'false'), '<a><b>1</b><b>2</b></a>', '{"a":{"b":1,"b":2}}'],
    [setting('json.output.jsonoutMultiplePI', 'false'), '<a><?xml-multiple b?><b>1</b></a>', '{"a":{"b":1}}'],
    [setting('enableXmlNullForEmptyElement', 'false'), '<a><b/></a>', '{"a":{"b":""}}'],
    [setting('enableXmlNilReadWrite', 'true'), '<a><b nil="true">x</b></a>', '{"a":{"b":null}}'],
  ])('%s', async (properties, xml, json) => {
    expect(await fromXml(properties, xml)).toBe(json);
  });

  test('JSON is converted, too', async () => {
    const all = `<jsontransform>${setting('json.output.autoPrimitive', 'false')}</jsontransform>`;
    expect(await transformed(all, '{"a":1,"b":[true],"c":null}', 'application/json')).toBe(
      '{"a":"1","b":["true"],"c":null}',
    );
  });

  test('mixed content is a fault', async () => {
    await expect(fromXml(setting('json.output.autoPrimitive', 'false'), '<a>x<b/>y</a>')).rejects.toThrow(
      'Could not convert OMElement to JSON. Invalid XML payload.',
    );
  });
});

describe('a schema (spec mediators 3.38)', () => {
  const object = (properties: object, rest: object = {}) => ({ type: 'object', properties, ...rest });

  test.each([
    [
      object({ a: { type: 'integer' }, b: { type: 'number' }, c: { type: 'boolean' } }),
      '{"a":"1","b":"1.50","c":"true"}',
      '{"a":1,"b":1.50,"c":true}',
    ],
    [object({ a: { type: 'string' }, b: { type: 'string' } }), '{"a":1.50,"b":false}', '{"a":"1.50","b":"false"}'],
    [object({ a: { type: 'array', items: { type: 'integer' } } }), '{"a":"7"}', '{"a":[7]}'],
    [object({ a: { type: 'null' } }), '{"a":"null"}', '{"a":null}'],
    [object({ a: { type: ['integer', 'string'] } }), '{"a":"7"}', '{"a":"7"}'],
    [object({ a: { type: ['integer', 'string'] } }), '{"a":7}', '{"a":7}'],
    [object({}, { patternProperties: { '^n': { type: 'number' } } }), '{"n1":"1","x":"1"}', '{"n1":1,"x":"1"}'],
    [object({}, { additionalProperties: { type: 'string' } }), '{"x":1}', '{"x":"1"}'],
    [{ type: 'array', items: [{ type: 'string' }, { type: 'number' }] }, '[1,"2","3"]', '["1",2,"3"]'],
    [object({ d: { type: 'string' } }), '{}', '{}'],
    [{}, '{"a":"1"}', '{"a":"1"}'],
    [true, '{"a":"1"}', '{"a":"1"}'],
  ])('%j: %s → %s', async (schema, json, result) => {
    expect(await toSchema(schema, json)).toBe(result);
  });

  test('XML is converted first', async () => {
    const schema = JSON.stringify(object({ o: object({ id: { type: 'string' }, l: { type: 'array' } }) }));
    expect(
      await transformed('<jsontransform schema="schema"/>', '<o><id>7</id><l>1</l></o>', 'application/xml', schema),
    ).toBe('{"o":{"id":"7","l":[1]}}');
  });

  test.each([
    [false, '{}', 'JSON schema is false, so all validations will fail'],
    ['no json', '{}', 'Can not find valid JSON Schema content'],
    ['{"properties":{}}', '{}', 'JSON schema should contain a type declaration'],
    [object({ a: { type: 'integer' } }), '{"a":"1.5"}', '"1.5" cannot be converted to integer at $.a'],
    [object({ a: { type: 'object' } }), '{"a":1}', '1 cannot be converted to object at $.a'],
    [object({}, { required: ['a'] }), '{}', 'The object lacks the required properties a at $'],
    [object({}, { additionalProperties: false }), '{"a":1}', "The property 'a' is not allowed"],
    [object({ a: { type: 'string', pattern: 'a+' } }), '{"a":"aab"}', "'aab' does not match the pattern a+"],
    [object({ a: { type: 'string', maxLength: 1 } }), '{"a":"ab"}', 'The length 2 is more than 1 at $.a'],
    [object({ a: { type: 'number', exclusiveMinimum: 1 } }), '{"a":"1"}', '1 is not above 1'],
    [object({ a: { type: 'number', multipleOf: 0.1 } }), '{"a":0.25}', '0.25 is not a multiple of 0.1'],
    [object({ a: { type: 'array', uniqueItems: true } }), '{"a":[1,1]}', 'Array items are not unique'],
    [object({ a: { type: 'array', minItems: 2 } }), '{"a":[1]}', 'The number of items 1 is less than 2'],
    [object({ a: { enum: [1, 'x'] } }), '{"a":2}', "2 is none of the values of 'enum'"],
    [object({ a: { const: 1 } }), '{"a":2}', "2 is not the value of 'const'"],
    [{ type: 'array', items: [{}], additionalItems: false }, '[1,2]', 'Array has more items than the schema allows'],
  ])('%j: %s is a fault: %s', async (schema, json, problem) => {
    await expect(toSchema(schema, json)).rejects.toThrow(problem);
  });

  test('a missing one is a fault', async () => {
    await expect(transformed('<jsontransform schema="none"/>', '{}', 'application/json')).rejects.toThrow(
      'Schema does not exist in the specified location : none',
    );
  });
});

test('neither schema nor properties, and properties that mean nothing', () => {
  expect(problemLines('<jsontransform/>')).toContain(
    'error: jsontransform mediator should contain either a schema or custom properties',
  );
  expect(problemLines('<jsontransform><property name="other" value="1"/></jsontransform>')).toContain(
    "warning: 'other' is no setting of the conversion and has no effect",
  );
  const regex = 'synapse.commons.json.output.disableAutoPrimitive.regex';
  expect(problemLines(`<jsontransform><property name="${regex}" value="("/></jsontransform>`)[0]).toContain(
    'is not a regular expression',
  );
});
