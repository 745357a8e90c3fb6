import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FaultFigures, FIGURES_FOLDER, RUN_BEGAN, readFigures } from './figures.ts';
import { SEED } from './random.ts';

/*
 * A `globalSetup` of vitest: collects what the scenarios of one run have measured, prints it as a table, and, when FAULT_FIGURES=keep
 * (as `npm run test:faults` says), writes it into docs/: rows of earlier runs stay where this one has none.
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
    rmSync(folder, { recursive: true, force: true });
    if (rows.length === 0) return;
    const minutes = Math.round((performance.now() - begun) / 60_000);
    say(`${minutes} minutes\n\n${tableOf(rows)}\n\n${sumOf(rows)}`);
    if (process.env.FAULT_FIGURES === 'keep') write(merged(rowsOfBefore(), rows));
    else say('docs/ is as it was: only FAULT_FIGURES=keep, which `npm run test:faults` sets, writes there');
  };
}

function rowsOfBefore(): readonly FaultFigures[] {
  if (!existsSync(FIGURES)) return [];
  return (JSON.parse(readFileSync(FIGURES, 'utf8')) as { rows: readonly FaultFigures[] }).rows;
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

function write(rows: readonly FaultFigures[]): void {
  writeFileSync(FIGURES, `${JSON.stringify({ rows }, undefined, 2)}\n`);
  writeFileSync(PROMISES, withFigures(readFileSync(PROMISES, 'utf8'), rows));
  writeFileSync(README, withStoreFigures(readFileSync(README, 'utf8'), rows));
  say('wrote docs/fault-figures.json, docs/promises.md and README.md');
}

/** The text with all rows between its markers. @throws when it has no markers */
export function withFigures(text: string, rows: readonly FaultFigures[]): string {
  return betweenMarkers(text, `${tableOf(rows)}\n\n${sumOf(rows)} ${originOf(rows)}`);
}

/** The text with one row for each store between its markers. @throws when it has no markers */
export function withStoreFigures(text: string, rows: readonly FaultFigures[]): string {
  return betweenMarkers(text, `${storeTableOf(rows)}\n\n${sumOf(rows)}`);
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

function sumOf(rows: readonly FaultFigures[]): string {
  const sum = (of: (row: FaultFigures) => number) => rows.reduce((total, row) => total + of(row), 0);
  return (
    `Together: ${sum(({ times }) => times)} faults, ${sum(({ confirmed }) => confirmed)} confirmed messages, ` +
    `${sum(({ lost }) => lost)} lost, ${sum(({ invented }) => invented)} invented, ${sum(({ duplicates }) => duplicates)} duplicates; ` +
    `the faults account for up to ${sum(({ window }) => window)}.`
  );
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
    row.fault,
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
