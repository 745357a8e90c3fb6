import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineEdits, linesOf, unifiedDiff } from '../../src/deployment/unified-diff.ts';

const line = fc.constantFrom('<a>', '</a>', '<b/>', '', '  <log/>');
const text = fc
  .tuple(fc.array(line, { maxLength: 40 }), fc.boolean())
  .map(([lines, ends]) => lines.join('\n') + (ends ? '\n' : ''));

/** The shortest one by dynamic programming. */
function fewest(before: readonly string[], after: readonly string[]): number {
  let row = Array.from({ length: after.length + 1 }, (_, index) => index);
  for (const [i, own] of before.entries()) {
    const next = [i + 1];
    for (const [j, other] of after.entries())
      next.push(own === other ? (row[j] ?? 0) : 1 + Math.min(row[j + 1] ?? 0, next[j] ?? 0));
    row = next;
  }
  return row.at(-1) ?? 0;
}

describe('the difference of two texts', () => {
  it('has the lines of both, and as few edits as there can be', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const [left, right] = [linesOf(before), linesOf(after)];
        const edits = lineEdits(left, right);
        const side = (other: string) => edits.filter(({ kind }) => kind !== other).map((edit) => edit.text);
        expect(side('added')).toEqual(left);
        expect(side('removed')).toEqual(right);
        expect(edits.filter(({ kind }) => kind !== 'same')).toHaveLength(fewest(left, right));
      }),
    );
  });

  it('is nothing for the same text', () => {
    expect(unifiedDiff('<a>\n<b/>\n</a>', '<a>\n<b/>\n</a>')).toEqual({ text: '', added: 0, removed: 0 });
    expect(unifiedDiff('', '')).toEqual({ text: '', added: 0, removed: 0 });
  });

  it('is written as diff -u does', () => {
    const before = ['<sequence>', '  <log/>', '  <drop/>', '</sequence>', ''].join('\n');
    const after = ['<sequence>', '  <log level="full"/>', '  <drop/>', '</sequence>'].join('\n');
    expect(unifiedDiff(before, after)).toEqual({
      text: [
        '@@ -1,4 +1,4 @@',
        ' <sequence>',
        '-  <log/>',
        '+  <log level="full"/>',
        '   <drop/>',
        '-</sequence>',
        '+</sequence>',
        '\\ No newline at end of file',
        '',
      ].join('\n'),
      added: 2,
      removed: 2,
    });
  });

  it.skipIf(spawnSync('patch', ['--version']).error !== undefined)('leads patch(1) from one to the other', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unified-diff-'));
    const file = join(folder, 'file');
    try {
      fc.assert(
        fc.property(text, text, (before, after) => {
          const { text: diff } = unifiedDiff(before, after);
          writeFileSync(file, before);
          if (diff !== '') execFileSync('patch', ['--silent', file], { input: `--- a\n+++ b\n${diff}` });
          expect(readFileSync(file, 'utf8')).toBe(after);
        }),
        { numRuns: 40 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('does not take long for texts that have nothing in common', () => {
    const before = Array.from({ length: 60_000 }, (_, index) => `before ${index}\n`).join('');
    const after = Array.from({ length: 60_000 }, (_, index) => `after ${index}\n`).join('');
    const { added, removed } = unifiedDiff(before, after);
    expect({ added, removed }).toEqual({ added: 60_000, removed: 60_000 });
  });
});
