import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { POINTS } from '../../src/fault-points.ts';
import { type FaultFigures, withOutcome } from './figures.ts';
import { scenario } from './outcomes.ts';
import { afterRun, merged, type Report, withFigures, withStoreFigures } from './report.ts';

const promises = readFileSync(new URL('../../docs/promises.md', import.meta.url), 'utf8');
const report = JSON.parse(readFileSync(new URL('../../docs/fault-figures.json', import.meta.url), 'utf8')) as Report;
const { rows } = report;

describe('docs/promises.md', () => {
  it('lists every named point with what it means', () => {
    const listed = [...promises.matchAll(/^\| `([a-z.-]+)` \| (.*) \|$/gm)].map(([, name, doc]) => ({ name, doc }));
    expect(listed).toEqual(Object.values(POINTS).map(({ name, doc }) => ({ name, doc })));
  });

  it('has the figures of docs/fault-figures.json', () => {
    expect(withFigures(promises, report)).toBe(promises);
  });

  it('and the README has them by store', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(withStoreFigures(readme, report)).toBe(readme);
  });

  it('shows no broken promise', () => {
    expect(report.failed ?? []).toEqual([]);
    for (const row of rows) {
      expect(row.failed, `${row.fault}, ${row.store}`).toBeUndefined();
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
      withFigures(promises, { rows: runs.map((run, n) => ({ ...row('killed', 'A', n), run })) });
    expect(of(begun, begun)).toContain('All rows come from one run, begun at 2026-11-22 05:00 UTC.');
    expect(of(begun, later)).toContain('The rows come from several runs of parts.');
    const old = [row('killed', 'A', 1)].map(({ run: _, ...row }) => row);
    expect(withFigures(promises, { rows: old })).toContain('several runs');
  });

  it('tells a row of a failed test from the others, also when its own numbers are good', () => {
    const errors = [{ message: 'expected 5000 to be less than 3000\n  at x.ts', name: 'AssertionError', stack: '' }];
    const good = row('killed', 'A', 1);
    const red = withOutcome(good, { state: 'fail', errors });
    expect(red.failed).toBe('expected 5000 to be less than 3000');
    expect(withOutcome(good, { state: 'pass' })).toBe(good);
    const text = withFigures(promises, { rows: [red, row('killed', 'B', 1)] });
    expect(text).toContain('| **failed**: killed | A |');
    expect(text).toContain('| killed | B |');
    expect(text).toContain('**Failed: 0 scenarios, 1 of these rows.**');
    expect(withFigures(promises, { rows: [good] })).not.toMatch(/\*\*failed/i);
  });

  it.each([{ lost: 1 }, { invented: 1 }, { duplicates: 10, window: 9 }])('marks a row with %j in any case', (wrong) => {
    const text = withFigures(promises, { rows: [{ ...row('killed', 'A', 1), ...wrong }] });
    expect(text).toContain('| **failed**: killed | A |');
  });

  it('names what failed without any figures, until it has passed', () => {
    const [kills, hangs] = [scenario('ActiveMQ', 'is killed 20 times'), scenario('ActiveMQ', 'hangs')];
    const first = afterRun({ rows: [row('killed', 'A', 1)] }, [], { passed: [hangs], failed: [kills] });
    expect(first.failed).toEqual(['ActiveMQ: is killed N times']);
    for (const shown of [withFigures(promises, first), withStoreFigures(promises, first)]) {
      expect(shown).toContain('**Failed: 1 scenarios, 0 of these rows: ActiveMQ: is killed N times.**');
    }
    const second = afterRun(first, [], { passed: [hangs], failed: [] });
    expect(second.failed).toEqual(first.failed);
    expect(
      afterRun(second, [], { passed: [scenario('ActiveMQ', 'is killed 3 times')], failed: [] }),
    ).not.toHaveProperty('failed');
  });

  it('refuses a text without its markers', () => {
    expect(() => withFigures('# Promises', report)).toThrow('<!-- figures');
  });
});
