import { parseQuartzExpression } from '../scheduling/index.ts';

/** Runs that lists tell in advance. */
const SHOWN_RUNS = 5;

/** The next runs of a processor with a `cronExpression`, ISO 8601; undefined when it has none. */
export function nextRunsOf(parameters: ReadonlyMap<string, string>): string[] | undefined {
  const text = parameters.get('cronExpression');
  if (!text) return undefined;
  return upcoming((after) => parseQuartzExpression(text).next(after));
}

/** @param next the first run after a time; undefined: none */
export function upcoming(next: (after: number) => number | undefined): string[] {
  const runs: string[] = [];
  for (let run = next(Date.now()); run !== undefined && runs.length < SHOWN_RUNS; run = next(run))
    runs.push(new Date(run).toISOString());
  return runs;
}
