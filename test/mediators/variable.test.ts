import { describe, expect, it } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import { serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { message, problemLines, problems, sequence } from '../mediation/harness.ts';

const JSON_BODY = '{"a":1,"f":1.5,"s":"text","n":"7","t":true,"z":null,"o":{"k":[1]},"big":3000000000}';
const jsonMessage = () => message({ body: JSON_BODY, contentType: 'application/json' });
const xmlMessage = () => message({ body: '<o><id>7</id><x>1</x><x>2</x><e><f>in</f></e></o>' });
const S = (path: string) => `$\{${path}}`;

function set(attributes: string, request = message()): PropertyValue | undefined {
  expect(sequence(`<variable name="v" ${attributes}/>`).mediate(request)).toBe(true);
  return request.variables.get('v');
}

const xml = (value: PropertyValue | undefined) => serializeXml(value as XmlElement);

describe('a value', () => {
  it.each([
    ['value="text"', 'text'],
    ['value="5" type="STRING"', '5'],
    ['value="5" type="INTEGER"', new TypedNumber('INTEGER', 5)],
    ['value="5" type="LONG"', new TypedNumber('LONG', 5n)],
    ['value="5" type="DOUBLE"', new TypedNumber('DOUBLE', 5)],
    ['value="YES" type="BOOLEAN"', true],
    ['value="{&quot;a&quot;:1}" type="JSON"', new JsonValue('{"a":1}')],
    ['value="bare" type="JSON"', new JsonValue('"bare"')],
    ['value="v" expression="//a"', 'v'],
    ['value="v" action="anything"', 'v'],
  ])('%s', (attributes, expected) => {
    expect(set(attributes)).toEqual(expected);
  });

  it('may be XML, a copy for every message', () => {
    const flow = sequence('<variable name="v" value="&lt;a&gt;1&lt;/a&gt;" type="XML"/>');
    const requests = [message(), message()];
    for (const request of requests) expect(flow.mediate(request)).toBe(true);
    const [one, two] = requests.map(({ variables }) => variables.get('v'));
    expect(xml(one)).toBe('<a>1</a>');
    expect(xml(set('value="&lt;a/&gt;" type="OM"'))).toBe('<a/>');
    expect(one).not.toBe(two);
  });
});

describe('an expression without a type keeps what it gives (MREQ-18)', () => {
  it.each([
    [S('payload.a'), new TypedNumber('INTEGER', 1)],
    [S('payload.s'), 'text'],
    [S('payload.t'), true],
    [S('payload.o'), new JsonValue('{"k":[1]}')],
    ['json-eval($.o)', new JsonValue('{"k":[1]}')],
    ['json-eval($.s)', 'text'],
    ['json-eval($.t)', true],
  ])('%s', (expression, expected) => {
    expect(set(`expression="${expression}"`, jsonMessage())).toEqual(expected);
  });

  it('of XPath a number, text or an element of its own', () => {
    expect(set('expression="count(//x)"', xmlMessage())).toEqual(new TypedNumber('DOUBLE', 2));
    expect(set('expression="//id/text()"', xmlMessage())).toBe('7');
    const request = xmlMessage();
    const element = set('expression="//e"', request) as XmlElement;
    expect(xml(element)).toBe('<e><f>in</f></e>');
    expect(element.parentNode).toBeNull();
  });
});

describe('an expression with a type', () => {
  it.each([
    [S('payload.a'), 'INTEGER', new TypedNumber('INTEGER', 1)],
    [S('payload.a'), 'LONG', new TypedNumber('LONG', 1n)],
    [S('payload.big'), 'LONG', new TypedNumber('LONG', 3000000000n)],
    [S('payload.a'), 'DOUBLE', new TypedNumber('DOUBLE', 1)],
    [S('payload.f'), 'DOUBLE', new TypedNumber('DOUBLE', 1.5)],
    [S('payload.t'), 'BOOLEAN', true],
    [S('payload.o'), 'JSON', new JsonValue('{"k":[1]}')],
    [S('payload.a'), 'JSON', '1'],
    [S('payload.s'), 'JSON', 'text'],
    [S('payload.o'), 'STRING', '{"k":[1]}'],
    ['json-eval($.a)', 'INTEGER', new TypedNumber('INTEGER', 1)],
    ['json-eval($.n)', 'INTEGER', new TypedNumber('INTEGER', 7)],
    ['json-eval($.o)', 'JSON', new JsonValue('{"k":[1]}')],
    ['json-eval($.t)', 'BOOLEAN', true],
  ])('%s as %s', (expression, type, expected) => {
    expect(set(`expression="${expression}" type="${type}"`, jsonMessage())).toEqual(expected);
  });

  it.each([
    ['//id/text()', 'INTEGER', new TypedNumber('INTEGER', 7)],
    ['count(//x)', 'INTEGER', new TypedNumber('INTEGER', 2)],
    ['count(//x)', 'DOUBLE', new TypedNumber('DOUBLE', 2)],
    ["string('true')", 'BOOLEAN', true],
    ['//id = 7', 'BOOLEAN', true],
    ['//id', 'STRING', '7'],
  ])('%s of XML as %s', (expression, type, expected) => {
    expect(set(`expression="${expression}" type="${type}"`, xmlMessage())).toEqual(expected);
  });

  it('XML is an element, or text that is parsed', () => {
    expect(xml(set('expression="//e" type="XML"', xmlMessage()))).toBe('<e><f>in</f></e>');
    const request = xmlMessage();
    request.properties.set('text', '<t/>');
    expect(xml(set('expression="$ctx:text" type="XML"', request))).toBe('<t/>');
    request.properties.set('text', 'no xml');
    expect(() => set('expression="$ctx:text" type="XML"', request)).toThrow('not well-formed XML');
  });

  it.each([
    [S('payload.s'), 'INTEGER', jsonMessage],
    [S('payload.n'), 'INTEGER', jsonMessage],
    [S('payload.f'), 'INTEGER', jsonMessage],
    [S('payload.big'), 'INTEGER', jsonMessage],
    [S('payload.s'), 'BOOLEAN', jsonMessage],
    [S('payload.a'), 'BOOLEAN', jsonMessage],
    [S('payload.o'), 'DOUBLE', jsonMessage],
    ['//e', 'INTEGER', xmlMessage],
    ['//e', 'JSON', xmlMessage],
    ["string('many')", 'LONG', xmlMessage],
  ] as Array<[string, string, () => MessageContext]>)('%s as %s does not match', (expression, type, make) => {
    expect(() => set(`expression="${expression}" type="${type}"`, make())).toThrow(
      `Expression '${expression}' result does not match the expected data type '${type}'`,
    );
  });
});

describe('the life of a variable', () => {
  it('null leaves the old value', () => {
    const request = jsonMessage();
    request.variables.set('v', 'old');
    expect(set('expression="$ctx:gone"', request)).toBe('old');
    expect(set('expression="$ctx:gone" type="INTEGER"', request)).toBe('old');
    expect(set('expression="$ctx:gone" type="STRING"', request)).toBe('old');
  });

  it('remove removes', () => {
    const request = message();
    request.variables.set('v', 'old');
    expect(set('action="remove"', request)).toBeUndefined();
  });

  it('copies have their own', () => {
    const request = xmlMessage();
    set('expression="//e"', request);
    const copy = request.copy();
    expect(xml(copy.variables.get('v'))).toBe('<e><f>in</f></e>');
    expect(copy.variables.get('v')).not.toBe(request.variables.get('v'));
  });

  it('is read as $var', async () => {
    const request = message();
    await sequence('<variable name="v" value="1"/><property name="p" expression="$var:v"/>').mediate(request);
    expect(request.text('p')).toBe('1');
  });
});

describe('what is wrong is told', () => {
  it.each([
    ['<variable value="v"/>', "The 'name' attribute is required for the configuration of a variable mediator"],
    [
      '<variable name="v"/>',
      "'value' or 'expression' attributes is required for a variable mediator when action is SET",
    ],
    [
      '<variable name="v" value="v" type="FLOAT"/>',
      'Unknown type : FLOAT for the variable mediator or the variable value cannot be converted into the specified type.',
    ],
    [
      '<variable name="v" value="v" type="INTEGER"/>',
      'Unknown type : INTEGER for the variable mediator or the variable value cannot be converted into the specified type.',
    ],
  ])('%s', (text, expected) => {
    expect(problemLines(text)).toEqual([`error: ${expected}`]);
  });

  it('with its place', () => {
    expect(problems('<variable name="v"\n expression="//["/>')).toMatchObject([
      { severity: 'error', position: { line: 2 } },
    ]);
    expect(problems('<variable name="v" type="XML"\n value="no xml"/>')).toMatchObject([{ position: { line: 2 } }]);
  });
});
