import { describe, expect, test } from 'vitest';
import { Payload } from '../../src/message/payload.ts';
import { FakeConfiguration, message, problemLines, sequence } from '../mediation/harness.ts';

const ORDER = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o" xmlns="urn:o" elementFormDefault="qualified">
  <xs:element name="order"><xs:complexType><xs:sequence>
    <xs:element name="id" type="xs:int"/><xs:element name="qty" type="xs:positiveInteger" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element></xs:schema>`;
const NOTE = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="note" type="xs:date"/></xs:schema>`;
const MAIN = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:c="urn:c" targetNamespace="urn:m">
  <xs:import namespace="urn:c" schemaLocation="common.xsd"/><xs:element name="m" type="c:code"/></xs:schema>`;
const COMMON = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:c"><xs:include schemaLocation="http://nowhere.invalid/more.xsd"/></xs:schema>`;
const MORE = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:c"><xs:simpleType name="code"><xs:restriction base="xs:string"><xs:length value="2"/></xs:restriction></xs:simpleType></xs:schema>`;
const PERSON =
  '{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["a"],"properties":{"a":{"type":"integer","minimum":1,"exclusiveMinimum":true},"p":{"type":"string","pattern":"^(a+)+$"}}}';

const texts: Record<string, string> = {
  order: ORDER,
  note: NOTE,
  main: MAIN,
  common: COMMON,
  more: MORE,
  broken: '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="x" type="nope"/></xs:schema>',
  person: PERSON,
  remote: '{"$ref":"http://127.0.0.1:1/schema.json"}',
  noJson: 'not json',
};
const localEntry = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, { key, text, xml: undefined }]));
const configuration = new FakeConfiguration({ localEntry });
const FAIL = '<on-fail><property name="failed" value="yes"/></on-fail>';
const GOOD = '<o:order xmlns:o="urn:o"><o:id>7</o:id></o:order>';
const BAD = '<o:order xmlns:o="urn:o"><o:id>x</o:id><o:qty>-1</o:qty></o:order>';

async function validated(mediator: string, body: string, contentType = 'application/xml') {
  const context = message({ body, contentType, configuration });
  await sequence(mediator).mediate(context);
  return context;
}

const order = `<validate><schema key="order"/>${FAIL}</validate>`;

describe('XML (spec mediators 3.28)', () => {
  test('a valid message passes and is untouched', async () => {
    const context = await validated(order, GOOD);
    expect(context.text('failed')).toBeUndefined();
    expect(context.text('ERROR_MESSAGE')).toBeUndefined();
    expect(context.payload.untouched).toBe(true);
  });

  test('an invalid one runs on-fail with all that is wrong, a line each; where it returns true the flow goes on (spec mediators 7.6)', async () => {
    const context = await validated(`${order}<property name="after" value="yes"/>`, BAD);
    expect(context.text('failed')).toBe('yes');
    expect(context.text('after')).toBe('yes');
    const lines = context.text('ERROR_MESSAGE')?.split('\n') ?? [];
    expect(lines.some((line) => line.includes("'x' is not a valid value") && line.includes('id'))).toBe(true);
    expect(lines.some((line) => line.includes('qty'))).toBe(true);
    expect(context.text('ERROR_DETAIL')).toContain('qty');
    expect(context.properties.has('ERROR_CODE')).toBe(false);
  });

  test('on-fail may end the flow', async () => {
    const dropping =
      '<validate><schema key="order"/><on-fail><drop/></on-fail></validate><property name="after" value="yes"/>';
    expect((await validated(dropping, BAD)).text('after')).toBeUndefined();
    expect((await validated(dropping, GOOD)).text('after')).toBe('yes');
  });

  test('source selects an element, or text that is XML', async () => {
    const body = `<wrap>${GOOD}<text>&lt;note>2020-01-01&lt;/note></text></wrap>`;
    const bySource = (source: string, key: string) =>
      `<validate xmlns:o="urn:o" source="${source}"><schema key="${key}"/>${FAIL}</validate>`;
    expect((await validated(bySource('//o:order', 'order'), body)).text('failed')).toBeUndefined();
    expect((await validated(bySource('//text/text()', 'note'), body)).text('failed')).toBeUndefined();
    const missing = await validated(bySource('//none', 'order'), body);
    expect(missing.text('failed')).toBe('yes');
    expect(missing.text('ERROR_MESSAGE')).toBe('Error occurred while accessing source element: //none');
  });

  test('several schemas are one', async () => {
    const both = `<validate><schema key="order"/><schema key="note"/>${FAIL}</validate>`;
    expect((await validated(both, GOOD)).text('failed')).toBeUndefined();
    expect((await validated(both, '<note>2020-01-01</note>')).text('failed')).toBeUndefined();
    expect((await validated(both, '<note>later</note>')).text('failed')).toBe('yes');
    expect((await validated(both, BAD)).text('failed')).toBe('yes');
  });

  test('imports and includes lead to what <resource> says', async () => {
    const mapped = `<validate><schema key="main"/><resource location="common.xsd" key="common"/>
      <resource location="http://nowhere.invalid/more.xsd" key="more"/>${FAIL}</validate>`;
    expect((await validated(mapped, '<m:m xmlns:m="urn:m">ab</m:m>')).text('failed')).toBeUndefined();
    expect((await validated(mapped, '<m:m xmlns:m="urn:m">abc</m:m>')).text('failed')).toBe('yes');
  });

  test('what is not mapped is never looked for', async () => {
    const unmapped = (resources: string) => `<validate><schema key="main"/>${resources}${FAIL}</validate>`;
    const run = (resources: string) => validated(unmapped(resources), '<m:m xmlns:m="urn:m">ab</m:m>');
    await expect(run('')).rejects.toThrow('Error creating a new schema objects for schemas');
    await expect(run('<resource location="common.xsd" key="common"/>')).rejects.toThrow(
      "'http://nowhere.invalid/more.xsd' is included",
    );
  });

  test('schemas that are missing or broken are faults', async () => {
    const withKey = (key: string) => validated(`<validate><schema key="${key}"/>${FAIL}</validate>`, GOOD);
    await expect(withKey('none')).rejects.toThrow('No Schema is available with the key  : none');
    await expect(withKey('broken')).rejects.toThrow('Error creating a new schema objects for schemas : ');
    await expect(withKey('noJson')).rejects.toThrow('Error creating a new schema objects for schemas : ');
  });

  test('keys may be expressions, and the schema may be compiled anew for every message', async () => {
    const dynamic = `<property name="k" value="order"/><validate cache-schema="false"><schema key="{$ctx:k}"/>
      <feature name="http://apache.org/xml/features/validation/schema-full-checking" value="true"/>${FAIL}</validate>`;
    for (let round = 0; round < 5; round += 1) {
      expect((await validated(dynamic, GOOD)).text('failed')).toBeUndefined();
      expect((await validated(dynamic, BAD)).text('failed')).toBe('yes');
    }
  });

  test('many schemas do not pile up', async () => {
    const entries = Object.fromEntries(
      Array.from({ length: 80 }, (_, index) => {
        const key = `s${index}`;
        return [key, { key, text: NOTE.replace('note', `note${index}`), xml: undefined }];
      }),
    );
    const many = new FakeConfiguration({ localEntry: entries });
    const flow = sequence(`<validate><schema key="{$ctx:k}"/>${FAIL}</validate>`);
    for (const index of [...Array(80).keys(), 0, 40]) {
      const context = message({ body: `<note${index}>2020-01-01</note${index}>`, configuration: many });
      context.properties.set('k', `s${index}`);
      await flow.mediate(context);
      expect(context.text('failed')).toBeUndefined();
    }
  });
});

describe('JSON (spec mediators 3.28)', () => {
  const person = (source = '') => `<validate ${source}><schema key="person"/>${FAIL}</validate>`;
  const run = (mediator: string, body: string) => validated(mediator, body, 'application/json');

  test.each([
    ['{"a":2}', undefined],
    ['{}', 'object has missing required properties (["a"])'],
    ['{"a":"x"}', 'instance type (string) does not match any allowed primitive type (allowed: ["integer"]) at /a'],
    ['{"a":1}', 'must be > 1 at /a'],
  ])('%s', async (body, problem) => {
    const context = await run(person(), body);
    expect(context.text('ERROR_MESSAGE')).toBe(problem);
    expect(context.text('failed')).toBe(problem && 'yes');
    if (problem) expect(context.text('ERROR_DETAIL')).toBe(`Error while validating Json message ${problem}`);
  });

  test('source selects what is checked', async () => {
    expect((await run(person('source="json-eval($.o)"'), '{"o":{"a":5}}')).text('failed')).toBeUndefined();
    expect((await run(person(`source="\${payload.o}"`), '{"o":{"a":5}}')).text('failed')).toBeUndefined();
    expect((await run(person('source="json-eval($.none)"'), '{"o":{"a":5}}')).text('failed')).toBe('yes');
    await expect(run(person('source="//o"'), '{"o":{}}')).rejects.toThrow(
      'Could not find JSONPath or Synapse Expression to extract the message to validate from the payload',
    );
  });

  test('a pattern that explodes is stopped', async () => {
    await expect(run(person(), `{"a":2,"p":"${'a'.repeat(60)}!"}`)).rejects.toThrow('was stopped');
  });

  test('schemas that are missing, broken or elsewhere are faults', async () => {
    const withKey = (key: string) => run(`<validate><schema key="${key}"/>${FAIL}</validate>`, '{}');
    await expect(withKey('none')).rejects.toThrow('Can not find JSON Schema none');
    await expect(withKey('noJson')).rejects.toThrow('Error while validating the JSON Schema');
    await expect(withKey('remote')).rejects.toThrow('Error while validating the JSON Schema');
  });

  test('json-source checks XML as JSON', async () => {
    const context = message({ body: '<a>x</a>', configuration });
    await sequence(person('json-source="true"')).mediate(context);
    expect(context.text('ERROR_MESSAGE')).toContain('does not match any allowed primitive type');
  });

  test('JSON that was set is checked, too', async () => {
    const context = message({ configuration });
    context.payload = Payload.ofJson('{"a":3}');
    await sequence(person()).mediate(context);
    expect(context.text('failed')).toBeUndefined();
  });
});

test.each([
  [`<validate>${FAIL}</validate>`, 'error: No schema specified for the validate mediator'],
  [`<validate><schema/>${FAIL}</validate>`, "error: A 'schema' definition must contain a local property 'key'"],
  [
    '<validate><schema key="k"/></validate>',
    'error: A non-empty <on-fail> child element is required for the <validate> mediator',
  ],
  [
    `<validate><schema key="k"/><feature name="f" value="on"/>${FAIL}</validate>`,
    'error: The feature must have value true or false',
  ],
])('%s', (mediator, problem) => {
  expect(problemLines(mediator)).toContain(problem);
});
