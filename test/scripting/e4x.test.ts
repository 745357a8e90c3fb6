import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { translateE4x } from '../../src/scripting/e4x.ts';

const translated = (source: string) => translateE4x(source).code;

describe('what is rewritten', () => {
  test.each([
    ['x..name', 'x.descendants("name")'],
    ['x..*::a.toString()', 'x.descendants("*::a").toString()'],
    ['x.*', 'x["*"]'],
    ['x.*::a', 'x["*::a"]'],
    ['x.ns::a', 'x[__e4x.name(ns, "a", "")]'],
    ['x.@a', 'x["@a"]'],
    ['x..@a', 'x.descendants("@a")'],
    ['x.@ns::a', 'x[__e4x.name(ns, "a", "@")]'],
    ['x.@*', 'x["@*"]'],
    ['f(<a/>)', 'f(__e4x.xml(["<a/>"], "", []))'],
    ['x = <a b={c}>{d}</a>', 'x = __e4x.xml(["<a b=",">","</a>"], "ac", [(c), (d)])'],
    ['return <{t}/>', 'return __e4x.xml(["<","/>"], "n", [(t)])'],
    ['x = <><a/><b/></>', 'x = __e4x.xml(["<><a/><b/></>"], "", [])'],
    ['x = <a>{<b>{c}</b>}</a>', 'x = __e4x.xml(["<a>","</a>"], "c", [(__e4x.xml(["<b>","</b>"], "c", [(c)]))])'],
    ['for each (var i in x.a) {}', 'for  (var i of __e4x.each( x.a)) {}'],
  ])('%s', (source, code) => {
    expect(translateE4x(source)).toMatchObject({ code, usesE4x: true, problems: [] });
  });
});

describe('what stays', () => {
  test.each([
    'if (a < b && c > d) e = f / g / h;',
    'x = a\n< b',
    'i++ < n',
    'y = /<a>[/]{2}/.test("<b>") // <c>',
    `s = '<a>' + "<b>" + \`<c>\${ d < e }\``,
    '/* <a> */ z = [...x, 1..toFixed(2), .5, 1.5e3]',
    'for (var k in o) { each(k); }',
    'a = b ? c : { d: 1 }.d',
    '<!-- an old comment\nx = 1',
  ])('%s', (source) => {
    expect(translateE4x(source)).toMatchObject({ code: source, usesE4x: false, problems: [] });
  });
});

test('lines stay where they are', () => {
  const source = 'var a =\n<a>\n  {1 +\n 2}\n</a>\n;\nthrow 1';
  expect(translated(source).split('\n')).toHaveLength(source.split('\n').length);
  expect(translated(source).split('\n').at(-1)).toBe('throw 1');
});

test.each([
  ['x = <a>', 8, 'not closed'],
  ['x = <a b=<', 4, 'not well-formed'],
  ['x = "abc', 4, 'not closed'],
  ['a.(b)', 1, 'not supported'],
  ['default xml namespace = "u"', 0, 'not supported'],
  ['x = `${', 7, "'}' is missing"],
])('%s is a problem', (source, offset, message) => {
  const [problem] = translateE4x(source).problems;
  expect(problem?.message).toContain(message);
  if (message !== 'not closed' || source.includes('"')) expect(problem?.offset).toBe(offset);
});

test('nesting is bounded', () => {
  expect(translateE4x('<a>{'.repeat(5_000)).problems[0]?.message).toContain('nested too deeply');
});

test('names of Java are found', () => {
  const { javaNames } = translateE4x(
    'java . lang.Thread.sleep(1); Java.type("java.util.UUID"); x.java.lang; importPackage(y)',
  );
  expect(javaNames.map(({ name }) => name)).toEqual(['java.lang.Thread.sleep', 'java.util.UUID', 'importPackage']);
});

test('any text comes to an end, in time that grows with it', () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '/',
    '{',
    '}',
    '"',
    "'",
    '`',
    '${',
    '..',
    '.',
    '*',
    '::',
    '@',
    'a',
    ' ',
    '\n',
    '(',
    ')',
    'for each ',
    'in ',
    '=',
    '1',
    '\\',
    '<!--',
    '<![CDATA[',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (list) => {
      const { code, problems } = translateE4x(list.join(''));
      expect(typeof code).toBe('string');
      expect(problems.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 2_000 },
  );
  const long = `x = ${'<a b="c">{d}</a> + '.repeat(20_000)}1`;
  const start = performance.now();
  expect(translateE4x(long).problems).toEqual([]);
  expect(performance.now() - start).toBeLessThan(10_000);
});
