import type { ContestantFigures, LimitFigures, RowFigures, Spread } from './contest.ts';

/** The measured rows for people, one block each: both contestants, then the ratios, the goal and the verdict. */
export function rowText(row: RowFigures): string {
  const { ratio, cpuRatio, p99Ratio, goal, p99Goal, met } = row;
  const p99 = p99Goal === undefined ? '' : ` and p99 <= ${p99Goal} times`;
  return [
    row.path,
    contestantLine(row.baseline),
    contestantLine(row.ours),
    `  messages/s ${ratio.toFixed(2)} of the baseline, CPU ${cpuRatio.toFixed(2)}, p99 ${p99Ratio.toFixed(2)} times; ` +
      `goal >= ${goal.toFixed(2)}${p99}: ${met ? 'met' : 'NOT MET'}`,
    '',
  ].join('\n');
}

function contestantLine({ name, perSecond, p50Ms, p99Ms, cpuPer1000, residentMiB }: ContestantFigures): string {
  return (
    `  ${name.padEnd(38)} ${spreadText(perSecond, 0)} /s · p50 ${p50Ms.median.toFixed(1)} p99 ${p99Ms.median.toFixed(1)} ms · ` +
    `CPU ${cpuPer1000.median.toFixed(3)} s/1,000 · RSS ${residentMiB.toFixed(0)} MiB`
  );
}

function spreadText({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits).padStart(6)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

/** A figure with a limit, in one line. */
export function limitText({ path, value, unit, goal, met }: LimitFigures): string {
  const range = value.min === value.max ? '' : ` (${value.min.toFixed(2)}-${value.max.toFixed(2)})`;
  return `${path}: ${value.median.toFixed(2)}${range} ${unit}; goal <= ${goal}: ${met ? 'met' : 'NOT MET'}`;
}
