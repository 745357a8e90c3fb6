import { describe, expect, it } from 'vitest';
import { translateJavaRegex } from '../../src/expressions/java-regex.ts';
import { compileWholeMatch } from '../../src/expressions/regex.ts';
import { ValueError } from '../../src/grammar/attributes.ts';

describe('Java regular expressions (spec mediators 4.6)', () => {
  it.each<[pattern: string, matching: readonly string[], other: readonly string[]]>([
    ['a.*', ['a', 'abc'], ['ba', 'a\nb']],
    ['a|ab', ['a', 'ab'], ['abc', 'b']],
    ['^ab$', ['ab'], ['abc', 'xab', 'ab\nc']],
    ['(?i)AbC', ['abc', 'ABC'], ['abcd']],
    ['(?s)a.b', ['a\nb', 'axb'], ['ab']],
    ['(?is)A.B', ['a\nb'], []],
    ['(?x) a b # comment', ['ab'], ['a b']],
    ['(?m)a$\nb', ['a\nb'], ['ab']],
    ['\\Qa.b\\E+', ['a.b', 'a.bb'], ['axb']],
    ['\\Q[x', ['[x'], []],
    ['a++', ['a', 'aa'], ['']],
    ['(?>ab|a)c', ['abc', 'ac'], ['a']],
    ['\\Aab\\z', ['ab'], ['ab\n']],
    ['\\d{2,3}', ['12', '123'], ['1', '1234', '\u0661\u0662']],
    ['\\w+\\s\\w+', ['a b', 'a\tb'], ['a\u00a0b']],
    ['a\\hb', ['a\u00a0b', 'a b'], ['a\nb']],
    ['a\\Rb', ['a\r\nb', 'a\nb', 'a\u2028b'], ['a b']],
    ['\\p{Alpha}+', ['abC'], ['é', 'a1']],
    ['\\p{Upper}\\p{Lower}', ['Ab'], ['ab']],
    ['\\p{L}+', ['aé'], ['1']],
    ['\\pL', ['é'], ['1']],
    ['\\P{Digit}+', ['ab'], ['a1']],
    ['[\\p{Alpha}_-]+', ['a_-b'], ['1']],
    ['[^\\d]+', ['ab'], ['a1']],
    ['[\\D]+', ['ab'], ['1']],
    ['[\\S]+', ['ab\u00a0'], ['a b']],
    ['[a-c\\]]+', ['ab]'], ['d']],
    ['[]a]+', [']a'], ['b']],
    ['[$.|?*+(){}/]+', ['$.|?*+(){}/'], ['a']],
    ['\\{\\w+}', ['{x}'], ['x']],
    ['a}b]', ['a}b]'], []],
    ['\\x41\\u0042\\x{1F600}\\0101', ['AB\u{1F600}A'], []],
    ['\\t\\n\\-\\/\\"\\@', ['\t\n-/"@'], []],
    ['(?<name>a)\\k<name>', ['aa'], ['ab']],
    ['(a)(b)?\\1', ['aa', 'aba'], ['ab']],
    ['(?=a)\\w(?!b)(?<=a)(?<!b)', ['a'], ['b']],
    ['a.', ['a\u{1F600}'], ['a\u0085']],
    ['a*?b{2}?', ['aabb'], []],
    ['.*[1-5][0-9]{2}.*', ['code 404!'], ['code 4!']],
    ['http://.*/services/.*', ['http://h/services/x'], ['ftp://']],
    ['', [''], ['a']],
  ])('%s', (pattern, matching, other) => {
    const matches = compileWholeMatch(pattern);
    expect(matching.filter((text) => matches(text) === undefined)).toEqual([]);
    expect(other.filter((text) => matches(text) !== undefined)).toEqual([]);
  });

  it('gives groups', () => {
    expect(compileWholeMatch('(\\d+)-(x)?(y)')('12-y')).toMatchObject({ 0: '12-y', 1: '12', 2: undefined, 3: 'y' });
    expect(compileWholeMatch('a')('b')).toBeUndefined();
  });

  it('says what is read differently', () => {
    expect(translateJavaRegex('a++').warnings).toEqual(['possessive quantifiers are read as greedy ones']);
    expect(translateJavaRegex('(?>a)').warnings).toEqual(['atomic groups are read as plain ones']);
    expect(translateJavaRegex('a+').warnings).toEqual([]);
  });

  it.each([
    ['[a&&[b]]', 'column 3'],
    ['[a[b]]', 'a class inside a character class'],
    ['a(?i)b', 'flags are only understood at the start'],
    ['a(?i:b)', 'flags are only understood at the start'],
    ['(?d)a', 'the flag (?d)'],
    ['\\G', "'\\G'"],
    ['\\p{IsGreek}', '\\p{IsGreek}'],
    ['{a', "'{' that starts no quantifier"],
    ['[a', 'not closed'],
    ['a\\', "a '\\' at the end"],
    ['(a', 'is not a regular expression'],
    ['a)', 'is not a regular expression'],
    ['*a', 'is not a regular expression'],
    ['a**', 'is not a regular expression'],
    ['[b-a]', 'is not a regular expression'],
    ['\\2(a)', 'is not a regular expression'],
  ])('%s is a ValueError', (pattern, message) => {
    expect(() => compileWholeMatch(pattern)).toThrow(ValueError);
    expect(() => compileWholeMatch(pattern)).toThrow(message);
  });
});
