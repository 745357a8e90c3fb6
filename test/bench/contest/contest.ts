import { percentile } from '../percentiles.ts';
import type { Contestant, Row, Running } from './contestant.ts';
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

export interface ContestOptions {
  readonly rounds: number;
  readonly roundMs: number;
  /** Of one round of warming up. */
  readonly warmUpMs: number;
  /** So many messages make it warm: rounds are added until then; default: one round does. */
  readonly warmAfter?: number;
  /** Rounds of warming up at most; default 1. */
  readonly warmUps?: number;
  /** Told before every round. */
  readonly onRound?: (round: number, name: string) => void;
}

/** A path of ours takes twice the CPU time at its 5,000th message that it takes at its 20,000th: until then the compiler is at work. */
export const WARM_AFTER = 15_000;

export const DEFAULT_CONTEST: ContestOptions = {
  rounds: 5,
  roundMs: 1_200,
  warmUpMs: 2_500,
  warmAfter: WARM_AFTER,
  warmUps: 2,
};

interface Measured {
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
 */
export async function contest(row: Row, options: ContestOptions = DEFAULT_CONTEST): Promise<RowFigures> {
  const measured: Measured[] = [];
  try {
    for (const contestant of [row.baseline, row.ours]) measured.push(await warmedUp(contestant, options));
    const [baseline, ours] = measured as [Measured, Measured];
    for (let round = 0; round < options.rounds; round += 1) {
      for (const one of round % 2 === 0 ? [baseline, ours] : [ours, baseline]) {
        options.onRound?.(round, one === ours ? row.ours.name : row.baseline.name);
        await measureRound(one, options.roundMs);
      }
    }
    return judged(row, options.rounds, figuresOf(row.baseline.name, baseline), figuresOf(row.ours.name, ours));
  } finally {
    for (const { running } of measured) await running.close();
  }
}

async function warmedUp(contestant: Contestant, options: ContestOptions): Promise<Measured> {
  const { warmUpMs, warmAfter = 0, warmUps = 1 } = options;
  const running = await contestant.start();
  const measured = { running, perSecond: [], p50Ms: [], p99Ms: [], cpuPer1000: [], residentMiB: 0 };
  try {
    for (let round = 1, done = 0; round <= warmUps && (round === 1 || done < warmAfter); round += 1) {
      const { messages } = await (running.warmUp?.(warmUpMs) ?? running.round(warmUpMs));
      done += messages;
      await running.tidy?.();
    }
  } catch (error) {
    await running.close();
    throw error;
  }
  return measured;
}

async function measureRound(measured: Measured, ms: number): Promise<void> {
  const { running } = measured;
  const before = cpuSeconds(running.pid);
  const { messages, failed, seconds, p50Ms, p99Ms } = await running.round(ms);
  const cpu = cpuSeconds(running.pid) - before;
  if (failed > 0 || messages === 0) throw new Error(`${failed} of ${failed + messages} messages failed`);
  measured.perSecond.push(messages / seconds);
  measured.p50Ms.push(p50Ms);
  measured.p99Ms.push(p99Ms);
  measured.cpuPer1000.push((cpu / messages) * 1000);
  measured.residentMiB = Math.max(measured.residentMiB, residentOfAll(running.pid));
  await running.tidy?.();
}

function figuresOf(name: string, measured: Measured): ContestantFigures {
  const { perSecond, p50Ms, p99Ms, cpuPer1000, residentMiB: resident } = measured;
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
