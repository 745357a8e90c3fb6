import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runMiniSynapse } from '../support/mini-synapse.ts';
import { type Spread, spread } from './contest/contest.ts';
import { cpuSeconds } from './contest/process-figures.ts';
import { benchFolder, removeFolder } from './folder.ts';
import { residentMiB } from './memory.ts';
import { packaged } from './packaged.ts';
import { writeResult } from './result.ts';

/*
 * How long a start takes, from the command to the ready line, against `node -e 0`, in alternating rounds; and what the server has resident
 * and which CPU time it takes when nothing happens: of the package as `npx mini-synapse` runs it, and of a checkout, which runs its sources.
 * Writes docs/bench/start.json.
 *
 *   node test/bench/start.ts
 */

const ROUNDS = 7;
/** The first starts fill the compile cache and make the certificate. */
const WARM_UP = 2;
const IDLE_MS = 6_000;
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

/** What is started. */
interface Form {
  readonly id: string;
  readonly name: string;
  /** Undefined for `bin/mini-synapse` of this checkout. */
  readonly command: string | undefined;
}

async function ready(
  { id, command }: Form,
  folder: string,
  idleMs = 0,
): Promise<Start & { readonly idle: Idle | undefined }> {
  const program = command === undefined ? {} : { command };
  const server = await runMiniSynapse({ artifacts: ARTIFACTS, dataDirectory: join(folder, `data-${id}`), ...program });
  try {
    const cpu = cpuSeconds(server.pid ?? 0);
    const seconds = server.readyInMs / 1000;
    return { seconds, cpu, idle: idleMs > 0 ? await idleOf(server.pid ?? 0, idleMs) : undefined };
  } finally {
    await server.stop();
  }
}

async function idleOf(pid: number, ms: number): Promise<Idle> {
  // The first seconds still belong to the start.
  await delay(ms);
  const before = cpuSeconds(pid);
  await delay(ms);
  const cpuPerHour = ((cpuSeconds(pid) - before) / (ms / 1000)) * 3600;
  return { residentMiB: residentMiB(pid) ?? Number.NaN, cpuPerHour };
}

interface Measured {
  readonly seconds: Spread;
  /** CPU seconds of a start. */
  readonly cpu: Spread;
}

/** One form that was measured. */
interface MeasuredForm extends Measured {
  readonly form: Form;
  readonly idle: Idle | undefined;
}

function measured(starts: readonly Start[]): Measured {
  return { seconds: spread(starts.map(({ seconds }) => seconds)), cpu: spread(starts.map(({ cpu }) => cpu)) };
}

async function measure(
  forms: readonly Form[],
  folder: string,
): Promise<{ readonly node: Measured; readonly ours: readonly MeasuredForm[] }> {
  const node: Start[] = [];
  const ours = new Map<Form, Start[]>(forms.map((form) => [form, []]));
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    process.stderr.write(round < 0 ? '  warm-up\n' : `  start ${round + 1} of ${ROUNDS}\n`);
    const bare = await bareNode();
    if (round >= 0) node.push(bare);
    for (const [form, starts] of ours) {
      const own = await ready(form, folder);
      if (round >= 0) starts.push(own);
    }
  }
  const all: MeasuredForm[] = [];
  for (const [form, starts] of ours) {
    process.stderr.write(`  ${form.name}: idle for ${(2 * IDLE_MS) / 1000} s\n`);
    const { idle } = await ready(form, folder, IDLE_MS);
    all.push({ form, ...measured(starts), idle });
  }
  return { node: measured(node), ours: all };
}

function limitsOf({ form: { id, name }, seconds, idle }: MeasuredForm, node: Measured) {
  const bare = node.seconds.median;
  const resident = idle?.residentMiB ?? Number.NaN;
  const times = { median: seconds.median / bare, min: seconds.min / bare, max: seconds.max / bare };
  const limit = (what: string, path: string, value: Spread, unit: string, goal: number) => ({
    id: `${what}-${id}`,
    path: `${path}, ${name}`,
    value,
    unit,
    goal,
    met: value.median <= goal,
  });
  return [
    limit('start', 'start to ready', seconds, 's', GOALS.readySeconds),
    limit('start-ratio', 'start to ready, by node -e 0', times, 'times', GOALS.readyRatio),
    limit('idle', 'resident when idle', { median: resident, min: resident, max: resident }, 'MiB', GOALS.idleMiB),
  ];
}

const folder = benchFolder();
try {
  process.stderr.write('  making the package\n');
  const forms: readonly Form[] = [
    { id: 'package', name: 'the package', command: await packaged(join(folder, 'package')) },
    { id: 'checkout', name: 'a checkout', command: undefined },
  ];
  const { node, ours } = await measure(forms, folder);
  const limits = ours.flatMap((form) => limitsOf(form, node));
  for (const { path, value, unit, goal, met } of limits) {
    const range = `(${value.min.toFixed(2)}-${value.max.toFixed(2)})`;
    process.stdout.write(
      `${path}: ${value.median.toFixed(2)} ${range} ${unit}; goal ${goal}: ${met ? 'met' : 'NOT MET'}\n`,
    );
  }
  for (const { form, cpu, idle } of ours) {
    const times = (cpu.median / node.cpu.median).toFixed(1);
    process.stdout.write(`${form.name}: CPU of a start ${cpu.median.toFixed(2)} s, ${times} times that of node -e 0; `);
    process.stdout.write(`when idle ${idle?.cpuPerHour.toFixed(1) ?? '?'} s per hour\n`);
  }
  await writeResult('start', { node, ours, limits });
  process.exitCode = limits.every(({ met }) => met) ? 0 : 1;
} finally {
  removeFolder(folder);
}
