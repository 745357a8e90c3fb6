import { percentile } from '../percentiles.ts';
import type { Contestant, Row, Running } from './contestant.ts';
import { within } from './deadline.ts';
import { cpuSeconds, residentOfAll } from './process-figures.ts';

/** Values of several rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** How one contestant did. */
export interface ContestantFigures {
  readonly name: string;
  readonly perSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  /** CPU seconds of the process for 1,000 messages. */
  readonly cpuPer1000: Spread;
  /** The most that it had resident at the end of a round, MiB. */
  readonly residentMiB: number;
}

/** A line of the table, measured. */
export interface RowFigures {
  readonly id: string;
  readonly path: string;
  readonly goal: number;
  readonly p99Goal?: number;
  readonly rounds: number;
  readonly baseline: ContestantFigures;
  readonly ours: ContestantFigures;
  /** Ours by the baseline's: messages per second, medians. */
  readonly ratio: number;
  /** The baseline's by ours: CPU per message, medians. Hardly disturbed by whatever else the machine does. */
  readonly cpuRatio: number;
  /** Ours by the baseline's: 99th percentiles, medians. */
  readonly p99Ratio: number;
  readonly met: boolean;
}

/** A figure with a limit, such as a time or a size. */
export interface LimitFigures {
  readonly id: string;
  readonly path: string;
  readonly value: Spread;
  readonly unit: string;
  /** At most. */
  readonly goal: number;
  readonly met: boolean;
}

export interface ContestOptions {
  readonly rounds: number;
  readonly roundMs: number;
  /** Of one round of warming up. */
  readonly warmUpMs: number;
  /** So many messages make it warm: rounds are added until then; default: one round does. */
  readonly warmAfter?: number;
  /** Rounds of warming up at most; default 1. */
  readonly warmUps?: number;
  /** Of the one round of warming up of a contestant that is warm from another row; default {@link warmUpMs}. */
  readonly rewarmMs?: number;
  /** Told what is to be done before everything that takes a while. */
  readonly onPhase?: (what: string) => void;
  /** What a start may take, and what a round, a warm-up, and what comes behind it may take beyond its own time, ms. */
  readonly deadlines?: Readonly<Record<'startMs' | 'beyondMs', number>>;
}

/** A busy machine needs a multiple of a quiet one's time; one that stands still needs more than any. */
const DEADLINES = { startMs: 180_000, beyondMs: 60_000 } as const;

/** A path of ours takes twice the CPU time at its 5,000th message that it takes at its 20,000th: until then the compiler is at work. */
export const WARM_AFTER = 15_000;

export const DEFAULT_CONTEST: ContestOptions = {
  rounds: 5,
  roundMs: 1_000,
  warmUpMs: 2_000,
  warmAfter: WARM_AFTER,
  warmUps: 3,
  rewarmMs: 1_500,
};

interface Measured {
  readonly name: string;
  readonly running: Running;
  readonly perSecond: number[];
  readonly p50Ms: number[];
  readonly p99Ms: number[];
  readonly cpuPer1000: number[];
  residentMiB: number;
}

/**
 * Measures a row: both are started, warmed up, and loaded in turns, the one that begins changing from round to round. The one that is
 * not loaded idles.
 * @throws Error when a message was not answered as it should be: such figures mean nothing
 * @throws StalledError when a part of it does not come to its end
 */
export async function contest(row: Row, options: ContestOptions = DEFAULT_CONTEST): Promise<RowFigures> {
  const measured: Measured[] = [];
  let failed = true;
  try {
    for (const contestant of [row.baseline, row.ours]) measured.push(await started(contestant, options));
    for (const one of measured) await warmUp(one, options);
    const [baseline, ours] = measured as [Measured, Measured];
    const rounds = options.rounds * (row.roundsTimes ?? 1);
    for (let round = 0; round < rounds; round += 1) {
      for (const one of round % 2 === 0 ? [baseline, ours] : [ours, baseline]) {
        await measureRound(one, `round ${round + 1} of ${rounds}`, options);
        // Behind the last round there is nothing that it would be made ready for.
        if (round + 1 < rounds) await tidied(one.running, one.name, options);
      }
    }
    failed = false;
    return judged(row, rounds, figuresOf(baseline), figuresOf(ours));
  } finally {
    await closeAll(measured, failed);
  }
}

/** All of them, also when one cannot be closed: that is told unless the row has failed anyway. */
async function closeAll(measured: readonly Measured[], failed: boolean): Promise<void> {
  const closed = await Promise.allSettled(measured.map(({ running }) => running.close(failed)));
  const refused = closed.find(({ status }) => status === 'rejected');
  if (refused?.status === 'rejected' && !failed) throw refused.reason;
}

async function started({ name, start }: Contestant, options: ContestOptions): Promise<Measured> {
  const { onPhase, deadlines = DEADLINES } = options;
  onPhase?.(`${name}: start`);
  const starting = start();
  const running = await within(starting, deadlines.startMs, `${name} to start`).catch((error: unknown) => {
    // One that comes too late is not left behind.
    starting.then((late) => late.close(true)).catch(() => undefined);
    throw error;
  });
  return { name, running, perSecond: [], p50Ms: [], p99Ms: [], cpuPer1000: [], residentMiB: 0 };
}

/** So many rounds until enough messages have gone through it, one when another row has warmed it. */
async function warmUp({ name, running }: Measured, options: ContestOptions): Promise<void> {
  const { warmUpMs, warmAfter = 0, warmUps = 1, rewarmMs = warmUpMs } = options;
  const most = running.warm ? 1 : warmUps;
  const ms = running.warm ? rewarmMs : warmUpMs;
  for (let round = 1, done = 0; round <= most && (round === 1 || done < warmAfter); round += 1) {
    const warming = () => (running.warm ? undefined : running.warmUp?.(ms)) ?? running.round(ms);
    done += (await bounded(warming, `${name}: warm-up ${round}`, ms, options)).messages;
    await tidied(running, name, options);
  }
}

async function measureRound(measured: Measured, what: string, options: ContestOptions): Promise<void> {
  const { name, running } = measured;
  const before = cpuSeconds(running.pid);
  const figures = await bounded(() => running.round(options.roundMs), `${name}: ${what}`, options.roundMs, options);
  const { messages, failed, seconds, p50Ms, p99Ms } = figures;
  const cpu = cpuSeconds(running.pid) - before;
  if (failed > 0 || messages === 0) throw new Error(`${failed} of ${failed + messages} messages failed`);
  measured.perSecond.push(messages / seconds);
  measured.p50Ms.push(p50Ms);
  measured.p99Ms.push(p99Ms);
  measured.cpuPer1000.push((cpu / messages) * 1000);
  measured.residentMiB = Math.max(measured.residentMiB, residentOfAll(running.pid));
}

async function tidied(running: Running, name: string, options: ContestOptions): Promise<void> {
  if (running.tidy) await bounded(() => running.tidy?.() ?? Promise.resolve(), `${name}: made ready again`, 0, options);
}

function bounded<T>(work: () => Promise<T>, what: string, ms: number, options: ContestOptions): Promise<T> {
  const { onPhase, deadlines = DEADLINES } = options;
  onPhase?.(what);
  return within(work(), ms + deadlines.beyondMs, what);
}

function figuresOf(measured: Measured): ContestantFigures {
  const { name, perSecond, p50Ms, p99Ms, cpuPer1000, residentMiB: resident } = measured;
  return {
    name,
    perSecond: spread(perSecond),
    p50Ms: spread(p50Ms),
    p99Ms: spread(p99Ms),
    cpuPer1000: spread(cpuPer1000),
    residentMiB: resident,
  };
}

/** The median of an even number of values is the upper one of both in the middle. */
export function spread(values: readonly number[]): Spread {
  return { median: percentile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** Compares both and says whether the goals are met. */
export function judged(
  { id, path, goal, p99Goal }: Pick<Row, 'id' | 'path' | 'goal' | 'p99Goal'>,
  rounds: number,
  baseline: ContestantFigures,
  ours: ContestantFigures,
): RowFigures {
  const ratio = ours.perSecond.median / baseline.perSecond.median;
  const cpuRatio = baseline.cpuPer1000.median / ours.cpuPer1000.median;
  const p99Ratio = ours.p99Ms.median / baseline.p99Ms.median;
  const met = ratio >= goal && (p99Goal === undefined || p99Ratio <= p99Goal);
  const goals = { goal, ...(p99Goal !== undefined && { p99Goal }) };
  return { id, path, ...goals, rounds, baseline, ours, ratio, cpuRatio, p99Ratio, met };
}
