import { logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import type { EndpointState } from './endpoint.ts';

/*
 * The state machine of an endpoint (spec proxies 5.2):
 *
 *            code in markForSuspension, retries left              code in markForSuspension, no retries left;
 *   ACTIVE ───────────────────────────────────────► TIMEOUT ───── or code in suspendOnFailure ─────► SUSPENDED
 *     ▲ ▲                                            │  ▲ │                                            │  │
 *     │ └────────────── success ─────────────────────┘  └─┘ markForSuspension again                    │  └─┐ again: longer
 *     └──────────────────────────────── success ───────────────────────────────────────────────────────┘◄───┘
 *   any ── switched off ──► OFF ── switched on ──► ACTIVE
 *
 * "Success" is any HTTP response, 4xx and 5xx included. TIMEOUT and SUSPENDED are ready again when nextRetryTime has passed; the
 * state itself changes only with the next outcome.
 */

const log = logger('EndpointContext');
const DEFAULT_SUSPENSION_MS = 30_000;
const DEFAULT_TIMEOUT_CODES: readonly number[] = [101504, 101505];

/** `markForSuspension` and `suspendOnFailure` as configured (spec proxies 5.1). */
export interface SuspensionRules {
  readonly markForSuspension: {
    /** Undefined or empty: 101504 and 101505. */
    readonly errorCodes: readonly number[];
    readonly retriesBeforeSuspension: number;
    readonly retryDelayMs: number;
  };
  readonly suspendOnFailure: {
    /** Empty: every code. */
    readonly errorCodes: readonly number[];
    /** -1: 30 s. */
    readonly initialDurationMs: number;
    readonly progressionFactor: number;
    readonly maximumDurationMs: number;
  };
}

export const DEFAULT_SUSPENSION: SuspensionRules = {
  markForSuspension: { errorCodes: [], retriesBeforeSuspension: 0, retryDelayMs: 0 },
  suspendOnFailure: {
    errorCodes: [],
    initialDurationMs: -1,
    progressionFactor: 1,
    maximumDurationMs: Number.POSITIVE_INFINITY,
  },
};

/** Keeps one endpoint's state. */
export class EndpointSuspension {
  readonly #rules: SuspensionRules;
  /** `Endpoint : <n> with address <u>` for the log. */
  label: string;
  readonly #now: () => number;
  #state: EndpointState = 'ACTIVE';
  #remainingRetries: number;
  #lastDurationMs: number | undefined;
  #nextRetryTime = 0;

  constructor(rules: SuspensionRules, label: string, now: () => number = Date.now) {
    this.#rules = rules;
    this.label = label;
    this.#now = now;
    this.#remainingRetries = rules.markForSuspension.retriesBeforeSuspension;
  }

  get state(): EndpointState {
    return this.#state;
  }

  /** Epoch ms from which the endpoint may be tried; 0 when active, Infinity when switched off. */
  get readyAt(): number {
    if (this.#state === 'ACTIVE') return 0;
    return this.#state === 'OFF' ? Number.POSITIVE_INFINITY : this.#nextRetryTime;
  }

  get retriesLeft(): number {
    return this.#remainingRetries;
  }

  get ready(): boolean {
    return this.#now() >= this.readyAt;
  }

  /** An answer came, of whatever status. */
  succeeded(about?: () => LogDetails): void {
    if (this.#state === 'ACTIVE' || this.#state === 'OFF') return;
    const text = `${this.label} currently ${this.#state} will now be marked active since it processed its last message`;
    log.info(text, about?.());
    this.#activate();
  }

  /**
   * No answer came; `code` is the composed ERROR_CODE.
   * @param about what log lines say of the message that was sent (OP-70)
   */
  failed(code: number | undefined, about?: () => LogDetails): void {
    if (this.#state === 'OFF') return;
    const { markForSuspension, suspendOnFailure } = this.#rules;
    const timeoutCodes = markForSuspension.errorCodes.length > 0 ? markForSuspension.errorCodes : DEFAULT_TIMEOUT_CODES;
    if (timeoutCodes.includes(code ?? 0)) {
      this.#timedOut(about?.());
    } else if (
      code !== undefined &&
      (suspendOnFailure.errorCodes.length === 0 || suspendOnFailure.errorCodes.includes(code))
    ) {
      const details = about?.();
      log.warn(`${this.label} will be marked SUSPENDED as it failed`, details);
      this.#suspend(details);
    }
  }

  /** By an operator. */
  switchOff(): void {
    log.info(`Manually switching off ${this.label}`);
    this.#state = 'OFF';
  }

  switchOn(): void {
    log.info(`Manually activating ${this.label}`);
    this.#activate();
  }

  #activate(): void {
    this.#state = 'ACTIVE';
    this.#remainingRetries = this.#rules.markForSuspension.retriesBeforeSuspension;
    this.#lastDurationMs = undefined;
    this.#nextRetryTime = 0;
  }

  #timedOut(details: LogDetails | undefined): void {
    if (this.#remainingRetries <= 0) {
      log.info(
        `${this.label} has been marked for SUSPENSION, but no further retries remain. Thus it will be SUSPENDED.`,
        details,
      );
      this.#suspend(details);
      return;
    }
    this.#remainingRetries -= 1;
    this.#state = 'TIMEOUT';
    this.#nextRetryTime = this.#now() + this.#rules.markForSuspension.retryDelayMs;
    log.warn(
      `${this.label} is marked as TIMEOUT and will be retried : ${this.#remainingRetries} more time/s after : ${javaDate(this.#nextRetryTime)} until its marked SUSPENDED for failure`,
      details,
    );
  }

  #suspend(details: LogDetails | undefined): void {
    const previous = this.#lastDurationMs;
    const duration = this.#nextDuration();
    if (duration > 0) this.#lastDurationMs = duration;
    this.#state = 'SUSPENDED';
    this.#nextRetryTime = this.#now() + duration;
    const history = previous === undefined ? '' : `last suspend duration was : ${previous}ms and `;
    log.warn(
      `Suspending ${this.label[0]?.toLowerCase()}${this.label.slice(1)} - ${history}current suspend duration is : ${duration}ms - Next retry after : ${javaDate(this.#nextRetryTime)}`,
      details,
    );
  }

  #nextDuration(): number {
    const { initialDurationMs, progressionFactor, maximumDurationMs } = this.#rules.suspendOnFailure;
    const wanted =
      this.#lastDurationMs === undefined ? initialDurationMs : Math.trunc(this.#lastDurationMs * progressionFactor);
    const bounded = Math.min(wanted, maximumDurationMs);
    return bounded < 0 ? DEFAULT_SUSPENSION_MS : bounded;
  }
}

/** `EEE MMM dd HH:mm:ss zzz yyyy`, as Java prints dates. */
export function javaDate(time: number): string {
  const date = new Date(time);
  const [day, month, number, year, clock] = date.toString().split(' ');
  const zone = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')?.value;
  return `${day} ${month} ${number} ${clock} ${zone} ${year}`;
}
