import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BENCHES, type Bench, minutesOfAll, wholeSet } from './registry.ts';
import { writeBetweenMarks, writeReport } from './report.ts';

/*
 *   npm run bench                    the whole set, less than ten minutes on two quiet cores; the others run by name
 *   npm run bench -- NAME [ARG...]   one of them, with arguments of its own
 *   npm run bench -- --list          what there is
 *   npm run bench -- --help          what belongs to the whole set, and what goes where
 *
 * Exit code 0 when all goals were met, 1 when one was not or a bench failed, 2 for an unknown name, 128 and the signal's number when
 * it was told to stop.
 */

/** A bench that takes so many times longer than on a quiet machine stands still; its own parts have deadlines that come before. */
const PATIENCE = 4;
const LEAST_PATIENCE_MS = 5 * 60_000;
/** For what a bench has started, ms. */
const END_MS = 20_000;
const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Benches = Readonly<Record<string, Bench>>;
type Say = (line: string) => void;

/** What may differ in tests. */
export interface RunOptions {
  /** How long a bench may take, ms. */
  readonly patienceMs?: (bench: Bench) => number;
  readonly endMs?: number;
}

/** Runs what the arguments say. @returns the exit code */
export async function runBenches(
  args: readonly string[],
  benches: Benches = BENCHES,
  say: Say = (line) => process.stdout.write(`${line}\n`),
  options: RunOptions = {},
): Promise<number> {
  const [name, ...own] = args;
  if (name === '--list') {
    for (const line of listed(Object.entries(benches))) say(line);
    return 0;
  }
  if (name === '--help') {
    for (const line of help(benches)) say(line);
    return 0;
  }
  if (name !== undefined && !Object.hasOwn(benches, name)) {
    say(`there is no bench '${name}'; there are: ${Object.keys(benches).join(', ')}`);
    return 2;
  }
  const wanted = name === undefined ? wholeSet(benches) : Object.entries(benches).filter(([known]) => known === name);
  return runAll(wanted, own, say, options);
}

async function runAll(
  wanted: ReadonlyArray<[string, Bench]>,
  own: readonly string[],
  say: Say,
  options: RunOptions,
): Promise<number> {
  const failed: string[] = [];
  const begun = performance.now();
  const since = (from: number) => ((performance.now() - from) / 1000).toFixed(0);
  for (const [index, [known, bench]] of wanted.entries()) {
    say(`[${index + 1}/${wanted.length}] ${known}: ${bench.title}, about ${bench.minutes} min`);
    const from = performance.now();
    const { code, stoppedBy } = await run(bench, own, options);
    if (stoppedBy !== undefined) {
      say(`      ${known}: told to stop by ${stoppedBy}`);
      return 128 + constants.signals[stoppedBy];
    }
    say(
      `      ${known} ${code === 'late' ? 'was stopped: it stood still' : `ended with ${code}`} after ${since(from)} s`,
    );
    if (code !== 0) failed.push(known);
  }
  if (wanted.length > 1) say(`all of them took ${since(begun)} s`);
  if (failed.length > 0) say(`not as it should be: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

interface Ended {
  readonly code: number | 'late';
  readonly stoppedBy?: NodeJS.Signals;
}

/**
 * Runs one bench in a process of its own. A signal for us is handed on to it, and ends what it has started with it:
 *
 *     RUNNING ──its end──► ENDED
 *     RUNNING ──signal, or out of patience──► STOPPING (SIGTERM) ──its end, or SIGKILL after endMs──► ENDED
 */
async function run({ module, ...bench }: Bench, args: readonly string[], options: RunOptions): Promise<Ended> {
  const { patienceMs = patience, endMs = END_MS } = options;
  const file = fileURLToPath(new URL(module, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: 'inherit' });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const over = new AbortController();
  let stoppedBy: NodeJS.Signals | undefined;
  const stop = async () => {
    child.kill('SIGTERM');
    if (await delay(endMs, true, { signal: over.signal }).catch(() => false)) child.kill('SIGKILL');
  };
  const onSignal = (signal: NodeJS.Signals) => {
    stoppedBy ??= signal;
    void stop();
  };
  const atExit = () => child.kill('SIGTERM');
  let late = false;
  const tooLate = setTimeout(
    () => {
      late = true;
      void stop();
    },
    patienceMs({ module, ...bench }),
  );
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.once('exit', atExit);
  try {
    const [code] = await ended;
    return { code: late ? 'late' : (code ?? 1), ...(stoppedBy !== undefined && { stoppedBy }) };
  } finally {
    clearTimeout(tooLate);
    over.abort();
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off('exit', atExit);
  }
}

function patience({ minutes }: Bench): number {
  return Math.max(LEAST_PATIENCE_MS, PATIENCE * minutes * 60_000);
}

function listed(benches: ReadonlyArray<[string, Bench]>): string[] {
  return benches.map(([known, { title, minutes }]) => `${known.padEnd(14)} ${title}, ${minutes} min`);
}

function help(benches: Benches): string[] {
  const byName = Object.entries(benches).filter(([, { onlyByName }]) => onlyByName);
  return [
    'npm run bench                    the whole set',
    'npm run bench -- NAME [ARG...]   one bench; what arguments it takes is said at the top of test/bench/NAME.ts',
    'npm run bench -- --list          all benches',
    '',
    `The whole set, about ${minutesOfAll(benches)} minutes on two quiet cores:`,
    ...listed(wholeSet(benches)).map((line) => `  ${line}`),
    '',
    'By name only:',
    ...listed(byName).map((line) => `  ${line}`),
    '',
    'Figures go to docs/bench/NAME.json, and from there to README.md, docs/bench/README.md and docs/bench/chart.svg; a run with arguments is',
    'a trial, whose figures are only shown. A part that fails or stands still is told with its reason, and the rest goes on. Ctrl-C ends everything',
    'that was started.',
  ];
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  process.exitCode = await runBenches(args);
  const asked = args[0]?.startsWith('--') === true;
  if (!asked && process.exitCode <= 1) await writeBetweenMarks(README, await writeReport());
}
