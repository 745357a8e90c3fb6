import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chart } from './contest/chart.ts';
import type { RowFigures, Spread } from './contest/contest.ts';
import { BENCHES } from './registry.ts';
import type { Machine } from './result.ts';

/*
 * Makes docs/bench/README.md and docs/bench/chart.svg of the JSON files beside them, and, with `--readme FILE`, puts the tables between the
 * lines BEGIN and END of that file. Measures nothing.
 *
 *   node test/bench/report.ts [--readme README.md]
 */

export const BEGIN = '<!-- begin: npm run bench -->';
export const END = '<!-- end: npm run bench -->';
const MARKED = new RegExp(`${BEGIN}[\\s\\S]*${END}`);
const FOLDER = fileURLToPath(new URL('../../docs/bench', import.meta.url));

/** A figure with a limit, such as a time or a size. */
interface LimitFigures {
  readonly path: string;
  readonly value: Spread;
  readonly unit: string;
  readonly goal: number;
  readonly met: boolean;
}

/** What the report reads of a result; benches without rows and limits are left alone. */
export interface BenchResult {
  readonly date: string;
  readonly machine: Machine;
  readonly rows?: readonly RowFigures[];
  readonly limits?: readonly LimitFigures[];
}

/** The tables in Markdown: ratios first, then what has a limit of its own. */
export function tables(results: readonly BenchResult[]): string {
  const rows = results.flatMap((result) => result.rows ?? []).map(rowCells);
  const limits = results.flatMap((result) => result.limits ?? []).map(limitCells);
  const [first] = results;
  const parts = [`Measured on ${first ? machineText(first) : 'nothing yet'} with \`npm run bench\`.`];
  const heads = ['path', 'baseline /s', 'ours /s', 'ratio', 'goal', 'CPU ratio', 'p99 ratio', 'RSS MiB', ''];
  if (rows.length > 0) parts.push(markdown(heads, rows));
  if (limits.length > 0) parts.push(markdown(['figure', 'median (min-max)', 'goal', ''], limits));
  return parts.join('\n\n');
}

function rowCells({ path, baseline, ours, ratio, goal, cpuRatio, p99Ratio, p99Goal, met }: RowFigures): string[] {
  const p99 = p99Goal === undefined ? p99Ratio.toFixed(2) : `${p99Ratio.toFixed(2)} (<= ${p99Goal})`;
  const speeds = [baseline, ours].map(({ perSecond }) => `${Math.round(perSecond.median)}`);
  const goals = [ratio.toFixed(2), `>= ${goal.toFixed(2)}`, cpuRatio.toFixed(2), p99];
  return [`${path}; baseline: ${baseline.name}`, ...speeds, ...goals, ours.residentMiB.toFixed(0), verdict(met)];
}

function limitCells({ path, value, unit, goal, met }: LimitFigures): string[] {
  const range = value.min === value.max ? '' : ` (${value.min.toFixed(2)}-${value.max.toFixed(2)})`;
  return [path, `${value.median.toFixed(2)}${range} ${unit}`, `<= ${goal}`, verdict(met)];
}

function verdict(met: boolean): string {
  return met ? 'met' : '**not met**';
}

function machineText({ date, machine: { cores, processor, memoryGiB, node } }: BenchResult): string {
  return `${date}, ${cores} cores (${processor}), ${memoryGiB} GiB, Node.js ${node},`;
}

function markdown(heads: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** All results with rows or limits, in the order of a run of all. */
export async function readResults(folder: string = FOLDER): Promise<BenchResult[]> {
  const order = Object.keys(BENCHES);
  const place = (name: string) => {
    const at = order.indexOf(basename(name, '.json'));
    return at < 0 ? order.length : at;
  };
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  names.sort((left, right) => place(left) - place(right) || (left < right ? -1 : 1));
  const read = names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as BenchResult);
  return (await Promise.all(read)).filter(({ rows, limits }) => rows?.[0]?.baseline !== undefined || limits);
}

/** Writes the page and the picture. @returns the tables */
export async function writeReport(folder: string = FOLDER): Promise<string> {
  const results = await readResults(folder);
  const text = tables(results);
  const [first] = results;
  const rows = results.flatMap((result) => result.rows ?? []);
  const legend =
    'Ratio: messages per second by those of the baseline, medians of alternating rounds. CPU ratio: the CPU time per message of the ' +
    'baseline by ours; other work on the machine hardly changes it. Baselines are in `test/bench/baselines`; where the time goes, and what was tried, is in [profiles.md](profiles.md).';
  const page = `# How fast is it\n\n${text}\n\n![Ratios](chart.svg)\n\n${legend}\n`;
  await writeFile(join(folder, 'README.md'), page);
  await writeFile(join(folder, 'chart.svg'), chart(rows, first ? machineText(first) : ''));
  return text;
}

/** Puts the tables between their marks. @throws Error when a mark is missing */
export async function writeBetweenMarks(file: string, text: string): Promise<void> {
  const before = await readFile(file, 'utf8');
  if (!MARKED.test(before)) throw new Error(`${file} lacks the lines ${BEGIN} and ${END}`);
  await writeFile(
    file,
    before.replace(MARKED, () => `${BEGIN}\n\n${text}\n\n${END}`),
  );
}

if (import.meta.main) {
  const text = await writeReport();
  const at = process.argv.indexOf('--readme');
  const file = at < 0 ? undefined : process.argv[at + 1];
  if (file !== undefined) await writeBetweenMarks(file, text);
}
