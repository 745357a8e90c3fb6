import { logger } from '../logging/index.ts';
import { pause } from '../scheduling/index.ts';
import type { Delivery, StoreConsumer, StoreError } from '../stores/message-store.ts';
import type * as api from './api.ts';
import { contained, ExtensionError, reasonOf } from './containment.ts';
import { ContainedDelivery, type DeliveryOwner, deliveryProblem } from './custom-delivery.ts';

const log = logger('CustomMessageStore');
/** How long a module may take to notice that nobody waits any longer, ms. */
const GRACE_MS = 1000;
/** Pauses after failures, ms. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

type Outcome =
  | { readonly kind: 'delivery'; readonly given: api.StoreDelivery }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * A consumer of a module's store. Whatever the module does, a receive ends when it should: failures are logged and tried again with
 * growing pauses; a wait that the module does not end is left alone, and what it comes to later is what the next receive gets.
 *
 *     idle ──receive()──▶ waiting ──given──▶ delivering ──settled──▶ idle        any ──close()──▶ closed
 *                          │   ▲
 *                   failed ▼   │
 *                          pause
 */
export class ContainedConsumer implements StoreConsumer {
  readonly id: string;
  readonly #given: api.StoreConsumer;
  readonly #owner: DeliveryOwner;
  readonly #onClose: () => void;
  readonly #closed = new AbortController();
  /** A receive that the module has not ended. */
  #pending: Promise<Outcome> | undefined;
  #delivery: ContainedDelivery | undefined;
  #closing: Promise<void> | undefined;

  constructor(id: string, given: api.StoreConsumer, owner: DeliveryOwner, onClose: () => void) {
    this.id = id;
    this.#given = given;
    this.#owner = owner;
    this.#onClose = onClose;
  }

  async receive({ signal, waitMs }: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined> {
    if (this.#closed.signal.aborted) throw this.#closedError();
    if (this.#delivery && !this.#delivery.settled) throw new Error(`${this.id} has an unsettled delivery`);
    const until = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted && !this.#closed.signal.aborted) {
      const outcome = await this.#receiveOnce(signal, until - performance.now());
      if (outcome.kind === 'delivery') return this.#take(outcome.given);
      if (outcome.kind === 'failed') {
        this.#owner.failed(outcome.error);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
      const rest = until - performance.now();
      if (rest <= 0) return undefined;
      // A module that gives nothing and does not wait either must not keep us busy.
      await pause(Math.min(pauseMs, rest), signal, this.#closed.signal);
    }
    return undefined;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed.abort();
    await this.#delivery?.abandon();
    const pending = this.#pending;
    void pending?.then((outcome) => this.#giveBack(outcome));
    try {
      await contained(`${this.id}: close()`, this.#owner.deadlineMs, () => this.#given.close());
    } catch (error) {
      log.warn(`Store [${this.#owner.name}]: ${reasonOf(error)}`);
    }
    this.#onClose();
  }

  /** Ends at the latest a grace after the signal or the wait. */
  async #receiveOnce(signal: AbortSignal, waitMs: number): Promise<Outcome> {
    const stop = new AbortController();
    const work = this.#pending ?? this.#ask(stop.signal, waitMs);
    this.#pending = work;
    const ended = new AbortController();
    const late = this.#graceAfter(waitMs, stop, signal, ended.signal);
    const outcome = await Promise.race([work, late]);
    ended.abort();
    if (outcome !== 'late') this.#pending = undefined;
    else if (!this.#closed.signal.aborted && stop.signal.aborted) {
      log.debug(`Store [${this.#owner.name}]: receive() has not ended ${GRACE_MS} ms after it should have`);
    }
    return outcome === 'late' ? { kind: 'nothing' } : outcome;
  }

  async #graceAfter(waitMs: number, stop: AbortController, signal: AbortSignal, ended: AbortSignal): Promise<'late'> {
    const endless = !Number.isFinite(waitMs);
    do await pause(endless ? LONGEST_PAUSE_MS : waitMs, signal, this.#closed.signal, ended);
    while (endless && !signal.aborted && !this.#closed.signal.aborted && !ended.aborted);
    stop.abort();
    if (!ended.aborted) await pause(GRACE_MS, ended);
    return 'late';
  }

  async #ask(signal: AbortSignal, waitMs: number): Promise<Outcome> {
    try {
      const given = await this.#given.receive({
        signal,
        ...(Number.isFinite(waitMs) && { waitMs: Math.max(0, waitMs) }),
      });
      if (given === undefined) return { kind: 'nothing' };
      const problem = deliveryProblem(given);
      return problem === undefined
        ? { kind: 'delivery', given }
        : { kind: 'failed', error: new ExtensionError(`receive() gave ${problem}`) };
    } catch (cause) {
      return { kind: 'failed', error: new ExtensionError(`receive() failed: ${reasonOf(cause)}`, { cause }) };
    }
  }

  async #take(given: api.StoreDelivery): Promise<Delivery | undefined> {
    const delivery = new ContainedDelivery(given, this.#owner);
    this.#delivery = delivery;
    if (!this.#closed.signal.aborted) return delivery;
    // Closed in the moment in which it came.
    await delivery.abandon();
    return undefined;
  }

  #giveBack(outcome: Outcome): Promise<void> | undefined {
    return outcome.kind === 'delivery' ? new ContainedDelivery(outcome.given, this.#owner).release() : undefined;
  }

  #closedError(): StoreError {
    return this.#owner.error(`${this.id} is closed`);
  }
}
