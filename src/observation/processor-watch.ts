import { logger } from '../logging/index.ts';
import type { Configuration } from '../message/configuration.ts';
import type { ObservedAttempt } from '../processors/delivery-observer.ts';
import type { MessageProcessor, WorkerActivity } from '../processors/message-processor.ts';
import type { Outcome } from '../processors/outcome.ts';
import { AttemptCounts } from './counts.ts';
import type { LatencyPercentiles } from './latency.ts';
import { RateMeter } from './rate-meter.ts';

const log = logger('StuckDetector');
/** OP-75. */
const LEAST_PATIENCE_MS = 30_000;
const DEFAULT_INTERVAL_MS = 1000;
/** What a worker that waits on purpose does: for its turn, its run, or another node. */
const WAITS_ON_PURPOSE: readonly WorkerActivity[] = ['scheduled', 'spacing', 'waiting-lease', 'retry-wait'];

/** What is known of a processor beside what it says itself. */
export interface ProcessorFigures {
  /** null: no attempt lately. */
  readonly latencyMs: LatencyPercentiles | null;
  readonly successPerSecond: number;
  /** Age of the message that was attempted last, when that began, ms; 0 before the first one. */
  readonly lagMs: number;
  /** Messages wait, it is active, and it attempts nothing (OP-75). */
  readonly stuck: boolean;
  readonly stuckReason: string | undefined;
}

class WatchedProcessor {
  readonly attempts = new AttemptCounts();
  readonly delivered = new RateMeter();
  /** Monotonic ms since when messages wait and it is active; undefined while that is not so. */
  #due: number | undefined;
  /** On the monotonic clock. */
  lastBegan = Number.NEGATIVE_INFINITY;
  stuckReason: string | undefined;

  /** Says whether it has become stuck, or is so no more. */
  judge(processor: MessageProcessor, depth: number | null, now: number): 'stuck' | 'moving' | undefined {
    const { state, workers, nextActionAt } = processor.status();
    const onPurpose =
      nextActionAt !== undefined && workers.every(({ activity }) => WAITS_ON_PURPOSE.includes(activity));
    const elsewhere = workers.length > 0 && workers.every(({ activity }) => activity === 'waiting-lease');
    const working = workers.some(({ activity }) => activity === 'attempting');
    const due = state === 'ACTIVE' && (depth ?? 0) > 0 && !onPurpose && !elsewhere && !working;
    this.#due = due ? (this.#due ?? now) : undefined;
    const patience = patienceOf(processor);
    const since = this.#due === undefined ? undefined : Math.max(this.#due, this.lastBegan);
    const stuck = since !== undefined && now - since >= patience;
    if (stuck === (this.stuckReason !== undefined)) return undefined;
    this.stuckReason = stuck
      ? `${depth} messages wait in store [${processor.storeName}], it is active, and it has attempted nothing for ${Math.round((now - since) / 1000)} s`
      : undefined;
    return stuck ? 'stuck' : 'moving';
  }
}

/** How long a processor may attempt nothing while messages wait, ms. */
function patienceOf({ parameters }: MessageProcessor): number {
  const interval = Number(parameters.get('interval') ?? DEFAULT_INTERVAL_MS);
  return Math.max(3 * (Number.isFinite(interval) ? interval : DEFAULT_INTERVAL_MS), LEAST_PATIENCE_MS);
}

/** Watches all processors: attempts are counted as they are made, everything else is sampled. */
export class ProcessorWatch {
  readonly #processors = new Map<string, WatchedProcessor>();

  follow(configuration: Configuration): void {
    const names = new Set(configuration.names('messageProcessor'));
    for (const name of this.#processors.keys()) if (!names.has(name)) this.#processors.delete(name);
    for (const name of names) if (!this.#processors.has(name)) this.#processors.set(name, new WatchedProcessor());
  }

  /** @returns to be called with what came of the attempt */
  begins({ processor, stored }: ObservedAttempt): (outcome: Outcome | undefined) => void {
    const watched = this.#processors.get(processor);
    if (!watched) return () => undefined;
    const began = performance.now();
    const { attempts } = watched;
    watched.lastBegan = began;
    attempts.lastBegan = Date.now();
    attempts.lastLag = Math.max(0, attempts.lastBegan - stored.storedAt);
    return (outcome) => {
      if (outcome?.kind === 'not-ready' || outcome?.kind === 'aborted' || outcome?.kind === 'lost') return;
      attempts.latency.add(performance.now() - began);
      const status = statusClass(outcome);
      attempts.byStatus.set(status, (attempts.byStatus.get(status) ?? 0) + 1);
    };
  }

  sample(configuration: Configuration, now: number): void {
    for (const [name, watched] of this.#processors) {
      const processor = configuration.find('messageProcessor', name);
      if (processor) watched.delivered.sample(now, processor.status().counters.delivered);
    }
  }

  /** @returns the processors whose being stuck has begun or ended */
  judge(configuration: Configuration, depthOf: (store: string) => number | null, now: number): string[] {
    const changed: string[] = [];
    for (const [name, watched] of this.#processors) {
      const processor = configuration.find('messageProcessor', name);
      const verdict = processor && watched.judge(processor, depthOf(processor.storeName), now);
      if (!verdict) continue;
      changed.push(name);
      const details = { processor: name, store: processor.storeName };
      if (verdict === 'stuck') log.warn(`Message processor [${name}] is stuck: ${watched.stuckReason}`, details);
      else log.info(`Message processor [${name}] is not stuck any more`, details);
    }
    return changed;
  }

  turn(): void {
    for (const { attempts } of this.#processors.values()) attempts.latency.turn();
  }

  attempts(name: string): AttemptCounts | undefined {
    return this.#processors.get(name)?.attempts;
  }

  figures(name: string): ProcessorFigures | undefined {
    const watched = this.#processors.get(name);
    if (!watched) return undefined;
    const { attempts, delivered, stuckReason } = watched;
    return {
      latencyMs: attempts.latency.percentiles() ?? null,
      successPerSecond: delivered.perSecond,
      lagMs: attempts.lastLag,
      stuck: stuckReason !== undefined,
      stuckReason,
    };
  }
}

/** `2xx`, …; `ok` and `none` where there is no status. */
function statusClass(outcome: Outcome | undefined): string {
  const status =
    outcome?.kind === 'delivered' ? outcome.status : outcome?.kind === 'failed' ? outcome.failure.status : undefined;
  if (status !== undefined && status >= 100 && status < 600) return `${Math.floor(status / 100)}xx`;
  return outcome?.kind === 'delivered' || outcome?.kind === 'settled' ? 'ok' : 'none';
}
