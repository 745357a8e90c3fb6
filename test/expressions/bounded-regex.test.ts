import { describe, expect, it } from 'vitest';
import { RegexTooSlowError } from '../../src/expressions/bounded-regex.ts';
import { compileReplaceAll, compileSplit, compileWholeMatch } from '../../src/expressions/regex.ts';
import { regexCost } from '../../src/expressions/regex-cost.ts';
import { ValueError } from '../../src/grammar/attributes.ts';

describe('the cost of regular expressions (spec mediators 4.6)', () => {
  it.each([
    ['abc', 0, false],
    ['[a-z(*]+', 1, false],
    ['a*b+', 2, false],
    ['(?:abc)+', 1, false],
    ['(?<year>\\d{4})-\\d{2}', 0, false],
    ['\\(a\\)*', 1, false],
    ['(a+)+', 2, true],
    ['(?:a|aa)*', 1, true],
    ['((?:a?)b?)*', 1, true],
    ['(?:.*x){20}', 2, true],
    ['(.*a){12}', 1, true],
    ['(.*)\\1', 2, false],
    ['\\u{1F600}+', 1, false],
  ])('%s: degree %i, exponential %s', (source, degree, exponential) => {
    expect(regexCost(source)).toEqual({ degree, exponential });
  });

  it.each(['^(a+)+$', '(a|aa)+', '(.*a){12}', '(a+a+)+y', '((a*)*)*b'])('%s on a long text is stopped', (pattern) => {
    const match = compileWholeMatch(pattern);
    expect(() => match(`${'a'.repeat(60)}${'x'.repeat(60)}!`)).toThrow(RegexTooSlowError);
  });

  it('dangerous patterns still match what they match quickly', () => {
    expect(compileWholeMatch('(a+)+')('a'.repeat(10_000))?.[0]).toHaveLength(10_000);
    expect(compileWholeMatch('(\\w+\\s?)*')('some words '.repeat(100))).toBeDefined();
    expect(compileWholeMatch('.*order.*')(`${'x'.repeat(1_000_000)}order`)).toBeDefined();
  });
});

describe('replacing as Java does (spec mediators 3.20)', () => {
  it.each([
    ['(\\d+)-(\\d+)', '$2-$1', '1-2 3-4', '2-1 4-3'],
    ['x', '\\$1', 'axb', 'a$1b'],
    ['(?<n>x)', '[$'.concat('{n}]'), 'axb', 'a[x]b'],
    ['(a)', '$10', 'a', 'a0'],
    ['', '-', 'ab', '-a-b-'],
  ])('%s → %s', (pattern, replacement, text, result) => {
    expect(compileReplaceAll(pattern, replacement)(text)).toBe(result);
  });

  it.each([
    ['a', '$1'],
    ['a', '$'],
    ['a', '\\'],
  ])('%s → %s is refused', (pattern, replacement) => {
    expect(() => compileReplaceAll(pattern, replacement)).toThrow(ValueError);
  });
});

it.each([
  [',', 'a,b,,', ['a', 'b']],
  [',', ',a', ['', 'a']],
  [',', 'abc', ['abc']],
  ['', 'abc', ['a', 'b', 'c']],
  ['\\s*,\\s*', 'a , b', ['a', 'b']],
  [',', '', ['']],
])('splits at %s as Java does', (pattern, text, parts) => {
  expect(compileSplit(pattern)(text)).toEqual(parts);
});
