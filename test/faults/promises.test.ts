import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { POINTS } from '../../src/fault-points.ts';
import type { FaultFigures } from './figures.ts';
import { merged, withFigures, withStoreFigures } from './report.ts';

const promises = readFileSync(new URL('../../docs/promises.md', import.meta.url), 'utf8');
const { rows } = JSON.parse(readFileSync(new URL('../../docs/fault-figures.json', import.meta.url), 'utf8')) as {
  rows: readonly FaultFigures[];
};

describe('docs/promises.md', () => {
  it('lists every named point with what it means', () => {
    const listed = [...promises.matchAll(/^\| `([a-z.-]+)` \| (.*) \|$/gm)].map(([, name, doc]) => ({ name, doc }));
    expect(listed).toEqual(Object.values(POINTS).map(({ name, doc }) => ({ name, doc })));
  });

  it('has the figures of docs/fault-figures.json', () => {
    expect(withFigures(promises, rows)).toBe(promises);
  });

  it('and the README has them by store', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(withStoreFigures(readme, rows)).toBe(readme);
  });

  it('shows no broken promise', () => {
    for (const row of rows) {
      expect(row, `${row.fault}, ${row.store}`).toMatchObject({ lost: 0, invented: 0 });
      expect(row.duplicates, `${row.fault}, ${row.store}`).toBeLessThanOrEqual(row.window);
    }
  });
});

describe('a report', () => {
  const row = (fault: string, store: string, times: number) => ({ ...(rows[0] as FaultFigures), fault, store, times });

  it('takes new rows for those of the same scenario, and leaves the others', () => {
    const before = [row('killed', 'A', 1), row('killed', 'B', 1)];
    const after = merged(before, [row('killed', 'B', 2), row('hangs', 'B', 3)]);
    expect(after.map(({ fault, store, times }) => [fault, store, times])).toEqual([
      ['hangs', 'B', 3],
      ['killed', 'A', 1],
      ['killed', 'B', 2],
    ]);
  });

  it('says whether all rows come from one run', () => {
    const [begun, later] = ['2026-11-22T05:00:12Z', '2026-11-22T06:00:00Z'];
    const of = (...runs: string[]) =>
      withFigures(
        promises,
        runs.map((run, n) => ({ ...row('killed', 'A', n), run })),
      );
    expect(of(begun, begun)).toContain('All rows come from one run, begun at 2026-11-22 05:00 UTC.');
    expect(of(begun, later)).toContain('The rows come from several runs of parts.');
    expect(
      withFigures(
        promises,
        [row('killed', 'A', 1)].map(({ run: _, ...old }) => old),
      ),
    ).toContain('several runs');
  });

  it('refuses a text without its markers', () => {
    expect(() => withFigures('# Promises', rows)).toThrow('<!-- figures');
  });
});
