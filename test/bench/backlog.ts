import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seeStore, switchProcessor } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';
import { type CountingBackEnd, countingBackEnd } from './back-end.ts';
import { backlogArtifacts } from './backlog-artifacts.ts';
import { sendOrders } from './clients.ts';
import type { LimitFigures } from './contest/contest.ts';
import type { RowFailure } from './contest/rows.ts';
import { fill } from './fill.ts';
import { MemoryWatch } from './memory.ts';
import { type Progress, progress } from './progress.ts';
import { writeResult } from './result.ts';
import { BENCH_KINDS, cleanUp, type Medium, temporaryFolder } from './store-kinds.ts';

/*
 * A large backlog, measured on the runtime as users run it: it accepts, counts, delivers and restarts, and how much memory it takes.
 *
 *   node test/bench/backlog.ts                              1,000,000 in PostgreSQL and SQLite, 100,000 with a journal and in
 *                                                           memory; writes docs/bench/backlog.json
 *   node test/bench/backlog.ts --kind postgresql --count 1000000 --deliver 20000
 *
 * `--kind` is part of a kind's name in store-kinds.ts. Exit code 1 when a message was lost or the memory bound was not kept.
 */

const RSS_BOUND_MIB = 250;
const CONNECTIONS = 32;
/** Messages that are accepted on top of the backlog; with those it is 100,000 in memory. */
const ACCEPTED = 5_000;
/** What happens is to be seen within this time (issue 5). */
const SHOWN_WITHIN_MS = 2_000;
const COUNT_DEADLINE_MS = 30_000;
const DELIVERY_DEADLINE_MS = 300_000;
const USUAL: ReadonlyArray<{ kind: string; count: number; deliver: number }> = [
  { kind: 'postgresql', count: 1_000_000, deliver: 20_000 },
  { kind: 'sqlite', count: 1_000_000, deliver: 20_000 },
  { kind: 'memory, x.journal', count: 95_000, deliver: 100_000 },
  { kind: 'memory', count: 95_000, deliver: 100_000 },
];

interface Wish {
  readonly kind: string;
  readonly count: number;
  readonly deliver: number;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { kind: { type: 'string' }, count: { type: 'string' }, deliver: { type: 'string' } },
  });
  const { kind, count = '100000', deliver = '20000' } = values;
  const wishes = kind === undefined ? USUAL : [{ kind, count: Number(count), deliver: Number(deliver) }];
  const limits: LimitFigures[] = [];
  const failed: RowFailure[] = [];
  const backlogs: Measured[] = [];
  for (const wish of wishes) {
    const failure = (reason: string) =>
      failed.push({ id: `backlog-${wish.kind}`, path: `backlog, ${wish.kind}`, reason });
    try {
      const measured = await measure(wish);
      backlogs.push(measured);
      limits.push(limitOf(measured));
      measured.failures.forEach(failure);
    } catch (error) {
      failure(String(error));
    }
    // Each of them takes minutes: what has been measured is kept.
    await writeResult('backlog', { limits, failed, backlogs });
  }
  for (const { path, reason } of failed) say(`${path}: ${reason}`);
  return failed.length === 0 && limits.every(({ met }) => met) ? 0 : 1;
}

function limitOf({ kind, messages, peakMiB }: Measured): LimitFigures {
  const path = `most that was resident with ${messages.toLocaleString('en')} messages waiting (${kind}), filled, killed, restarted, drained`;
  const value = { median: peakMiB, min: peakMiB, max: peakMiB };
  return { id: `backlog-${kind}`, path, value, unit: 'MiB', goal: RSS_BOUND_MIB, met: peakMiB < RSS_BOUND_MIB };
}

async function measure(wish: Wish): Promise<Measured> {
  const kinds = BENCH_KINDS.filter(({ name }) => name.toLowerCase().includes(wish.kind.toLowerCase()));
  const kind = kinds.find(({ name }) => name === wish.kind) ?? kinds[0];
  if (!kind) throw new Error(`no kind is called ${wish.kind}: ${BENCH_KINDS.map(({ name }) => name).join('; ')}`);
  try {
    const medium = await kind.start();
    if (!medium) throw new Error('its server is missing');
    say(`\n${kind.name}: ${wish.count} messages of 0.6 KB`);
    return { kind: kind.name, messages: wish.count + ACCEPTED, ...(await new Backlog(wish, medium).run()) };
  } finally {
    await cleanUp();
  }
}

/** What came of one kind. */
interface Measured {
  readonly kind: string;
  readonly messages: number;
  readonly peakMiB: number;
  /** What was done -> the most that was resident meanwhile, MiB. */
  readonly residentMiB: Readonly<Record<string, number>>;
  /** Counts that were wrong or late, refused and missing messages. */
  readonly failures: readonly string[];
}

class Backlog {
  readonly #wish: Wish;
  readonly #medium: Medium;
  readonly #inMemory: boolean;
  readonly #survives: boolean;
  #runtime: MiniSynapse | undefined;
  readonly #failures: string[] = [];

  constructor(wish: Wish, medium: Medium) {
    this.#wish = wish;
    this.#medium = medium;
    this.#inMemory = medium.artifact.class === undefined;
    this.#survives = !this.#inMemory || medium.artifact.parameters['x.journal'] === 'true';
  }

  async run(): Promise<Omit<Measured, 'kind' | 'messages'>> {
    const backEnd = await countingBackEnd();
    const memory = new MemoryWatch(() => this.#runtime?.pid);
    try {
      const folder = await temporaryFolder();
      await mkdir(join(folder, 'artifacts'));
      const artifacts = backlogArtifacts(this.#medium.artifact, backEnd.port);
      await writeFile(join(folder, 'artifacts', 'orders.xml'), artifacts);
      this.#runtime = await runMiniSynapse({
        artifacts: join(folder, 'artifacts'),
        dataDirectory: join(folder, 'data'),
        startDeadlineMs: 120_000,
      });
      memory.phase('idle');
      await this.#ready(this.#runtime);
      await delay(1_000);
      await this.#steps(this.#runtime, backEnd, memory, join(folder, 'data'));
    } finally {
      memory.stop();
      await this.#runtime?.stop();
      await backEnd.close();
    }
    const peakMiB = this.#tellMemory(memory);
    const phases = [...memory.peaks].map(([phase, mib]) => [phase, Math.round(mib)]);
    return { peakMiB, residentMiB: Object.fromEntries(phases), failures: this.#failures };
  }

  async #steps(runtime: MiniSynapse, backEnd: CountingBackEnd, memory: MemoryWatch, dataDirectory: string) {
    const { count, deliver } = this.#wish;
    memory.phase('fill');
    if (this.#inMemory) await this.#accept(runtime, count, 'fill');
    else await this.#fill(runtime, dataDirectory);
    memory.phase('count');
    await this.#count(runtime, count);
    memory.phase('accept');
    await this.#accept(runtime, ACCEPTED, 'accept');
    if (this.#survives) {
      memory.phase('restart');
      await this.#restart(runtime, count + ACCEPTED);
    }
    memory.phase('deliver');
    await this.#deliver(runtime, backEnd, Math.min(deliver, count + ACCEPTED));
    memory.phase('count again');
    await this.#count(runtime, count + ACCEPTED - backEnd.distinct);
  }

  async #fill(runtime: MiniSynapse, dataDirectory: string): Promise<void> {
    const { count } = this.#wish;
    await runtime.stop();
    const begun = performance.now();
    const shown = progress('fill', count);
    const how = await fill(this.#medium, count, { dataDirectory, onProgress: shown.update });
    shown.end();
    say(`  fill      ${rate(count, begun)}, ${how}`);
    await this.#start(runtime, 'start');
  }

  async #start(runtime: MiniSynapse, what: string): Promise<void> {
    const begun = performance.now();
    await runtime.restart();
    await this.#ready(runtime);
    const ready = Math.round(performance.now() - begun);
    say(`  ${what.padEnd(9)} listening after ${Math.round(runtime.readyInMs)} ms, store ready after ${ready} ms`);
  }

  async #restart(runtime: MiniSynapse, expected: number): Promise<void> {
    await runtime.kill();
    await this.#start(runtime, 'kill -9');
    await this.#count(runtime, expected);
  }

  async #ready(runtime: MiniSynapse): Promise<void> {
    const isReady = async () => (await seeStore(runtime, 'OrderStore')).state === 'READY';
    await waitFor(isReady, { what: 'the store to be ready', deadlineMs: 120_000 });
  }

  /** The number is of two seconds ago at most; one that comes right later is told from one that never does. */
  async #count(runtime: MiniSynapse, expected: number): Promise<void> {
    const begun = performance.now();
    for (;;) {
      // A machine with other work may let even a question wait; the time counts all the same.
      const { size } = await seeStore(runtime, 'OrderStore').catch(() => ({ size: Number.NaN }));
      const took = Math.round(performance.now() - begun);
      if (size !== expected && took < COUNT_DEADLINE_MS) {
        await delay(20);
        continue;
      }
      const verdict = size === expected ? 'right' : `expected ${expected}`;
      say(`  count     ${size} (${verdict}) in ${took} ms`);
      if (size !== expected) this.#failures.push(`${size} messages counted instead of ${expected}`);
      else if (took > SHOWN_WITHIN_MS) this.#failures.push(`counted right only after ${took} ms`);
      return;
    }
  }

  async #accept(runtime: MiniSynapse, count: number, what: string): Promise<void> {
    const shown = progress(what, count);
    const sent = await sendOrders({
      port: runtime.ports.http ?? 0,
      count,
      connections: CONNECTIONS,
      onProgress: shown.update,
    });
    shown.end();
    const times = `p50 ${sent.p50Ms.toFixed(1)} ms, p99 ${sent.p99Ms.toFixed(1)} ms`;
    say(
      `  ${what.padEnd(9)} ${sent.accepted} accepted, ${sent.refused} refused, ${Math.round(sent.perSecond)}/s, ${times}`,
    );
    if (sent.refused > 0) this.#failures.push(`${sent.refused} of ${count} messages were refused`);
  }

  async #deliver(runtime: MiniSynapse, backEnd: CountingBackEnd, wanted: number): Promise<void> {
    const begun = performance.now();
    await switchProcessor(runtime, 'Forwarder', 'active');
    const shown: Progress = progress('deliver', wanted);
    while (backEnd.distinct < wanted && performance.now() - begun < DELIVERY_DEADLINE_MS) {
      await delay(50);
      shown.update(backEnd.distinct);
    }
    shown.end();
    const took = rate(backEnd.distinct, begun);
    await switchProcessor(runtime, 'Forwarder', 'inactive');
    await this.#quiet(backEnd);
    say(`  deliver   ${took}, ${backEnd.count - backEnd.distinct} twice`);
    if (backEnd.distinct < wanted) this.#failures.push(`${backEnd.distinct} of ${wanted} messages were delivered`);
  }

  /** Waits until what was on its way has come. */
  async #quiet(backEnd: CountingBackEnd): Promise<void> {
    for (let seen = -1; seen !== backEnd.count; ) {
      seen = backEnd.count;
      await delay(1_000);
    }
  }

  #tellMemory({ peaks }: MemoryWatch): number {
    const told = [...peaks]
      .filter(([phase]) => phase !== 'start')
      .map(([phase, peak]) => `${phase} ${Math.round(peak)}`);
    const most = Math.max(...peaks.values());
    say(`  RSS MiB   ${told.join(', ')}: ${most < RSS_BOUND_MIB ? 'below' : 'ABOVE'} ${RSS_BOUND_MIB}`);
    return most;
  }
}

function rate(count: number, begun: number): string {
  const seconds = (performance.now() - begun) / 1000;
  return `${count} in ${seconds.toFixed(1)} s, ${Math.round(count / seconds)}/s`;
}

process.exitCode = await main();
