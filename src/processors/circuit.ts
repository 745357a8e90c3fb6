import { logger } from '../logging/index.ts';
import { pause } from '../scheduling/index.ts';
import type { Outcome } from './outcome.ts';
import { type RetryPolicy, retryWait, suspensionWait } from './retry-policy.ts';

const log = logger('ScheduledMessageProcessor');

/** What operators see of a circuit that is open. */
export interface OpenCircuit {
  /** Epoch ms. */
  readonly since: number;
  readonly reason: string;
  /** When the next message is tried, epoch ms. */
  readonly until: number;
}

/** Whether an attempt is made because all is well, or to find out whether it is. */
export type CircuitPass = 'closed' | 'probe';

/**
 * Tells a back end that is down from a message that is bad (OP-25). While it is open, no attempt is made and none is counted against
 * a message:
 *
 *     closed ── out of reach ──► open ── its time is over ──► half-open: one worker tries, the others wait
 *       ▲                         ▲                                │
 *       │                         ├── out of reach: for longer ────┤
 *       │                         ├── nothing was tried ───────────┤
 *       └────────── any answer ───┴────────────────────────────────┘
 *
 * One for all workers of a processor. The pauses are those of its retry policy.
 */
export class Circuit {
  readonly #processor: string;
  readonly #policy: RetryPolicy;
  #open: OpenCircuit | undefined;
  #openings = 0;
  #probing = false;
  /** Aborted, and replaced, whenever something changes. */
  #change = new AbortController();

  constructor(processor: string, policy: RetryPolicy) {
    this.#processor = processor;
    this.#policy = policy;
  }

  /** Undefined while it is closed. */
  get open(): OpenCircuit | undefined {
    return this.#open;
  }

  /**
   * Waits until the caller may make an attempt; its outcome is then to be told to {@link report}. Undefined when halted before.
   * `waiting` hears until when.
   */
  async pass(halt: AbortSignal, waiting: (until: number) => void): Promise<CircuitPass | undefined> {
    while (this.#open && !halt.aborted) {
      const now = Date.now();
      if (!this.#probing && now >= this.#open.until) {
        this.#probing = true;
        return 'probe';
      }
      waiting(Math.max(this.#open.until, now));
      // The outcome of a probe is a change.
      const ms = this.#probing ? Number.POSITIVE_INFINITY : this.#open.until - now;
      await pause(ms, halt, this.#change.signal);
    }
    return halt.aborted ? undefined : 'closed';
  }

  /**
   * What came of an attempt; undefined when it broke down without an outcome. An attempt that began before the circuit opened says
   * nothing new, unless the back end has answered it.
   */
  report(outcome: Outcome | undefined, pass: CircuitPass): void {
    const counts = pass === 'probe' || !this.#open;
    switch (outcome?.kind) {
      case 'delivered':
      case 'settled':
        this.#close();
        return;
      case 'failed':
        if (!outcome.failure.unavailable) this.#close();
        else if (counts) this.#trip(outcome.failure.cause, outcome.failure.retryAfterMs);
        return;
      case 'not-ready':
        if (pass === 'probe') this.#nothingTried(suspensionWait(this.#policy, outcome.readyAt, Date.now()));
        return;
      default:
        if (pass === 'probe') this.#nothingTried(0);
    }
  }

  #trip(cause: string, retryAfterMs: number | undefined): void {
    this.#openings += 1;
    const now = Date.now();
    const wait = retryWait(this.#policy, this.#openings, retryAfterMs);
    if (!this.#open) {
      log.warn(`[${this.#processor}] The back end is out of reach, messages wait: ${cause}`, {
        processor: this.#processor,
        cause,
      });
    }
    const reason = `the back end is out of reach: ${cause}`;
    this.#open = { since: this.#open?.since ?? now, reason, until: now + wait };
    this.#changed();
  }

  #close(): void {
    if (!this.#open) return;
    const ms = Date.now() - this.#open.since;
    log.info(`[${this.#processor}] The back end answers again after ${ms} ms`, { processor: this.#processor, ms });
    this.#open = undefined;
    this.#openings = 0;
    this.#changed();
  }

  #nothingTried(waitMs: number): void {
    if (!this.#open) return;
    this.#open = { ...this.#open, until: Date.now() + waitMs };
    this.#changed();
  }

  #changed(): void {
    this.#probing = false;
    const change = this.#change;
    this.#change = new AbortController();
    change.abort();
  }
}
