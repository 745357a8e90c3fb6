import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { STORE_FACTS } from './store-facts.ts';
import { CONCURRENCIES, CONSUMERS, type StoreFigures } from './store-load.ts';

/** Others are compared with it: it needs no server, so it is in every run. */
export const YARDSTICK = 'memory, x.journal';

const BEGIN = '<!-- begin: npm run bench:stores -->';
const END = '<!-- end: npm run bench:stores -->';
const MARKED = new RegExp(`${BEGIN}[\\s\\S]*${END}`);
const GIBIBYTE = 1024 ** 3;

export type Figures = ReadonlyMap<string, StoreFigures>;

/** Writes the figures into `which-store.md`, between its markers, and into `which-store.json` beside it. */
export async function writeWhichStore(docs: string, figures: Figures): Promise<void> {
  await mkdir(docs, { recursive: true });
  const page = join(docs, 'which-store.md');
  const text = await readFile(page, 'utf8');
  if (!MARKED.test(text)) throw new Error(`${page} lacks the lines ${BEGIN} and ${END}`);
  await writeFile(
    page,
    text.replace(MARKED, () => `${BEGIN}\n\n${tables(figures)}\n${END}`),
  );
  const kinds = [...figures].map(([name, measured]) => ({ name, ...measured, ...STORE_FACTS[name] }));
  await writeFile(join(docs, 'which-store.json'), `${JSON.stringify({ machine: machine(), kinds }, undefined, 2)}\n`);
}

/** Both tables, in Markdown. */
export function tables(figures: Figures): string {
  return `${measuredTable(figures)}\n${factsTable([...figures.keys()])}`;
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} cores (${cpu?.model.trim() ?? '?'}), ${Math.round(totalmem() / GIBIBYTE)} GiB, Node.js ${process.version}`;
}

function measuredTable(figures: Figures): string {
  const yardstick = figures.get(YARDSTICK);
  const heads = CONCURRENCIES.map((concurrency) => `puts/s, ${concurrency} at once`);
  const rows = [...figures].map(([name, { puts, drainPerSecond }]) => {
    const speeds = puts.map(({ perSecond }, index) => speed(perSecond, yardstick?.puts[index]?.perSecond));
    const [one, , most] = puts;
    const times = [one, most].map((put) => (put ? `${put.p50Ms.toFixed(1)} / ${put.p99Ms.toFixed(1)}` : ''));
    return [name, ...speeds, ...times, speed(drainPerSecond, yardstick?.drainPerSecond)];
  });
  const intro =
    `Measured on ${machine()}, server and store on the same machine, messages of 0.6 KB. In brackets: how many times as ` +
    `fast as \`${YARDSTICK}\` in the same run.`;
  const columns = [
    'store',
    ...heads,
    'p50 / p99 ms, 1 at once',
    'p50 / p99 ms, 64 at once',
    `deliveries/s, ${CONSUMERS} workers`,
  ];
  return `${intro}\n\n${markdown(columns, rows)}`;
}

function speed(perSecond: number, yardstick: number | undefined): string {
  const ratio = yardstick === undefined ? '' : ` (${(perSecond / yardstick).toFixed(2)})`;
  return `${Math.round(perSecond)}${ratio}`;
}

function factsTable(names: readonly string[]): string {
  const columns = [
    'store',
    'durability',
    'order',
    'server gone at put',
    'server gone while delivering',
    'runtime killed (`kill -9`)',
    'disk full',
  ];
  const rows = names.map((name) => {
    const facts = STORE_FACTS[name];
    if (!facts) throw new Error(`nothing is known of ${name}`);
    const { durability, ordering, serverGoneAtPut, serverGoneWhileDelivering, runtimeKilled, diskFull } = facts;
    return [name, durability, ordering, serverGoneAtPut, serverGoneWhileDelivering, runtimeKilled, diskFull];
  });
  return markdown(columns, rows);
}

function markdown(columns: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return line(columns) + line(columns.map(() => '---')) + rows.map(line).join('');
}
