import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consoleModule } from './static.ts';

type Token = readonly [kind: string, text: string];

const { tokens } = await consoleModule<{ tokens(text: string, language: string): Token[] }>('text/highlight.js');
const { pretty, hexDump, bytesOf } = await consoleModule<{
  pretty(text: string, language: string): string;
  hexDump(bytes: Uint8Array): string;
  bytesOf(base64: string): Uint8Array;
}>('text/pretty.js');
const { diffLines, sideBySide } = await consoleModule<{
  diffLines(before: string, after: string): ReadonlyArray<{ kind: 'same' | 'came' | 'went' | 'gap'; text: string }>;
  sideBySide(
    before: string,
    after: string,
  ): ReadonlyArray<{ kind: 'same' | 'other' | 'gap'; left?: string; right?: string }>;
}>('text/diff.js');
const format = await consoleModule<{
  span(ms: number): string;
  size(bytes: number): string;
  rate(value: number): string;
  duration(ms: number): string;
  shortId(id: string): string;
  relative(time: number, now: number): string;
  counted(count: number, one: string): string;
}>('format.js');

/** Text that looks like XML or JSON often enough to reach the corners. */
const pieces = fc.constantFrom(
  '<',
  '>',
  '</',
  '/>',
  '"',
  "'",
  '=',
  'a',
  ':',
  ' ',
  '\n',
  '{',
  '}',
  '[',
  ',',
  '1',
  '-',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<?',
  '?>',
  'true',
  '\\',
);
const messy = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''));

describe('colours of texts', () => {
  it.each(['xml', 'json', 'text'])('lose no character of %s', (language) => {
    fc.assert(
      fc.property(messy, (text) => {
        const joined = tokens(text, language)
          .map(([, part]) => part)
          .join('');
        expect(joined).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('tell tags, attributes and values apart', () => {
    const found = tokens('<a b="c">d</a>', 'xml').filter(([kind]) => ['tag', 'attr', 'string', ''].includes(kind));
    expect(found).toEqual([
      ['tag', 'a'],
      ['', ' '],
      ['attr', 'b'],
      ['string', '"c"'],
      ['', 'd'],
      ['tag', 'a'],
    ]);
    expect(tokens('{"a": [1, null, "x"]}', 'json').filter(([kind]) => kind !== '' && kind !== 'punct')).toEqual([
      ['attr', '"a"'],
      ['number', '1'],
      ['word', 'null'],
      ['string', '"x"'],
    ]);
  });
});

describe('pretty texts', () => {
  it('give each element a line of its own, with its text', () => {
    expect(pretty('<a><b>1</b><c/><d><e f=">"/></d></a>', 'xml')).toBe(
      '<a>\n  <b>1</b>\n  <c/>\n  <d>\n    <e f=">"/>\n  </d>\n</a>',
    );
  });

  it('keep everything but white space, whatever is cut off', () => {
    const bare = (text: string) => text.replaceAll(/\s/g, '');
    fc.assert(
      fc.property(messy, (text) => {
        expect(bare(pretty(text, 'xml'))).toBe(bare(text));
      }),
      { numRuns: 500 },
    );
  });

  it('leave what is no JSON as it is', () => {
    expect(pretty('{"a":[1]}', 'json')).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(pretty('{"a":', 'json')).toBe('{"a":');
  });

  it('show bytes as digits and characters', () => {
    const bytes = bytesOf(Buffer.from('GIF89a\u0000\u00ff is no text', 'latin1').toString('base64'));
    expect(hexDump(bytes).split('\n')).toEqual([
      '00000000  47 49 46 38 39 61 00 ff  20 69 73 20 6e 6f 20 74  GIF89a.. is no t',
      '00000010  65 78 74                                          ext',
    ]);
  });
});

describe('the difference of two texts', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 }).map((parts) => parts.join('\n'));

  it('is what was taken away and what was added', () => {
    const found = diffLines('a\nb\nc', 'a\nx\nc').map(({ kind, text }) => `${kind} ${text}`);
    expect(found).toEqual(['same a', 'went b', 'came x', 'same c']);
  });

  it('leads from one text to the other', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const found = diffLines(before, after).filter(({ kind }) => kind !== 'gap');
        const changed = (kind: string) => found.filter((line) => line.kind === kind).map(({ text }) => text);
        const count = (text: string) => (text === '' ? 0 : text.split('\n').length);
        expect(count(after) - count(before)).toBe(changed('came').length - changed('went').length);
        const shown = found.filter(({ kind }) => kind !== 'went').map(({ text }) => text);
        if (shown.length === count(after)) expect(shown.join('\n')).toBe(after);
      }),
    );
  });

  it('leaves out what is far from any change', () => {
    const before = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    const after = before.with(50, 'changed');
    const found = diffLines(before.join('\n'), after.join('\n'));
    expect(found).toHaveLength(2 + 6 + 2);
    expect(found[0]).toEqual({ kind: 'gap', text: '47 unchanged lines' });
  });

  it('side by side has the same lines, and what went beside what came', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const rows = sideBySide(before, after).filter(({ kind }) => kind !== 'gap');
        const found = diffLines(before, after).filter(({ kind }) => kind !== 'gap');
        const side = (name: 'left' | 'right') => rows.flatMap((row) => row[name] ?? []);
        expect(side('left')).toEqual(found.filter(({ kind }) => kind !== 'came').map(({ text }) => text));
        expect(side('right')).toEqual(found.filter(({ kind }) => kind !== 'went').map(({ text }) => text));
        for (const { kind, left, right } of rows) if (kind === 'same') expect(left).toBe(right);
      }),
    );
    expect(sideBySide('a\nb\nc', 'a\nB\nC\nc')).toEqual([
      { kind: 'same', left: 'a', right: 'a' },
      { kind: 'other', left: 'b', right: 'B' },
      { kind: 'other', left: undefined, right: 'C' },
      { kind: 'same', left: 'c', right: 'c' },
    ]);
  });
});

describe('figures', () => {
  it('are short and have their units', () => {
    expect([0, 59_499, 61_000, 3_600_000, 90_000_000].map(format.span)).toEqual([
      '0 s',
      '59 s',
      '1 min 1 s',
      '1 h',
      '1 d 1 h',
    ]);
    expect([0, 1023, 1536, 5 * 1024 ** 2].map(format.size)).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 MiB']);
    expect([0, 0.04, 2.345, 1234.5].map(format.rate)).toEqual(['0', '<0.1', '2.3', '1,235']);
    expect([0.123, 12.34, 456, 2345, 61_000].map(format.duration)).toEqual([
      '0.12 ms',
      '12.3 ms',
      '456 ms',
      '2.3 s',
      '1 min 1 s',
    ]);
    expect(format.relative(10_000, 15_000)).toBe('5 s ago');
    expect(format.relative(15_000, 10_000)).toBe('in 5 s');
    expect(format.counted(1, 'message')).toBe('1 message');
    expect(format.shortId('urn:uuid:060bd43a-9834-46e4-904b-d4c223884d94')).toBe('060bd43a…884d94');
  });
});
