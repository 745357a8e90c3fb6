import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FaultFigures, FIGURES_FOLDER, RUN_BEGAN, readFigures } from './figures.ts';
import { type Outcomes, readOutcomes, stillFailed } from './outcomes.ts';
import { SEED } from './random.ts';

/*
 * A `globalSetup` of vitest: collects what the scenarios of one run have measured, prints it as a table, and, when FAULT_FIGURES=keep
 * (as `npm run test:faults` says), writes it into docs/: rows of earlier runs stay where this one has none. What failed is said beside
 * the rows and in them, until a run passes it: then test/faults/promises.test.ts, which wants none, passes as well.
 */

const FIGURES = fileURLToPath(new URL('../../docs/fault-figures.json', import.meta.url));
const PROMISES = fileURLToPath(new URL('../../docs/promises.md', import.meta.url));
const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const BEGIN = '<!-- figures: written by npm run test:faults -->';
const END = '<!-- end of figures -->';

export default function collectFigures(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-fault-figures-'));
  process.env[FIGURES_FOLDER] = folder;
  process.env.FAULT_SEED = String(SEED);
  process.env[RUN_BEGAN] = `${new Date().toISOString().slice(0, 19)}Z`;
  const begun = performance.now();
  say(`seed ${SEED}; FAULT_SEED=${SEED} repeats the choices of this run`);
  return () => {
    const rows = readFigures(folder);
    const outcomes = readOutcomes(folder);
    rmSync(folder, { recursive: true, force: true });
    if (rows.length === 0 && outcomes.failed.length === 0) return;
    const minutes = Math.round((performance.now() - begun) / 60_000);
    say(`${minutes} minutes\n\n${tableOf(rows)}\n\n${sumOf({ rows, failed: outcomes.failed })}`);
    if (process.env.FAULT_FIGURES === 'keep') write(afterRun(reportOfBefore(), rows, outcomes));
    else say('docs/ is as it was: only FAULT_FIGURES=keep, which `npm run test:faults` sets, writes there');
  };
}

/** What docs/fault-figures.json has. */
export interface Report {
  readonly rows: readonly FaultFigures[];
  /** Scenarios that failed when they ran last. */
  readonly failed?: readonly string[];
}

function reportOfBefore(): Report {
  if (!existsSync(FIGURES)) return { rows: [] };
  return JSON.parse(readFileSync(FIGURES, 'utf8')) as Report;
}

/** The report with what a run has shown. */
export function afterRun(before: Report, rows: readonly FaultFigures[], outcomes: Outcomes): Report {
  const failed = stillFailed(before.failed ?? [], outcomes);
  return { rows: merged(before.rows, rows), ...(failed.length > 0 && { failed }) };
}

/** New rows take the places of those of the same scenario. */
export function merged(before: readonly FaultFigures[], rows: readonly FaultFigures[]): readonly FaultFigures[] {
  const all = new Map(before.map((row) => [keyOf(row), row]));
  for (const row of rows) all.set(keyOf(row), row);
  return [...all.values()].sort((left, right) => ORDER.compare(keyOf(left), keyOf(right)));
}

const ORDER = new Intl.Collator('en', { numeric: true });

function keyOf({ fault, store }: FaultFigures): string {
  return `${fault}\n${store}`;
}

function write(report: Report): void {
  writeFileSync(FIGURES, `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(PROMISES, withFigures(readFileSync(PROMISES, 'utf8'), report));
  writeFileSync(README, withStoreFigures(readFileSync(README, 'utf8'), report));
  say('wrote docs/fault-figures.json, docs/promises.md and README.md');
}

/** The text with all rows between its markers. @throws when it has no markers */
export function withFigures(text: string, report: Report): string {
  return betweenMarkers(text, `${tableOf(report.rows)}\n\n${sumOf(report)} ${originOf(report.rows)}`);
}

/** The text with one row for each store between its markers. @throws when it has no markers */
export function withStoreFigures(text: string, report: Report): string {
  return betweenMarkers(text, `${storeTableOf(report.rows)}\n\n${sumOf(report)}`);
}

function betweenMarkers(text: string, figures: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`there are no lines '${BEGIN}' and '${END}'`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${figures}\n\n${text.slice(end)}`;
}

function storeTableOf(rows: readonly FaultFigures[]): string {
  const lines = [...Map.groupBy(rows, ({ store }) => store)].sort(([left], [right]) => ORDER.compare(left, right));
  const cells = lines.map(([store, own]) => {
    const sum = (of: (row: FaultFigures) => number) => own.reduce((total, row) => total + of(row), 0);
    const duplicates = `${sum((row) => row.duplicates)} (${sum((row) => row.window)})`;
    return [
      store,
      sum((row) => row.times),
      sum((row) => row.confirmed),
      sum((row) => row.lost),
      sum((row) => row.invented),
      duplicates,
    ];
  });
  const head = ['store', 'faults', 'confirmed', 'lost', 'invented', 'duplicates (at most)'];
  return [head, head.map((_, column) => (column < 1 ? '---' : '---:')), ...cells]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}

function sumOf({ rows, failed = [] }: Report): string {
  const sum = (of: (row: FaultFigures) => number) => rows.reduce((total, row) => total + of(row), 0);
  return (
    `Together: ${sum(({ times }) => times)} faults, ${sum(({ confirmed }) => confirmed)} confirmed messages, ` +
    `${sum(({ lost }) => lost)} lost, ${sum(({ invented }) => invented)} invented, ${sum(({ duplicates }) => duplicates)} duplicates; ` +
    `the faults account for up to ${sum(({ window }) => window)}.${failedText(rows, failed)}`
  );
}

/** What did not hold; nothing when all did. */
function failedText(rows: readonly FaultFigures[], scenarios: readonly string[]): string {
  const marked = rows.filter(isRed).length;
  if (marked === 0 && scenarios.length === 0) return '';
  const named = scenarios.length > 0 ? `: ${scenarios.map((name) => name.replaceAll('|', '/')).join('; ')}` : '';
  return ` **Failed: ${scenarios.length} scenarios, ${marked} of these rows${named}.**`;
}

/** Whether a row shows a broken promise, or comes from a scenario that failed. */
function isRed({ failed, lost, invented, duplicates, window }: FaultFigures): boolean {
  return failed !== undefined || lost > 0 || invented > 0 || duplicates > window;
}

/** Whether the rows belong together. */
function originOf(rows: readonly FaultFigures[]): string {
  const runs = new Set(rows.map(({ run }) => run));
  const [run] = runs;
  if (runs.size !== 1 || run === undefined) return 'The rows come from several runs of parts.';
  return `All rows come from one run, begun at ${run.replace('T', ' ').replace(/:\d\dZ$/, ' UTC')}.`;
}

/** A Markdown table. */
function tableOf(rows: readonly FaultFigures[]): string {
  const head = ['fault', 'store', 'times', 'confirmed', 'delivered', 'put aside', 'lost', 'invented'];
  const all = [...head, 'duplicates (at most)', 'out of order', 'goes on after', 'seed, date'];
  const lines = rows.map((row) => [
    isRed(row) ? `**failed**: ${row.fault}` : row.fault,
    row.store,
    row.times,
    row.confirmed,
    row.delivered,
    row.putAside,
    row.lost,
    row.invented,
    `${row.duplicates} (${row.window})`,
    row.outOfOrder ?? '',
    resumedText(row),
    `${row.seed}, ${row.date}`,
  ]);
  const rule = all.map((_, column) => (column < 2 ? '---' : '---:'));
  return [all, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function resumedText({ resumedMs, resumedP95Ms, healedMs }: FaultFigures): string {
  const seconds = (ms: number | undefined, what = '') =>
    ms === undefined ? [] : [`${what}${(ms / 1000).toFixed(1)} s`];
  return [...seconds(resumedMs), ...seconds(resumedP95Ms, 'p95 '), ...seconds(healedMs, 'healed ')].join(', ');
}

function say(text: string): void {
  process.stdout.write(`\n[faults] ${text}\n`);
}
