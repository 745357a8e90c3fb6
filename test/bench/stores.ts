import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BENCH_KINDS, type BenchKind, cleanUp, openStore, temporaryFolder } from './store-kinds.ts';
import { measureStore, type StoreFigures } from './store-load.ts';
import { type Figures, writeWhichStore, YARDSTICK } from './which-store.ts';

/*
 * Every kind of store against its real server: how fast it takes messages and gives them out. Takes about two minutes.
 *
 *   node test/bench/stores.ts                  all kinds; rewrites docs/which-store.md and .json
 *   node test/bench/stores.ts --kind sqlite    some kinds (part of the name) besides the yardstick; writes nothing
 */

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { kind: { type: 'string' } } });
  const wanted = values.kind?.toLowerCase();
  const kinds = BENCH_KINDS.filter(
    ({ name }) => wanted === undefined || name === YARDSTICK || name.toLowerCase().includes(wanted),
  );
  const figures = new Map<string, StoreFigures>();
  try {
    for (const kind of kinds) {
      const measured = await measure(kind);
      if (measured) figures.set(kind.name, measured);
      tell(kind.name, measured);
    }
  } finally {
    await cleanUp();
  }
  if (wanted === undefined) await writeFigures(figures);
}

async function measure(kind: BenchKind): Promise<StoreFigures | undefined> {
  const medium = await kind.start();
  if (!medium) return undefined;
  const store = openStore(medium.artifact, await temporaryFolder());
  try {
    return await measureStore(store);
  } finally {
    await store.close();
  }
}

function tell(name: string, figures: StoreFigures | undefined): void {
  if (!figures) {
    process.stdout.write(`${name.padEnd(26)} its server is missing\n`);
    return;
  }
  const puts = figures.puts.map(
    ({ concurrency, perSecond, p50Ms, p99Ms }) =>
      `${concurrency} at once ${Math.round(perSecond)}/s (p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)} ms)`,
  );
  process.stdout.write(`${name.padEnd(26)} ${puts.join(', ')}; drain ${Math.round(figures.drainPerSecond)}/s\n`);
}

/** A page with some kinds missing would look as if they did not exist. */
async function writeFigures(figures: Figures): Promise<void> {
  const missing = BENCH_KINDS.filter(({ name }) => !figures.has(name)).map(({ name }) => name);
  if (missing.length > 0) {
    process.stdout.write(
      `docs/which-store.md stays as it is, because these were not measured: ${missing.join('; ')}\n`,
    );
    return;
  }
  await writeWhichStore(DOCS, figures);
  process.stdout.write('docs/which-store.md and docs/which-store.json are written\n');
}

await main();
