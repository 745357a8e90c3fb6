import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runMiniSynapse } from '../support/mini-synapse.ts';
import { type Spread, spread } from './contest/contest.ts';
import { cpuSeconds } from './contest/process-figures.ts';
import { residentMiB } from './memory.ts';
import { writeResult } from './result.ts';

/*
 * How long a start takes, from the command to the ready line, against `node -e 0`, in alternating rounds; and what the server has resident
 * and which CPU time it takes when nothing happens. Writes docs/bench/start.json.
 *
 *   node test/bench/start.ts
 */

const ROUNDS = 7;
/** The first starts fill the compile cache and make the certificate. */
const WARM_UP = 2;
const IDLE_MS = 10_000;
const MICROSECONDS = 1_000_000;
const GOALS = { readySeconds: 0.5, readyRatio: 8, idleMiB: 90 } as const;
/** What a newcomer's `start` serves. */
const ARTIFACTS = fileURLToPath(new URL('../../artifacts', import.meta.url));

interface Idle {
  readonly residentMiB: number;
  /** CPU seconds per hour. */
  readonly cpuPerHour: number;
}

/** A start: how long it took, and the CPU time of it, seconds both. */
interface Start {
  readonly seconds: number;
  readonly cpu: number;
}

async function bareNode(): Promise<Start> {
  const begun = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await once(child, 'exit');
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, cpu: await bareCpu() };
}

/** By its own account, as nobody can ask when it has ended. */
async function bareCpu(): Promise<number> {
  const script = 'const { user, system } = process.cpuUsage(); process.stdout.write(String(user + system))';
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  await once(child, 'close');
  return Number(told) / MICROSECONDS;
}

async function ready(folder: string, idleMs = 0): Promise<Start & { readonly idle: Idle | undefined }> {
  const server = await runMiniSynapse({ artifacts: ARTIFACTS, dataDirectory: join(folder, 'data') });
  try {
    const cpu = cpuSeconds(server.pid ?? 0);
    const seconds = server.readyInMs / 1000;
    return { seconds, cpu, idle: idleMs > 0 ? await idleOf(server.pid ?? 0, idleMs) : undefined };
  } finally {
    await server.stop();
  }
}

async function idleOf(pid: number, ms: number): Promise<Idle> {
  const before = cpuSeconds(pid);
  await delay(ms);
  const half = cpuSeconds(pid);
  // The first seconds still belong to the start.
  await delay(ms);
  const cpuPerHour = ((cpuSeconds(pid) - half) / (ms / 1000)) * 3600;
  return { residentMiB: residentMiB(pid) ?? Number.NaN, cpuPerHour: before >= 0 ? cpuPerHour : Number.NaN };
}

interface Measured {
  readonly node: Spread;
  readonly ours: Spread;
  /** CPU seconds of a start. */
  readonly cpu: { readonly node: Spread; readonly ours: Spread };
  readonly idle: Idle | undefined;
}

async function measured(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-bench-'));
  const node: Start[] = [];
  const ours: Start[] = [];
  try {
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      process.stderr.write(round < 0 ? '  warm-up\n' : `  start ${round + 1} of ${ROUNDS}\n`);
      const bare = await bareNode();
      const own = await ready(folder);
      if (round < 0) continue;
      node.push(bare);
      ours.push(own);
    }
    process.stderr.write(`  idle for ${(2 * IDLE_MS) / 1000} s\n`);
    const { idle } = await ready(folder, IDLE_MS);
    const seconds = (starts: readonly Start[]) => spread(starts.map((start) => start.seconds));
    const cpu = (starts: readonly Start[]) => spread(starts.map((start) => start.cpu));
    return { node: seconds(node), ours: seconds(ours), cpu: { node: cpu(node), ours: cpu(ours) }, idle };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { node, ours, cpu, idle } = await measured();
const resident = idle?.residentMiB ?? Number.NaN;
const limits = [
  {
    id: 'start',
    path: 'start to ready, the artifacts of a checkout',
    value: ours,
    unit: 's',
    goal: GOALS.readySeconds,
    met: ours.median <= GOALS.readySeconds,
  },
  {
    id: 'start-ratio',
    path: 'start to ready, by node -e 0',
    value: { median: ours.median / node.median, min: ours.min / node.median, max: ours.max / node.median },
    unit: 'times',
    goal: GOALS.readyRatio,
    met: ours.median / node.median <= GOALS.readyRatio,
  },
  {
    id: 'idle',
    path: 'resident when idle',
    value: { median: resident, min: resident, max: resident },
    unit: 'MiB',
    goal: GOALS.idleMiB,
    met: resident < GOALS.idleMiB,
  },
];
for (const { path, value, unit, goal, met } of limits) {
  const range = `(${value.min.toFixed(2)}-${value.max.toFixed(2)})`;
  process.stdout.write(
    `${path}: ${value.median.toFixed(2)} ${range} ${unit}; goal ${goal}: ${met ? 'met' : 'NOT MET'}\n`,
  );
}
process.stdout.write(
  `CPU of a start: ${cpu.ours.median.toFixed(2)} s, ${(cpu.ours.median / cpu.node.median).toFixed(1)} times that of node -e 0\n`,
);
process.stdout.write(`CPU when idle: ${idle?.cpuPerHour.toFixed(1) ?? '?'} s per hour\n`);
await writeResult('start', { node, cpu, limits, idle });
process.exitCode = limits.every(({ met }) => met) ? 0 : 1;
