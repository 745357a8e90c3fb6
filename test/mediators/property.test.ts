import { describe, expect, it } from 'vitest';
import { systemProperty } from '../../src/message/property-scopes.ts';
import { JsonValue, TypedNumber } from '../../src/message/property-value.ts';
import { serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { logged, message, problemLines, problems, sequence } from '../mediation/harness.ts';

async function set(attributes: string, child = '', request = message({ body: '<o><id> 7 </id></o>' })) {
  expect(await sequence(`<property ${attributes}>${child}</property>`).mediate(request)).toBe(true);
  return request;
}

describe('scopes', () => {
  it.each([
    ['default', (request: Awaited<ReturnType<typeof set>>) => request.properties.get('p')],
    ['axis2', (request: Awaited<ReturnType<typeof set>>) => request.axis2.get('p')],
    ['axis2-client', (request: Awaited<ReturnType<typeof set>>) => request.axis2Client.get('p')],
    ['operation', (request: Awaited<ReturnType<typeof set>>) => request.operation.get('p')],
    ['transport', (request: Awaited<ReturnType<typeof set>>) => request.headers.get('P')],
  ])('%s: set and remove', async (scope, read) => {
    const request = await set(`name="p" value="v" scope="${scope}"`);
    expect(read(request)).toBe('v');
    await set(`name="p" scope="${scope}" action="remove"`, '', request);
    expect(read(request)).toBeUndefined();
  });

  it('system is for the whole process', async () => {
    await set('name="mini-synapse.test" value="v" scope="system"');
    expect(systemProperty('mini-synapse.test')).toBe('v');
  });

  it.each(['registry', 'trace', 'analytics'])('%s is accepted', async (scope) => {
    const request = await set(`name="p" value="v" scope="${scope}"`);
    expect(request.properties.size).toBe(0);
    await set(`name="p" action="remove" scope="${scope}"`, '', request);
  });

  it('an unknown one fails the deployment and lists those that exist', () => {
    expect(problemLines('<property name="p" value="v" scope="axis"/>')).toEqual([
      "error: Only 'axis2' or 'transport' or 'axis2-client' or 'default' or 'operation' or 'registry' or 'trace' or 'system' or 'analytics' values are allowed for attribute scope for a property mediator, Unsupported scope axis",
    ]);
  });
});

describe('what reaches further than its map', () => {
  it('messageType is the content type too', async () => {
    const request = await set('name="messageType" value="application/json" scope="axis2"');
    expect(request.axis2.get('ContentType')).toBe('application/json');
    expect(request.headers.get('content-type')).toBe('application/json');
  });

  it('SET_ROLLBACK_ONLY is seen by the operation', async () => {
    const request = await set('name="SET_ROLLBACK_ONLY" value="true" scope="axis2"');
    expect(request.operation.get('SET_ROLLBACK_ONLY')).toBe('true');
  });

  it('removing TRANSPORT_HEADERS removes every header, removing one removes its repetitions', async () => {
    const request = message();
    request.headers.add('X-A', '1');
    request.headers.add('x-a', '2');
    request.headers.add('X-B', '3');
    await set('name="x-A" scope="transport" action="remove"', '', request);
    expect([...request.headers.pairs()]).toEqual([['X-B', '3']]);
    await set('name="TRANSPORT_HEADERS" scope="axis2" action="remove"', '', request);
    expect(request.headers.size).toBe(0);
  });
});

describe('types', () => {
  it.each([
    ['BOOLEAN', 'YES', true],
    ['BOOLEAN', '1', true],
    ['BOOLEAN', 'on', false],
    ['INTEGER', '-12', new TypedNumber('INTEGER', -12)],
    ['SHORT', '32767', new TypedNumber('SHORT', 32767)],
    ['LONG', '9223372036854775807', new TypedNumber('LONG', 9223372036854775807n)],
    ['DOUBLE', ' 0x1p3 ', new TypedNumber('DOUBLE', 8)],
    ['DOUBLE', 'NaN', new TypedNumber('DOUBLE', Number.NaN)],
    ['FLOAT', ' 1f ', new TypedNumber('FLOAT', 1)],
    ['JSON', '{"a":1}', new JsonValue('{"a":1}')],
    ['JSON', 'bare', new JsonValue('"bare"')],
    ['STRING', '1', '1'],
  ])('%s of %j, as a value and computed', async (type, text, expected) => {
    const attribute = text.replaceAll('"', '&quot;');
    const literal = await set(`name="p" value="${attribute}" type="${type}"`);
    expect(literal.properties.get('p')).toEqual(expected);
    const request = message();
    request.properties.set('from', text);
    const computed = await set(`name="p" expression="$ctx:from" type="${type}"`, '', request);
    expect(computed.properties.get('p')).toEqual(expected);
  });

  it('OM is the parsed element', async () => {
    const request = await set('name="p" value="&lt;a&gt;&lt;b/&gt;&lt;/a&gt;" type="OM"');
    expect(serializeXml(request.properties.get('p') as XmlElement)).toBe('<a><b/></a>');
  });

  it.each([
    ['INTEGER', '1.9'],
    ['SHORT', '1.9'],
  ])('%s cuts the fraction off at run time only', async (type, text) => {
    const request = message();
    request.properties.set('from', text);
    await set(`name="p" expression="$ctx:from" type="${type}"`, '', request);
    expect(String(request.properties.get('p'))).toBe('1');
    expect(problemLines(`<property name="p" value="${text}" type="${type}"/>`)).toEqual([
      `error: Unknown type : ${type} for the property mediator or the property value cannot be converted into the specified type.`,
    ]);
  });

  it.each([
    ['LONG', '1.9'],
    ['INTEGER', 'many'],
    ['DOUBLE', 'x'],
    ['OM', 'no xml'],
  ])('%s cannot be made of %j: a fault', (type, text) => {
    const request = message();
    request.properties.set('from', text);
    expect(() => sequence(`<property name="p" expression="$ctx:from" type="${type}"/>`).mediate(request)).toThrow();
  });

  it('an unknown type fails the deployment; type names are upper case', () => {
    expect(problemLines('<property name="p" value="v" type="string"/>')).toEqual([
      'error: Unknown type : string for the property mediator or the property value cannot be converted into the specified type.',
    ]);
  });

  it('JSON that is none even when quoted leaves the property as it was, with an ERROR', async () => {
    const request = message();
    request.properties.set('p', 'before');
    request.properties.set('from', '{"a');
    const records = await logged(() => set('name="p" expression="$ctx:from" type="JSON"', '', request));
    expect(request.properties.get('p')).toBe('before');
    expect(records.map(({ level, message: text }) => `${level}: ${text}`)).toEqual([
      'error: Malformed JSON payload : {"a',
    ]);
  });
});

describe('values', () => {
  it('value wins over a child, a child over an expression', async () => {
    const all = await set('name="p" value="v" expression="\'e\'"', '<c xmlns=""/>');
    expect(all.properties.get('p')).toBe('v');
    const child = await set('name="p" expression="\'e\'"', '<c:c xmlns:c="urn:c">x</c:c>');
    expect(serializeXml(child.properties.get('p') as XmlElement)).toBe('<c:c xmlns:c="urn:c">x</c:c>');
    expect(problemLines('<property name="p"><c:c xmlns:c="urn:c"/></property>')).toEqual([]);
  });

  it('an inline element is a fresh copy for every message', async () => {
    const steps = sequence('<property name="p"><c:c xmlns:c="urn:c"/></property>');
    const [first, second] = [message(), message()];
    await steps.mediate(first);
    (first.properties.get('p') as XmlElement).setAttribute('changed', 'yes');
    await steps.mediate(second);
    expect(serializeXml(second.properties.get('p') as XmlElement)).toBe('<c:c xmlns:c="urn:c"/>');
  });

  it('of an expression is its text', async () => {
    expect((await set('name="p" expression="//id"')).properties.get('p')).toBe('7');
    expect((await set('name="p" expression="//nothing"')).properties.get('p')).toBe('');
    expect((await set('name="p" expression="count(//id)"')).properties.get('p')).toBe('1.0');
  });

  it('that is null leaves the property as it was (spec mediators 7.6), but empties a header', async () => {
    const request = message();
    request.properties.set('p', 'before');
    request.headers.set('P', 'before');
    await set('name="p" expression="get-property(\'missing\')"', '', request);
    await set('name="P" expression="get-property(\'missing\')" scope="transport"', '', request);
    expect(request.properties.get('p')).toBe('before');
    expect(request.headers.get('P')).toBe('');
  });

  it('json-eval reads the JSON payload', async () => {
    const request = message({ body: '{"a":{"b":[1,2]}}', contentType: 'application/json' });
    await set('name="p" expression="json-eval($.a.b)"', '', request);
    await set('name="q" expression="json-eval($.missing)"', '', request);
    expect(request.properties.get('p')).toBe('[1,2]');
    expect(request.properties.get('q')).toBe('');
  });

  it('an action other than remove sets', async () => {
    expect((await set('name="p" value="v" action="add"')).properties.get('p')).toBe('v');
  });

  it('does not look at the body unless its expression does', async () => {
    const request = message({ body: '<broken' });
    await set('name="p" expression="$trp:Host"', '', request);
    await set('name="messageType" value="text/plain" scope="axis2"', '', request);
    expect(request.payload.kind).toBe('unread');
    expect(() => sequence('<property name="p" expression="//id"/>').mediate(request)).toThrow();
  });
});

describe('pattern and group', () => {
  it.each([
    ['a-(\\d+)-b', 'a-42-b', '', 'a-42-b'],
    ['a-(\\d+)-b', 'a-42-b', 'group="1"', '42'],
    ['a-(\\d+)', 'a-42-b', '', ''],
    ['a-(\\d+)-b', 'a-42-b', 'group="2"', ''],
    ['a(-x)?-42-b', 'a-42-b', 'group="1"', ''],
  ])('%s on %s %s gives %j', async (pattern, text, group, expected) => {
    const literal = await set(`name="p" value="${text}" pattern="${pattern}" ${group}`);
    expect(literal.properties.get('p')).toBe(expected);
  });

  it.each([
    ['value="v" group="1"', 'group is only allowed when a pattern is specified'],
    ['value="v" pattern="v" group="-1"', 'group can have a positive value only'],
  ])('%s fails the deployment', (attributes, text) => {
    expect(problemLines(`<property name="p" ${attributes}/>`)).toEqual([`error: ${text}`]);
  });

  it('a pattern that is no regular expression fails the deployment', () => {
    expect(problems('<property name="p" value="v" pattern="("/>')).toMatchObject([{ severity: 'error' }]);
  });
});

describe('names', () => {
  it('may be computed', async () => {
    const request = message();
    request.properties.set('which', 'chosen');
    await set('name="{$ctx:which}" value="v"', '', request);
    expect(request.properties.get('chosen')).toBe('v');
  });

  it('that evaluate to nothing are used, with a WARN', async () => {
    const request = message();
    const records = await logged(() => set('name="{$ctx:missing}" value="v"', '', request));
    expect(request.properties.get('')).toBe('v');
    expect(records.map(({ level, message: text }) => `${level}: ${text}`)).toEqual([
      'warn: Evaluated value for {$ctx:missing} is empty',
    ]);
  });

  it.each([
    '<property value="v"/>',
    '<property name="" value="v"/>',
    '<property name=" " value="v"/>',
    '<property name="" action="remove"/>',
  ])('%s fails the deployment', (xml) => {
    expect(problemLines(xml)).toEqual([
      "error: The 'name' attribute is required for the configuration of a property mediator",
    ]);
  });

  it.each([
    ['name="{//a[}" value="v"', "Invalid expression for attribute 'name' : {//a[}"],
    ['name="p" expression="//a["', "Invalid XPath expression for attribute 'expression' : //a["],
  ])('%s: a bad expression fails the deployment in the words of the reference', (attributes, text) => {
    const [first, ...more] = problemLines(`<property ${attributes}/>`);
    expect(first).toContain(text);
    expect(more).toEqual([]);
  });
});

it('needs a value', () => {
  expect(problemLines('<property name="p"/>')).toEqual([
    "error: Either a child element or one of 'value', 'expression' attributes is required for a property mediator when action is SET",
  ]);
  expect(problemLines('<property name="p" action="remove"/>')).toEqual([]);
});

it('points at the place of each problem, all of them at once', () => {
  const found = problems('<property name="p"/>\n<property name="q" value="x" type="LONG" scope="axis2" colour="red"/>');
  expect(found.map(({ severity, position: { line, column } }) => [severity, line, column])).toEqual([
    ['error', 1, expect.any(Number)],
    ['warning', 2, expect.any(Number)],
    ['error', 2, expect.any(Number)],
  ]);
});
