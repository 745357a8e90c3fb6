import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseQuartzExpression, QuartzSyntaxError, TimeZone } from '../../src/scheduling/index.ts';

/** What Quartz 2.3.2 answers; see quartz-fixtures/README.md. */
const FILE = new URL('./quartz-fixtures/quartz-2.3.2.jsonl', import.meta.url);
const YEAR_OF_FIXTURE = 2026;
const HOUR = 3_600_000;
const JAVA_EXCEPTION = 'Illegal cron expression format (';

type Runs = readonly (number | null)[];
type Line = ['invalid', string, string] | ['operator' | 'change' | 'random', string, string, string, Runs];

const lines = readFileSync(FILE, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Line);
const fires = lines.flatMap((line) => {
  if (line[0] === 'invalid') return [];
  const [kind, expression, zone, from, runs] = line;
  return [{ kind, expression, zone, from, runs }];
});
const refused = lines.flatMap((line) => (line[0] === 'invalid' ? [{ expression: line[1], text: line[2] }] : []));

function parse(expression: string, timeZone: string, dst: 'default' | 'quartz') {
  return parseQuartzExpression(expression, { timeZone, dst, currentYear: YEAR_OF_FIXTURE });
}

describe('agreement with Quartz 2.3.2 (OP-85)', () => {
  it('is shown by more than 500 different expressions in 20 zones', () => {
    expect(new Set(lines.map((line) => line[1])).size).toBeGreaterThan(500);
    expect(new Set(fires.map((line) => line.zone)).size).toBeGreaterThanOrEqual(20);
  });

  it.each(['operator', 'random', 'change'])("finds every run of the %s cases with dst 'quartz'", (kind) => {
    const wrong: unknown[] = [];
    const cases = fires.filter((line) => line.kind === kind);
    for (const { expression, zone, from, runs } of cases) {
      const quartz = parse(expression, zone, 'quartz');
      const found: (number | null)[] = [];
      let at: number | undefined = Date.parse(from);
      while (found.length < runs.length && at !== undefined) {
        at = quartz.next(at);
        found.push(at === undefined ? null : at / 1_000);
      }
      if (JSON.stringify(found) !== JSON.stringify(runs)) wrong.push({ expression, zone, from, runs, found });
    }
    expect(cases.length).toBeGreaterThanOrEqual(300);
    expect(wrong).toEqual([]);
  });

  it('differs by default only where clocks are changed', () => {
    let same = 0;
    const wrong: unknown[] = [];
    for (const { expression, zone, from, runs } of fires) {
      const ours = parse(expression, zone, 'default');
      const clock = TimeZone.of(zone);
      let before = Date.parse(from);
      for (const run of runs) {
        const theirs = run === null ? Number.POSITIVE_INFINITY : run * 1_000;
        const found = ours.next(before) ?? Number.POSITIVE_INFINITY;
        if (found === theirs) {
          same++;
        } else {
          const earlier = Math.min(found, theirs);
          const changed = clock.offsetAt(earlier - 3 * HOUR) !== clock.offsetAt(earlier + 3 * HOUR);
          if (!changed) wrong.push({ expression, zone, before, theirs, found });
        }
        before = theirs;
      }
    }
    expect(wrong).toEqual([]);
    expect(same).toBeGreaterThan(4_000);
  });

  it('refuses the same expressions with the same texts', () => {
    const wrong: unknown[] = [];
    for (const { expression, text } of refused) {
      const message = refusal(expression);
      // what comes out of a Java exception has our words in the brackets
      const same = text.startsWith(JAVA_EXCEPTION) ? message?.startsWith(JAVA_EXCEPTION) : message === text;
      if (!same) wrong.push({ expression, text, message });
    }
    expect(refused.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });
});

function refusal(expression: string): string | undefined {
  try {
    parseQuartzExpression(expression);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(QuartzSyntaxError);
    return (error as QuartzSyntaxError).message;
  }
}
