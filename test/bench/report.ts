import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chart } from './contest/chart.ts';
import type { ContestantFigures, LimitFigures, RowFigures } from './contest/contest.ts';
import type { RowFailure } from './contest/rows.ts';
import { BENCHES, type Bench, minutesOfAll, wholeSet } from './registry.ts';
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

/** What the report reads of a result; benches without rows and limits are left alone. */
export interface BenchResult {
  readonly bench: string;
  readonly date: string;
  readonly machine: Machine;
  /** Name -> version of what was measured on besides Node.js. */
  readonly servers?: Readonly<Record<string, string>>;
  readonly rows?: readonly RowFigures[];
  readonly failed?: readonly RowFailure[];
  readonly limits?: readonly LimitFigures[];
}

/** The tables in Markdown: ratios first, then what has a limit of its own. */
export function tables(results: readonly BenchResult[]): string {
  const rows = results.flatMap((result) => result.rows ?? []).map(rowCells);
  const failed = results.flatMap((result) => result.failed ?? []).map(failedCells);
  const limits = results.flatMap((result) => result.limits ?? []).map(limitCells);
  const parts = [`Measured on ${measuredOn(results)} with ${commandsOf(results)}. MB are MiB.`];
  const heads = ['path', 'baseline /s', 'ours /s', 'ratio', 'goal', 'CPU ratio', 'p99 ratio', 'RSS MiB', ''];
  if (rows.length + failed.length > 0) parts.push(markdown(heads, [...rows, ...failed]));
  if (limits.length > 0) parts.push(markdown(['figure', 'median (min-max)', 'goal', ''], limits));
  return parts.join('\n\n');
}

/** When, and what on: what differs from most is said of the benches that it is true of. */
function measuredOn(results: readonly BenchResult[]): string {
  const texts = new Map<string, string[]>();
  for (const result of results) {
    const text = machineText(result);
    texts.set(text, [...(texts.get(text) ?? []), result.bench]);
  }
  const [usual, ...others] = [...texts].sort(([, one], [, other]) => other.length - one.length);
  if (!usual) return 'nothing yet';
  const servers = Object.entries(Object.assign({}, ...results.map((result) => result.servers ?? {})));
  const parts = [usual[0], ...servers.map(([name, version]) => `${name} ${version}`)];
  return `${parts.join(', ')}${others.map(([text, benches]) => `; ${benches.join(', ')}: ${text}`).join('')},`;
}

/** The commands that make these figures again. */
function commandsOf(results: readonly BenchResult[]): string {
  const byName = results.filter(({ bench }) => BENCHES[bench]?.onlyByName);
  return ['`npm run bench`', ...byName.map(({ bench }) => `\`npm run bench -- ${bench}\``)].join(', ');
}

function failedCells({ path, reason }: RowFailure): string[] {
  const [line = ''] = reason.split('\n');
  return [path, '', '', '', '', '', '', '', `**failed**: ${line.replaceAll('|', '/')}`];
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
  return `${date}, ${cores} cores (${processor}), ${memoryGiB} GiB, Node.js ${node}`;
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
  return (await Promise.all(read)).filter(
    ({ rows, limits, failed }) => rows?.[0]?.baseline !== undefined || limits || failed,
  );
}

const LEGEND =
  'Ratio: messages per second by those of the baseline, medians of alternating rounds. CPU ratio: the CPU time per message of the ' +
  'baseline by ours; other work on the machine hardly changes it. In the rows that drain, p99 is of the time between two messages that come to the back end; ' +
  'of tracing, the range is where the median is with 95 %, and its lower end is judged. Baselines are in `test/bench/baselines`; where the time goes, and what was tried, is in [profiles.md](profiles.md).';

/** Of each contestant: what the ratios were made of. */
function details(rows: readonly RowFigures[]): string {
  const heads = ['path', 'contestant', 'messages/s', 'p50 ms', 'p99 ms', 'CPU s per 1,000', 'RSS MiB'];
  const range = ({ median, min, max }: ContestantFigures['perSecond'], digits: number) =>
    `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
  const cells = rows.flatMap(({ path, baseline, ours }) =>
    [baseline, ours].map(({ name, perSecond, p50Ms, p99Ms, cpuPer1000, residentMiB }, index) => [
      index === 0 ? path : '',
      name,
      range(perSecond, 0),
      range(p50Ms, 1),
      range(p99Ms, 1),
      range(cpuPer1000, 3),
      residentMiB.toFixed(0),
    ]),
  );
  return markdown(heads, cells);
}

/** Which benches there are, and how they measure. */
function howMeasured(benches: Readonly<Record<string, Bench>> = BENCHES): string {
  const all = Object.entries(benches);
  const list = (some: ReadonlyArray<[string, Bench]>) =>
    some.map(([name, { title, minutes }]) => `- \`${name}\`: ${title} (${minutes} min)`).join('\n');
  const byName = all.filter(([, { onlyByName }]) => onlyByName);
  return `\`npm run bench\` runs the whole set, about ${minutesOfAll(benches)} minutes on two quiet cores:

${list(wholeSet(benches))}

By name only, \`npm run bench -- NAME\`:

${list(byName)}

Each row starts a baseline and mini-synapse as their users do, warms both up (15,000 messages or three rounds of 2 s), and loads them in turns
for five rounds of a second each (the line of log for fifteen), the one that begins changing from round to round. Clients are a process of their own, and so is the back
end (of \`latency\` and \`soak\` both are the bench's process, and the bare STOMP and Java clients load themselves); brokers and databases are real, with their data on disk. A row that fails or stands still is told with its reason; the others are
measured. Figures are medians, with the least and the most in brackets.

## What the baselines do

The least that does the same work: no mediation, no deadlines, no counting, no log. They keep connections open, without Nagle's delay, as we
do; they confirm to the client only what the disk has: SQLite with \`journal_mode = WAL\`, \`synchronous = FULL\`, PostgreSQL with \`synchronous_commit\` on,
RabbitMQ with confirms of persistent messages on a durable queue, ActiveMQ with persistent messages and receipts (Java: \`alwaysSyncSend\`).

- They store the body, 0.6 KB, and nothing else. What mini-synapse stores is that body and 0.8 KB more: the headers, properties and addresses that a
  delivery needs later, after a restart or elsewhere. No baseline has been made slower for that: it is part of the ratio.
- In front of SQLite, PostgreSQL and RabbitMQ the bare driver has koa, which the same clients load as they load mini-synapse; in front of ActiveMQ there is none: the
  bare clients send by themselves, and HTTP is part of the ratio.
- The bare stompit client sends over one connection, as many messages at once as there are clients (mini-synapse over up to three); Java has a connection for each thread.
- The bare consumer has a connection for each message that it works on at a time, as mini-synapse has: over a single one ActiveMQ writes one acknowledgement after
  the other, and 16 at a time were 592 messages a second instead of 1,679. Both drain the same queue in turns; it is filled up between rounds.
- The proxies of koa pass a request on to the back end as it comes, the one that parses holds it whole.`;
}

/** Writes the page and the picture. @returns the tables */
export async function writeReport(folder: string = FOLDER): Promise<string> {
  const results = await readResults(folder);
  const text = tables(results);
  const [first] = results;
  const rows = results.flatMap((result) => result.rows ?? []);
  const parts = [
    '# How fast is it',
    text,
    '![Ratios](chart.svg)',
    LEGEND,
    '## How it is measured',
    howMeasured(),
    '## Each contestant',
    details(rows),
  ];
  await writeFile(join(folder, 'README.md'), `${parts.join('\n\n')}\n`);
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
