import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { ValueError } from '../../src/grammar/attributes.ts';
import { MediationError } from '../../src/message/errors.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { JsonValue } from '../../src/message/property-value.ts';
import { configurationWith, messageWithBody, messageWithJson } from './a-message.ts';

const STORE = `{"store":{"book":[
  {"title":"A","price":8.95,"tags":["x","y"],"author":"Nigel"},
  {"title":"B","price":12.99,"tags":[],"isbn":"1"},
  {"title":"C","price":8.99,"isbn":"2","sold":null},
  {"title":"D","price":"22","isbn":"3"}],
  "open":true,"name":"Caf\\u00e9 <&'\\"\\u2028>"},"limit":10}`;

function textOf(path: string, json = STORE): string | null {
  return compileExpression(`json-eval(${path})`, {}).stringValue(messageWithJson(json));
}

describe('JSONPath (spec mediators 4.3)', () => {
  it.each([
    ['$.store.book[0].title', 'A'],
    ['store.book[0].title', 'A'],
    ['$.store.book[0].', '{"title":"A","price":8.95,"tags":["x","y"],"author":"Nigel"}'],
    ["$['store']['book'][-1]['title']", 'D'],
    ['$["store"].open', 'true'],
    ['$.store.name', 'Café <&\'"\u2028>'],
    ["$.store['name','open']", '{"name":"Café <&\'\\"\\u2028>","open":true}'],
    ['$.store.book[*].title', '["A","B","C","D"]'],
    ['$.store.book.*.title', '["A","B","C","D"]'],
    ['$..title', '["A","B","C","D"]'],
    ['$..book[0].title', '["A"]'],
    ["$..['title']", '["A","B","C","D"]'],
    ['$..book[?(@.isbn)].title', '["B","C","D"]'],
    ['$..tags[0]', '["x"]'],
    ['$.store.book[1:3].title', '["B","C"]'],
    ['$.store.book[:2].title', '["A","B"]'],
    ['$.store.book[-1:].title', '["D"]'],
    ['$.store.book[9:].title', '[]'],
    ['$.store.book[0,3].title', '["A","D"]'],
    ['$.store.book[*].isbn', '["1","2","3"]'],
    ['$.missing[*]', ''],
    ['$.store.book[9].title', ''],
    ['$.store.open.x', ''],
    ['$.store.book[*].missing', '[]'],
    ['$.store.book.length()', '4'],
    ['$.store.size()', '3'],
    ['$.store.open.length()', ''],
    ['$.store.book[*].price.max()', '12.99'],
    ['$.store.book[0].tags.first()', 'x'],
    ['$.store.book[0].tags.last()', 'y'],
    ['$.store.book[1].tags.first()', ''],
    ['$.store.book[1].tags.sum()', ''],
    ['$.store.book[*].price.avg()', '10.31'],
    ['$..*.length()', '26'],
  ])('%s → %s', (path, text) => {
    expect(textOf(path)).toBe(text);
  });

  it.each([
    ['@.price < 9', '["A","C"]'],
    ['@.price<=8.95', '["A"]'],
    ['@.price > $.limit', '["B"]'],
    ['@.price >= 8.99 && @.isbn', '["B","C"]'],
    ['@.title == \'A\' || @.title == "D"', '["A","D"]'],
    ["@.title != 'A'", '["B","C","D"]'],
    ['!(@.isbn)', '["A"]'],
    ['!@.isbn', '["A"]'],
    ['@.price == 22', '["D"]'],
    ["@.title > 'B'", '["C","D"]'],
    ['@.sold == null', '["C"]'],
    ['@.missing == null', '[]'],
    ['@.missing != 1', '["A","B","C","D"]'],
    ["@.title in ['A', 'D', 5]", '["A","D"]'],
    ["@.title nin ['A']", '["B","C","D"]'],
    ["@.tags subsetof ['x', 'y', 'z']", '["A","B"]'],
    ["@.tags anyof ['y']", '["A"]'],
    ["@.tags noneof ['y'] && @.tags", '["B"]'],
    ["@.tags contains 'x'", '["A"]'],
    ['@.tags size 2', '["A"]'],
    ['@.tags empty true', '["B"]'],
    ['@.tags empty false', '["A"]'],
    ['@.author =~ /nig.*/i', '["A"]'],
    ['@.author =~ /nig/', '[]'],
    ["(@.title == 'A' || @.title == 'B') && @.price > 10", '["B"]'],
    ["@['title'] == 'C'", '["C"]'],
    ["@.tags[0] == 'x'", '["A"]'],
  ])('[?(%s)] → %s', (filter, titles) => {
    expect(textOf(`$.store.book[?(${filter})].title`)).toBe(titles);
  });

  it.each([
    ['$.', '{"":1}', '{"":1}'],
    ['$', ' {"a" : 1.50}\n', ' {"a" : 1.50}\n'],
    ['$.a', '{"a":1,"a":2}', '2'],
    ['$[0]', '[5]', '5'],
    ['[1]', '[5,6]', '6'],
    ['$[*]', '[5,{"b":1E400}]', '[5,{"b":1E400}]'],
    ['$.n', '{"n":12345678901234567890.10}', '12345678901234567890.10'],
    ['$.a', '{"a":"\\ud83d\\ude00\\n"}', '\u{1F600}\n'],
    ['$', '"text"', '"text"'],
    ['$.list[0]name', '{"list":[{"name":"n"}]}', 'n'],
    ['$.list.[0].name', '{"list":[{"name":"n"}]}', 'n'],
    ["'$'", '{"a":1}', ''],
    ['$.a-b.c:d', '{"a-b":{"c:d":1}}', '1'],
  ])('%s of %s → %s', (path, json, text) => {
    expect(textOf(path, json)).toBe(text);
  });

  it.each([
    '$.a[',
    '$.a[]',
    '$.a[?]',
    '$.a[?(@.b == )]',
    '$.a[?(@.b ==1]',
    '$.a[?(b == 1)]',
    '$..',
    '$.a.unknown()',
    "$['a]",
    '$.a b',
    '$x',
    '$.a[1;2]',
    '$.a[?(@.b =~ b)]',
    '$.a[?(@.b =~ /[/)]',
  ])('%s is refused', (path) => {
    expect(() => compileExpression(`json-eval(${path})`, {})).toThrow(ValueError);
  });
});

describe('json-eval', () => {
  it('tests for the word true', () => {
    const truth = (json: string) => compileExpression('json-eval($.a)', {}).booleanValue(messageWithJson(json));
    expect(['{"a":true}', '{"a":"TRUE"}', '{"a":false}', '{"a":1}', '{}'].map(truth)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('gives what it selects one by one, and misses nothing silently there', () => {
    const nodes = (path: string) => compileExpression(`json-eval(${path})`, {}).nodes(messageWithJson(STORE));
    expect(nodes('$.store.book[0].tags')).toEqual([new JsonValue('"x"'), new JsonValue('"y"')]);
    expect(nodes('$.limit')).toEqual([new JsonValue('10')]);
    expect(nodes('$..missing')).toEqual([]);
    expect(() => nodes('$.missing')).toThrow(MediationError);
  });

  it('keeps the kind of a value', () => {
    const value = (path: string) => compileExpression(`json-eval(${path})`, {}).value(messageWithJson(STORE));
    expect(value('$.store.open')).toBe(true);
    expect(value('$.store.book[0].title')).toBe('A');
    expect(value('$.limit')).toEqual(new JsonValue('10'));
    expect(value('$.store.book[0].tags')).toEqual(new JsonValue('["x","y"]'));
    expect(value('$.store.book[2].sold')).toBeNull();
    expect(value('$.missing')).toBeNull();
  });

  it('reads properties', () => {
    const message = messageWithJson('{}');
    message.properties.set('doc', '{"a":{"b":[1,2]}}');
    message.properties.set('typed', new JsonValue('{"a":true}'));
    message.axis2.set('doc', '{"a":2}');
    message.headers.set('X-Doc', '[3]');
    const text = (path: string) => compileExpression(`json-eval(${path})`, {}).stringValue(message);
    expect(text('$ctx:doc.a.b[1]')).toBe('2');
    expect(text('$ctx:doc')).toBe('{"a":{"b":[1,2]}}');
    expect(text('$ctx:typed.a')).toBe('true');
    expect(text('$axis2:doc.a')).toBe('2');
    expect(text('$trp:X-Doc[0]')).toBe('3');
    expect(text('$ctx:doc.missing')).toBe('');
    expect(text('$ctx:missing.a')).toBe('');
    message.properties.set('doc', 'no json');
    expect(text('$ctx:doc.a')).toBe('');
  });

  it('fills placeholders for each message', () => {
    const expression = compileExpression("json-eval($.{$ctx:key}[{get-property('axis2','i')}])", {});
    const simple = compileExpression('json-eval($.{$ctx:key}.b)', {});
    const message = messageWithJson('{"x":{"b":1},"y":{"b":2}}');
    message.properties.set('key', 'x');
    expect(simple.stringValue(message)).toBe('1');
    message.properties.set('key', 'y');
    expect(simple.stringValue(message)).toBe('2');
    expect(expression.stringValue(message)).toBe('');
  });

  it('converts XML, and is empty when there is nothing', () => {
    const text = compileExpression('json-eval($.a.b)', {});
    expect(text.stringValue(messageWithBody('<a><b>1</b></a>'))).toBe('1');
    expect(text.stringValue(new MessageContext(configurationWith(), Payload.empty()))).toBe('');
  });

  it('is empty for a document that cannot be read (MREQ-7)', () => {
    expect(textOf('$.a', '{"a":}')).toBe('');
  });

  it('sees a payload that was replaced', () => {
    const message = messageWithJson('{"a":1}');
    const expression = compileExpression('json-eval($.a)', {});
    expect(expression.stringValue(message)).toBe('1');
    message.payload.setJson('{"a":2}');
    expect(expression.stringValue(message)).toBe('2');
  });
});

it('searches documents with very many items', () => {
  const many = messageWithJson(`{"a":[${'{"n":1},'.repeat(300_000)}{"n":2}]}`);
  expect(compileExpression('json-eval($..n.sum())', {}).stringValue(many)).toBe('300002.0');
});

it('reads documents as forgivingly as the reference (spec mediators 4.3)', () => {
  const lenient = messageWithJson("{a: 'x', // why\n 'b' = true; c: [1, word, null] /* end */}");
  const textOf = (path: string) => compileExpression(`json-eval(${path})`, {}).stringValue(lenient);
  expect(textOf('$.a')).toBe('x');
  expect(textOf('$.b')).toBe('true');
  expect(textOf('$.c')).toBe('[1,"word",null]');
});
