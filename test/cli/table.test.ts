import { describe, expect, it } from 'vitest';
import { depthText } from '../../src/cli/columns.ts';
import { commentedConfiguration } from '../../src/cli/commented-configuration.ts';
import { concerns, logText } from '../../src/cli/logs.ts';
import { parseEvent } from '../../src/cli/remote/events.ts';
import { detail, labelOf } from '../../src/cli/show/detail.ts';
import { graphText } from '../../src/cli/show/graph-text.ts';
import { progressBar } from '../../src/cli/show/progress.ts';
import { bytes, duration, rate, timeOf } from '../../src/cli/show/quantities.ts';
import { type Column, table } from '../../src/cli/show/table.ts';
import { colourOfState, printable } from '../../src/cli/show/terminal.ts';
import { cut, padded, widthOf } from '../../src/cli/show/width.ts';
import { hexLines } from '../../src/cli/store-browse.ts';
import { frame } from '../../src/cli/top.ts';

interface Row {
  readonly name: string;
  readonly size: number;
  readonly note: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'SIZE', align: 'right', cell: ({ size }) => String(size) },
  { title: 'NOTE', cell: ({ note }) => (note === 'bad' ? { text: note, colour: 'red' } : note) },
];
const PIPE = { columns: undefined, rows: undefined, colour: false };

describe('tables', () => {
  it('are aligned, without blanks at line ends', () => {
    const rows = [
      { name: 'Orders', size: 7, note: 'fine' },
      { name: 'A', size: 1200, note: '' },
    ];
    expect(table(rows, COLUMNS, PIPE)).toBe('NAME    SIZE  NOTE\nOrders     7  fine\nA       1200\n');
  });

  it('leave out columns in which no row has anything', () => {
    expect(table([{ name: 'A', size: 1, note: '' }], COLUMNS, PIPE)).toBe('NAME  SIZE\nA        1\n');
  });

  it('are cut to the width of a terminal, the widest column first, and to nothing else', () => {
    const rows = [{ name: 'Orders', size: 7, note: 'x'.repeat(300) }];
    const shown = table(rows, COLUMNS, { columns: 40, rows: 24, colour: false }).split('\n');
    expect(shown.map((line) => line.length)).toEqual([18, 40, 0]);
    expect(shown[1]).toMatch(/^Orders {5}7 {2}x+…$/);
    expect(table(rows, COLUMNS, PIPE)).toContain('x'.repeat(300));
  });

  it('never run over the width, however many columns there are', () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ title: `C${index}`, cell: () => 'abcdefghij' }));
    for (const line of table([{}], many, { columns: 60, rows: 24, colour: false }).split('\n'))
      expect(widthOf(line)).toBeLessThanOrEqual(60);
  });

  it('have colours only where they are wanted, and are as wide with them', () => {
    const rows = [{ name: 'A', size: 1, note: 'bad' }];
    expect(table(rows, COLUMNS, PIPE)).not.toContain('\x1b');
    expect(table(rows, COLUMNS, { columns: 80, rows: 24, colour: true })).toContain('\x1b[31mbad\x1b[39m');
  });

  it('show nothing that could steer a terminal', () => {
    const rows = [{ name: '\x1b]0;evil\x07', size: 1, note: 'a\nb\u202e' }];
    expect(table(rows, COLUMNS, PIPE)).toBe('NAME             SIZE  NOTE\n\\x1b]0;evil\\x07     1  a b\\x202e\n');
  });
});

describe('texts', () => {
  it('count wide characters as two columns and marks as none', () => {
    expect([widthOf('abc'), widthOf('日本'), widthOf('e\u0301'), widthOf('🙂')]).toEqual([3, 4, 1, 2]);
    expect([cut('日本語', 5), cut('abc', 3), cut('abcd', 3), cut('abc', 0)]).toEqual(['日本…', 'abc', 'ab…', '']);
    expect([padded('日', 4), padded('7', 3, 'right')]).toEqual(['日  ', '  7']);
  });

  it('keep line breaks where whole texts are shown, and no carriage returns', () => {
    expect(printable('a\r\nb\tc\x00', 'lines')).toBe('a\nb\tc\\x00');
    expect(printable('a\r\nb')).toBe('a  b');
  });

  it('say quantities as people do', () => {
    expect([840, 3250, 303_000, 7_440_000, 273_600_000].map(duration)).toEqual([
      '840 ms',
      '3.2 s',
      '5 m 03 s',
      '2 h 04 m',
      '3 d 4 h',
    ]);
    expect([812, 1234, 16_777_216].map(bytes)).toEqual(['812 B', '1.2 KiB', '16.0 MiB']);
    expect([0, 0.44, 12.4, 826].map(rate)).toEqual(['0', '0.4', '12', '826']);
    const now = Date.parse('2026-01-31T12:00:00Z');
    expect(timeOf('2h', now)).toBe('2026-01-31T10:00:00.000Z');
    expect(timeOf('2026-01-31T12:00:00Z', now)).toBe('2026-01-31T12:00:00.000Z');
    expect(timeOf('yesterday', now)).toBeUndefined();
    expect([
      depthText({ depth: 7, estimated: false }),
      depthText({ depth: 120, estimated: true }),
      depthText({ depth: null }),
    ]).toEqual(['7', '~120', '?']);
    expect([colourOfState('READY'), colourOfState('DOWN'), colourOfState('PAUSED'), colourOfState('?')]).toEqual([
      'green',
      'red',
      'yellow',
      undefined,
    ]);
  });

  it('show one thing as the reference does', () => {
    const shown = detail(
      { name: 'S', store: 'Q', file: 'a.xml', properties: { a: '1' }, parameters: {}, configuration: '<a>\n</a>' },
      PIPE,
    );
    expect(shown).toBe(
      'Name - S\nMessage Store - Q\nFile Name - a.xml\nProperties :\n a = 1\nNo Parameters found\n\nConfiguration :\n<a>\n</a>\n',
    );
    expect([labelOf('isRunning'), labelOf('constructor')]).toEqual(['Is Running', 'Constructor']);
  });

  it('show bytes in hexadecimal', () => {
    expect(hexLines(Buffer.from('Hello,\x00 world! 123'))).toBe(
      '00000000  48 65 6c 6c 6f 2c 00 20 77 6f 72 6c 64 21 20 31  Hello,. world! 1\n00000010  32 33                                            23',
    );
  });

  it('show how far work is', () => {
    expect(progressBar(600, 1000, 3, 6000)).toBe(
      '[██████████████████░░░░░░░░░░░░] 60 %  600/1000, 3 failed  4 s left ',
    );
    expect(progressBar(0, 0, 0, 0)).toContain('100 %');
  });

  it('fill no more than the screen', () => {
    const shown = frame('a\nb\nc\nd\ne', { columns: 80, rows: 4, colour: false });
    expect(shown).toBe('\x1b[Ha\x1b[K\nb\x1b[K\nc\x1b[K\x1b[J');
  });
});

describe('lines of the log', () => {
  const line = {
    time: '2026-01-31T12:00:00.123Z',
    level: 'warn',
    logger: 'P',
    message: 'no\x1b answer',
    processor: 'F',
    attempt: 2,
    cause: 'ECONNREFUSED',
  };

  it('tell what the message does not say already', () => {
    expect(logText(line, PIPE)).toMatch(
      /,123 {2}WARN \{P\} no\\x1b answer {2}processor=F attempt=2\n {4}cause: ECONNREFUSED$/,
    );
    expect(logText({ ...line, message: 'F: ECONNREFUSED' }, PIPE)).not.toMatch(/processor=|cause:/);
  });

  it('are those of an artifact or a message', () => {
    expect(concerns(line, { artifact: 'F' })).toBe(true);
    expect(concerns(line, { artifact: 'G' })).toBe(false);
    expect(concerns({ ...line, messageId: 'm' }, { messageId: 'm' })).toBe(true);
    expect(concerns(line, { messageId: 'm' })).toBe(false);
  });
});

it('server-sent events are read, comments are not', () => {
  expect(parseEvent('id: 7\nevent: store\ndata: {"a":\ndata: 1}')).toEqual({ id: '7', name: 'store', data: { a: 1 } });
  expect(parseEvent(': hello')).toBeUndefined();
});

it('a graph is an outline in which nothing is told twice, circles included', () => {
  const node = (kind: string, name: string) => ({ id: `${kind}:${name}`, kind, name, label: name });
  const edge = (from: string, to: string, count = 0) => ({ from, to, count, errors: 0 });
  const nodes = [node('proxy', 'P'), node('store', 'S'), node('processor', 'F'), node('sequence', 'X')];
  const edges = [
    edge('proxy:P', 'store:S', 3),
    edge('store:S', 'processor:F'),
    edge('processor:F', 'store:S'),
    edge('sequence:X', 'sequence:X'),
  ];
  expect(graphText({ nodes, edges }, PIPE)).toBe(
    'proxy P\n  → store S  (3)\n    → processor F\n      → store S …\nsequence X\n  → sequence X …\n',
  );
});

describe('the commented configuration', () => {
  it('says nothing as it is, and only what there is when the comments are taken away', async () => {
    const { parse } = await import('smol-toml');
    const text = commentedConfiguration();
    const flat = JSON.stringify(parse(text));
    expect(flat.replaceAll(/[{}":,]|[\w.-]+/g, '')).toBe('');
    expect(flat).not.toMatch(/:(?!\{)/);
    const all = text.replaceAll(/^# (?=(?:[\w-]+|"[^"]+") = )/gm, '').replaceAll(/^# (?=\[\[)/gm, '');
    const parsed = parse(all) as Record<string, Record<string, unknown>>;
    expect(parsed.management_api?.port).toBe(9164);
    expect(parsed.mediation?.['synapse.global_timeout_interval']).toBe(120_000);
  });
});
