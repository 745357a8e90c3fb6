import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { STORE_FACTS } from './store-facts.ts';
import { BENCH_KINDS } from './store-kinds.ts';
import { CONCURRENCIES } from './store-load.ts';
import { tables, YARDSTICK } from './which-store.ts';

const figures = (perSecond: number) => ({
  puts: CONCURRENCIES.map((concurrency) => ({ concurrency, perSecond, p50Ms: 1.25, p99Ms: 9 })),
  drainPerSecond: 2 * perSecond,
});

describe('"Which store should I use" (OP-128)', () => {
  test('knows every kind that is measured', () => {
    expect(BENCH_KINDS.map(({ name }) => name).sort()).toEqual(Object.keys(STORE_FACTS).sort());
  });

  test('compares with the yardstick of the same run', () => {
    const text = tables(
      new Map([
        [YARDSTICK, figures(1000)],
        ['JDBC, PostgreSQL', figures(250)],
      ]),
    );
    expect(text).toContain(
      '| JDBC, PostgreSQL | 250 (0.25) | 250 (0.25) | 250 (0.25) | 1.3 / 9.0 | 1.3 / 9.0 | 500 (0.25) |',
    );
    expect(text).toContain('| JDBC, PostgreSQL | committed before the client has its answer |');
  });

  test('shows a row for every kind', async () => {
    const page = await readFile(new URL('../../docs/which-store.md', import.meta.url), 'utf8');
    for (const { name } of BENCH_KINDS) expect(page.split(`\n| ${name} |`)).toHaveLength(3);
  });
});
