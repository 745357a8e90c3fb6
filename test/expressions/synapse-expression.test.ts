import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { parseDynamicValue } from '../../src/expressions/value.ts';
import { ValueError } from '../../src/grammar/attributes.ts';
import type { Services } from '../../src/message/configuration.ts';
import { MediationError } from '../../src/message/errors.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { JsonValue, MapValue, type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import { configurationWith, elementOf, messageWithBody, messageWithJson } from './a-message.ts';

const written = (source: string) => `$${`{${source}}`}`;
const compile = (source: string, prefixes = {}) => compileExpression(written(source), prefixes);
const JSON_PAYLOAD = '{"items":[{"n":"a","p":5},{"n":"b","p":20}],"text":"aXbXc","o":{"in":1}}';

function textOf(source: string, message: MessageContext = messageWithJson(JSON_PAYLOAD)): string | null {
  return compile(source).stringValue(message);
}

function withServices(services: Partial<Services>, payload = Payload.empty()): MessageContext {
  return new MessageContext({ ...configurationWith(), services: services as Services }, payload);
}

describe('roots (spec mediators 4.5.2)', () => {
  it('reads every scope', () => {
    const message = withServices({ configurationValue: (name) => (name === 'url' ? 'http://c' : undefined) });
    message.headers.set('X-Id', '7');
    message.properties.set('p', new TypedNumber('INTEGER', 5));
    message.properties.set('query.param.q', 'Q');
    message.properties.set('uri.var.id', 'I');
    message.axis2.set('HTTP_METHOD', 'POST');
    message.templateFrames.push({ template: 't', parameters: new Map<string, PropertyValue>([['f', 'F']]) });
    for (const [source, text] of [
      ['headers.x-id', '7'],
      ['props.synapse.p + 1', '6'],
      ['properties.axis2.HTTP_METHOD', 'POST'],
      ['params.queryParams.q', 'Q'],
      ['params.pathParams.id', 'I'],
      ['params.uriParams.id', 'I'],
      ['params.functionParams.f', 'F'],
      ['configs.url', 'http://c'],
    ] as const) {
      expect(textOf(source, message), source).toBe(text);
    }
  });

  it('reads XML payloads as JSON, and plain XML by itself as the Body', () => {
    const message = messageWithBody('<o><id>7</id><l>1</l><l>2</l></o>');
    expect(textOf('payload.o.id + 1', message)).toBe('8');
    expect(textOf('$.o.l', message)).toBe('[1,2]');
    expect(textOf('payload', message)).toBe('{"o":{"id":7,"l":[1,2]}}');
    message.axis2.set('ContentType', 'application/xml; charset=UTF-8');
    expect(textOf('payload', message)).toContain('<o><id>7</id>');
    expect(textOf('payload.o.id', message)).toBe('7');
  });

  it('does not look at the payload unless it has to', () => {
    const untouched = new MessageContext(
      configurationWith(),
      Payload.unread(Buffer.from('{broken'), 'application/json'),
    );
    untouched.variables.set('v', 'x');
    expect(textOf("vars.v + '!'", untouched)).toBe('x!');
    expect(untouched.payload.kind).toBe('unread');
    for (const source of [
      'payload',
      '$.a',
      'vars.l[payload.i]',
      "xpath('//a')",
      'exists(payload.a)',
      'vars.l[?(@.a == payload.b)]',
    ]) {
      expect(compile(source).needsBody, source).toBe(true);
    }
    for (const source of ["vars['payload']", "xpath('//a', 'v')", "'payload'", 'headers.payload']) {
      expect(compile(source).needsBody, source).toBe(false);
    }
  });

  it('splices values into paths and filters as what they are', () => {
    const message = messageWithJson(JSON_PAYLOAD);
    message.variables.set('name', `b"'] || @.n == 'a`);
    message.variables.set('limit', new TypedNumber('INTEGER', 10));
    expect(textOf('payload.items[?(@.p > vars.limit)].n', message)).toBe('["b"]');
    expect(textOf('payload.items[?(@.n == vars.name)].n', message)).toBe('[]');
    expect(textOf("payload.items[?(@.n == toLower('A') && @.p in [5, 6])].p", message)).toBe('[5]');
    expect(textOf('payload.items[?(@.n =~ /[ab]/)].p', message)).toBe('[5,20]');
    expect(textOf("payload['o']['in']", message)).toBe('1');
  });
});

describe('functions (spec mediators 4.5.4)', () => {
  it.each([
    ["trim('  a ')", 'a'],
    ["startsWith('abc', 'ab')", 'true'],
    ["endsWith('abc', 'bc')", 'true'],
    ["contains('abc', 'x')", 'false'],
    ["indexOf('abcabc', 'c', 3)", '5'],
    ["charAt('abc', 1)", 'b'],
    ["replace('a.b.c', '.', '$1')", 'a$1b$1c'],
    ["split(payload.text, 'X')", '["a","b","c"]'],
    ["split('abc', '')", '["a","b","c"]'],
    ['abs(-5)', '5'],
    ['abs(-5.5)', '5.5'],
    ['round(1.0E2)', null],
    ["base64encode('a b')", 'YSBi'],
    ["base64decode('YSBi')", 'a b'],
    ["urlDecode('a%20b%C3%A9+c')", 'a bé c'],
    ["isString('a')", 'true'],
    ['isNumber(1.5)', 'true'],
    ["isArray('[1]')", 'true'],
    ['isObject(payload.o)', 'true'],
    ["object('{a:1}').a", '1'],
    ['not(exists(vars.none))', 'true'],
    ["formatDateTime('2024-02-29 13:05', 'yyyy-MM-dd HH:mm', 'EEE d MMM yyyy h:mm a')", 'Thu 29 Feb 2024 1:05 PM'],
    ["formatDateTime('13:05:09', 'HH:mm:ss', 'hh.mm a')", '01.05 PM'],
    ["formatDateTime('2020-01-02', 'yyyy-MM-dd', 'HH:mm')", ''],
    ["formatDateTime('soon', 'yyyy-MM-dd', 'yyyy')", ''],
    ["'a' + 1 + 'b'", ''],
    ['1 - 2 - 3', '-4'],
    ['2 + 3 * 4', '14'],
    ['9223372036854775807 + 1', '-9223372036854775808'],
  ])('%s → %s', (source, text) => {
    if (text === null) expect(() => compile(source)).toThrow(ValueError);
    else expect(textOf(source)).toBe(text);
  });

  it('a moment is written in the time zone of the server', () => {
    const now = new Date(2024, 0, 2, 3, 4, 5, 678);
    const message = messageWithJson('{}');
    message.variables.set('t', new TypedNumber('LONG', BigInt(now.getTime())));
    expect(textOf("formatDateTime(vars.t, 'yyyy/MM/dd HH:mm:ss.SSS')", message)).toBe('2024/01/02 03:04:05.678');
  });

  it('looks XPath up in the message and in variables, with the prefixes of the element (MREQ-42)', () => {
    const message = messageWithBody('<m:o xmlns:m="urn:m"><m:id>7</m:id><m:id>8</m:id></m:o>');
    const prefixes = { m: 'urn:m' };
    expect(compile("xpath('//m:id[1]')", prefixes).stringValue(message)).toBe('7');
    expect(compile("xpath('count(//m:id)')", prefixes).stringValue(message)).toBe('2.0');
    expect(compile("xpath('count(//m:id)') + 1", prefixes).stringValue(message)).toBe('3.0');
    expect(compile("xpath('//m:id')", prefixes).nodes(message)).toHaveLength(2);
    message.variables.set('x', elementOf('<r><pet>cat</pet></r>'));
    message.variables.set('map', new MapValue(new Map([['payload', elementOf('<r><pet>dog</pet></r>')]])));
    expect(textOf("xpath('//pet', 'x')", message)).toBe('cat');
    expect(textOf("xpath('//pet', 'map.payload')", message)).toBe('dog');
    expect(() => compile("xpath('//[')")).toThrow(ValueError);
  });

  it('looks up the registry and secrets', () => {
    const message = withServices({
      registry: {
        text: (key) => (key === 'gov:a.json' ? '{"k":{"z":1}}' : undefined),
        property: (_, name) => (name === 'p' ? 'P' : undefined),
        store: () => undefined,
        storeProperty: () => undefined,
      },
      secrets: {
        lookup: (alias) =>
          ({ db: 's3cret', 'secret.mysql.web.url': 'jdbc:x', 'ns.secret.key': 'in a namespace' })[alias],
      },
    });
    expect(textOf("registry('gov:a.json').k.z", message)).toBe('1');
    expect(textOf("registry('gov:a.json').property('p')", message)).toBe('P');
    expect(textOf("registry('gov:a.json', 'p')", message)).toBe('P');
    expect(textOf("registry('gov:none')", message)).toBe('');
    expect(textOf("wso2-vault('db')", message)).toBe('s3cret');
    expect(textOf("wso2-vault('none')", message)).toBe('');
    expect(compileExpression("wso2:vault-lookup('db')", {}).stringValue(message)).toBe('s3cret');
    expect(() => compileExpression("wso2:vault-lookup('none')", {}).stringValue(message)).toThrow(MediationError);
    expect(textOf("hashicorp-vault('secret/mysql/web', 'url')", message)).toBe('jdbc:x');
    expect(textOf("hashicorp-vault('ns', '/secret', 'key')", message)).toBe('in a namespace');
    expect(textOf("hashicorp-vault('secret', 'none')", message)).toBe('');
    const lookup = (call: string) => compileExpression(`hashicorp:vault-lookup(${call})`, {}).stringValue(message);
    expect(lookup("'secret/mysql/web', 'url'")).toBe('jdbc:x');
    expect(lookup("'ns', 'secret', 'key'")).toBe('in a namespace');
    expect(() => lookup("'secret', 'none'")).toThrow(MediationError);
  });

  it('a regular expression that explodes is stopped', () => {
    const message = messageWithJson(`{"t":"${'a'.repeat(200)}!"}`);
    expect(textOf("split(payload.t, '(a+)+b')", message)).toBe('');
  });
});

describe('results', () => {
  it('have the type of the value (MREQ-18)', () => {
    const message = messageWithJson('{"i":1,"d":1.5,"l":3000000000,"a":[1,{"x":2}],"b":true,"n":null,"s":"t"}');
    const resultOf = (source: string) => compile(source).value(message);
    expect(resultOf('payload.i')).toEqual(new TypedNumber('INTEGER', 1));
    expect(resultOf('payload.d')).toEqual(new TypedNumber('DOUBLE', 1.5));
    expect(resultOf('payload.l')).toEqual(new TypedNumber('LONG', 3000000000n));
    expect(resultOf('payload.a')).toEqual(new JsonValue('[1,{"x":2}]'));
    expect(resultOf('payload.b')).toBe(true);
    expect(resultOf('payload.n')).toBeNull();
    expect(resultOf('payload.s')).toBe('t');
    expect(compile('payload.a').nodes(message)).toEqual([new JsonValue('1'), new JsonValue('{"x":2}')]);
    expect(compile('payload.none').nodes(message)).toEqual([]);
  });

  it('are faults when expressions are strict (MREQ-24)', () => {
    const message = withServices({ strictExpressions: true }, Payload.ofJson('{}'));
    expect(() => textOf('payload.gone', message)).toThrow(MediationError);
    expect(() => textOf('payload.gone', message)).toThrow(
      "cause : No results for path: $['gone']".replaceAll("'", '"'),
    );
    expect(textOf('exists(payload.gone)', message)).toBe('false');
  });

  it('stand in dynamic attributes', () => {
    const value = parseDynamicValue(`{${written('payload.o["in"] + 1')}}`, {});
    expect(value.needsBody).toBe(true);
    expect(value.evaluate(messageWithJson(JSON_PAYLOAD))).toBe('2');
  });

  it('warn at deployment about comparisons beside and/or, and wrong numbers of arguments', () => {
    expect(compile('vars.a == 1 and vars.b == 2').warnings[0]).toContain('need parentheses');
    expect(compile('(vars.a == 1) and (vars.b == 2)').warnings).toEqual([]);
    expect(compile('length()').warnings).toEqual([
      'Invalid function: length with no arguments: the expression will fail',
    ]);
  });

  it('group comparisons as the reference where that works, else as everybody means it (MREQ-22)', () => {
    const message = messageWithJson('{"t":true,"f":false,"x":"a","y":"b"}');
    expect(textOf("payload.x == 'a' and payload.y == 'b'", message)).toBe('true');
    expect(textOf('payload.x == payload.x and payload.y == payload.y or payload.f', message)).toBe('true');
    // (f == (f and t)) is what the reference makes of it.
    expect(textOf('payload.f == payload.f and payload.t', message)).toBe('true');
  });
});
