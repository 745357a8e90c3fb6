import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import { causeChain } from '../mediation/fault.ts';
import type { Delivery, MessageStore } from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import { aboutStored } from './about-stored.ts';
import { wasTakenBack } from './hold.ts';
import { SequenceOrder } from './resequencing-order.ts';
import type { SequencePlace } from './resequencing-place.ts';
import type { DeliverySource, Received } from './store-link.ts';

const log = logger('ResequencingProcessor');
/** When no message comes for so long, the store is taken for empty: a broker needs a moment to push the first one, ms. */
const EMPTY_AFTER_MS = 1000;

/** The rules of one resequencing processor. */
export interface ResequencingRules {
  readonly processor: string;
  /** Where the processor stands, for log lines. */
  readonly position?: Position;
  /** @throws when the message has no sequence number */
  readonly numberOf: (stored: StoredMessage) => bigint;
  /** With an empty store, so many messages are waited for before the smallest number becomes the first one. */
  readonly initMessages: number;
  /** But not longer than that, ms. */
  readonly initWaitMs: number;
  readonly late: 'deliver' | 'drop' | 'fail';
  /** Hears of each late one that is gone for good. */
  readonly discarded: () => void;
  /** How long a missing number is waited for, ms; undefined: for ever. */
  readonly gapTimeoutMs: number | undefined;
  /** The most messages that are held out of their store at a time. */
  readonly window: number;
}

/** One consumer of the store, which can hold one message. */
interface Slot {
  readonly source: DeliverySource;
  held: (Received & { readonly id: string }) | undefined;
}

/**
 * Gives the messages of a store in the order of their sequence numbers (spec stores 5.3). The reference looks into a store from
 * its beginning to its end; here every message that came too early is held by a consumer of its own, unsettled, until it is its
 * turn. So it works on every kind of store, nothing leaves the store before it was processed, and a crash loses nothing.
 *
 *   receiving ──┬── number = next ─────────────► given out; next is advanced as it is settled (REQ-10)
 *       ▲       ├── number > next ─► held ─────► given out when next has come to it
 *       │       ├── number < next ─────────────► late: given out, dropped or failed (REQ-50)
 *       │       └── no number ─────────────────► given out as poison: fail store or dead-letter area
 *       └──── gap: waits for the missing number, at most `gapTimeoutMs`, and while no more than `window` are held
 */
export class ResequencingSource implements DeliverySource {
  readonly #rules: ResequencingRules;
  readonly #place: SequencePlace;
  readonly #open: () => DeliverySource;
  readonly #slots: Slot[] = [];
  readonly #order = new SequenceOrder<Slot>();
  #read = false;
  /** When it began to wait for the first messages, on the monotonic clock. */
  #begun: number | undefined;
  /** The store had messages when it was looked at first: the smallest of them is the first one. */
  #hadMessages: boolean | undefined;
  #gapSince: number | undefined;

  /** `open` makes one more consumer of the store. */
  constructor(rules: ResequencingRules, place: SequencePlace, open: () => DeliverySource) {
    this.#rules = rules;
    this.#place = place;
    this.#open = open;
  }

  async receive(signal: AbortSignal, waitMs?: number): Promise<Received | undefined> {
    await this.#load();
    const until = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs;
    for (;;) {
      if (signal.aborted) return undefined;
      await this.#giveUpLeft();
      this.#begin();
      const ready = this.#order.take();
      if (ready) {
        const late = this.#order.isLate(ready.number);
        const received = late
          ? await this.#giveOutLate(ready.item, ready.number)
          : this.#giveOut(ready.item, ready.number);
        if (received) return received;
        continue;
      }
      if (this.#gaveUpGap()) continue;
      const wait = Math.min(until, this.#wakeAt()) - performance.now();
      const slot = await this.#receiveOne(signal, wait);
      const received = slot && (await this.#sort(slot));
      if (received) return received;
      if (!slot && this.#hadMessages === undefined) {
        // The store is at its end: it can be known where to begin.
        this.#hadMessages = this.#order.size > 0;
        continue;
      }
      if (!slot && performance.now() >= until) return undefined;
    }
  }

  /** Gives back all that is held. Never throws. */
  async close(): Promise<void> {
    this.#order.remove(() => true);
    this.#gapSince = undefined;
    await Promise.all(this.#slots.splice(0).map(({ source }) => source.close()));
  }

  async #load(): Promise<void> {
    if (this.#read) return;
    this.#order.next = await this.#place.read();
    this.#read = true;
  }

  /** Held messages of a store that was replaced go back to it; those that the store has taken back come again. */
  async #giveUpLeft(): Promise<void> {
    const left = this.#order.remove(({ held }) => !held || held.leave.aborted || wasTakenBack(held.delivery));
    for (const slot of left) await this.#closeSlot(slot);
  }

  /** Decides which number is the first one, as soon as that can be known. */
  #begin(): void {
    const { initMessages, initWaitMs, processor, window } = this.#rules;
    if (this.#order.next !== undefined) return;
    this.#begun ??= performance.now();
    const { size } = this.#order;
    const over = size >= window || performance.now() - this.#begun >= Math.max(initWaitMs, EMPTY_AFTER_MS);
    if (over) this.#hadMessages ??= size > 0;
    const enough = over || this.#hadMessages === true || (this.#hadMessages === false && size >= initMessages);
    const first = this.#order.smallest();
    if (!enough || first === undefined) return;
    this.#order.next = first;
    log.info(`[${processor}] Starting sequence id recorded as:${first}`);
  }

  /** When something is to be decided even if no message comes, on the monotonic clock. */
  #wakeAt(): number {
    const { initWaitMs, gapTimeoutMs } = this.#rules;
    if (this.#hadMessages === undefined && this.#order.next === undefined) return performance.now() + EMPTY_AFTER_MS;
    if (this.#order.size === 0) return Number.POSITIVE_INFINITY;
    if (this.#order.next === undefined) return (this.#begun ?? 0) + initWaitMs;
    this.#gapSince ??= performance.now();
    return gapTimeoutMs === undefined ? Number.POSITIVE_INFINITY : this.#gapSince + gapTimeoutMs;
  }

  /** True when the number that is missing is not waited for any longer. */
  #gaveUpGap(): boolean {
    const { gapTimeoutMs, window, processor } = this.#rules;
    const { next, size } = this.#order;
    const smallest = this.#order.smallest();
    if (next === undefined || smallest === undefined) return false;
    const waited = this.#gapSince === undefined ? 0 : performance.now() - this.#gapSince;
    const expired = gapTimeoutMs !== undefined && waited >= gapTimeoutMs;
    if (!expired && size < window) return false;
    const why = expired
      ? `within ${gapTimeoutMs} ms`
      : `before ${size} later messages were there (x.resequence.window)`;
    log.warn(`[${processor}] Number ${next} did not come ${why}; it goes on with ${smallest}`);
    this.#order.next = smallest;
    this.#gapSince = undefined;
    return true;
  }

  /** The slot that has got one more message. */
  async #receiveOne(signal: AbortSignal, waitMs: number): Promise<Slot | undefined> {
    const [free, ...idle] = this.#slots.filter(({ held }) => held === undefined);
    // A broker may give messages to consumers that nobody asks.
    for (const other of idle) await this.#closeSlot(other);
    let slot = free;
    if (!slot) {
      slot = { source: this.#open(), held: undefined };
      this.#slots.push(slot);
    }
    const received = await slot.source.receive(signal, ...(Number.isFinite(waitMs) ? [Math.max(0, waitMs)] : []));
    if (!received) return undefined;
    const { message, poison } = received.delivery;
    slot.held = { ...received, id: message?.id ?? poison?.id ?? 'unknown' };
    return slot;
  }

  /** Holds a message that came too early; gives out or drops any other one. */
  async #sort(slot: Slot): Promise<Received | undefined> {
    const { held } = slot;
    if (!held) return undefined;
    // A broker that has lost our connection gives a message again: what was held is not ours any more.
    for (const other of this.#order.remove((known) => known.held?.id === held.id)) await this.#closeSlot(other);
    const { message } = held.delivery;
    if (!message) return this.#giveOut(slot, undefined);
    let number: bigint;
    try {
      number = this.#rules.numberOf(message);
    } catch (error) {
      log.warn(`[${this.#rules.processor}] Can't Find sequence number from message ${message.id}: ${String(error)}`, {
        ...aboutStored(this.#rules, message, message.id),
        cause: causeChain(error),
      });
      return this.#giveOut(slot, undefined, `it has no sequence number: ${String(error)}`);
    }
    if (this.#order.isLate(number)) return this.#giveOutLate(slot, number);
    this.#order.hold(number, slot);
    return undefined;
  }

  async #giveOutLate(slot: Slot, number: bigint): Promise<Received | undefined> {
    const { late, processor } = this.#rules;
    if (late === 'deliver') return this.#giveOut(slot, number);
    if (late === 'fail') return this.#giveOut(slot, undefined, `its sequence number ${number} was passed already`);
    const received = this.#giveOut(slot, number);
    if (!received) return undefined;
    const { delivery } = received;
    const id = delivery.message?.id ?? 'unknown';
    const about = aboutStored(this.#rules, delivery.message, id);
    log.info(`[${processor}] Message ${id} is dropped: its sequence number ${number} was passed already`, about);
    try {
      await delivery.done();
      this.#rules.discarded();
    } catch (error) {
      log.debug(`[${processor}] Message ${id} could not be dropped and comes again: ${String(error)}`, about);
      await delivery.release();
    }
    return undefined;
  }

  /** Whoever gets it settles it before the next one is asked for: the slot is free again. */
  #giveOut(slot: Slot, number: bigint | undefined, poisonReason?: string): Received | undefined {
    const { held } = slot;
    slot.held = undefined;
    if (!held) return undefined;
    const { delivery, leave } = held;
    if (poisonReason !== undefined) return { delivery: asPoison(delivery, poisonReason), leave };
    if (number === undefined || this.#order.isLate(number)) return { delivery, leave };
    this.#gapSince = undefined;
    return { delivery: this.#advancing(delivery, number), leave };
  }

  /**
   * The place is recorded before the store removes the message: after a crash in between it comes again and is late, but what comes
   * after it does not wait for it for ever.
   */
  #advancing(delivery: Delivery, number: bigint): Delivery {
    const advance = async (next: bigint) => {
      this.#order.next = next;
      await this.#place.write(next);
    };
    return {
      message: delivery.message,
      poison: delivery.poison,
      redelivered: delivery.redelivered,
      get settled() {
        return delivery.settled ?? false;
      },
      done: async () => {
        if (this.#order.next === number) await advance(number + 1n);
        await delivery.done();
      },
      release: () => delivery.release(),
      moveTo: async (store: MessageStore, message: StoredMessage) => {
        await advance(number + 1n);
        try {
          await delivery.moveTo(store, message);
        } catch (error) {
          await advance(number);
          throw error;
        }
      },
    };
  }

  async #closeSlot(slot: Slot): Promise<void> {
    slot.held = undefined;
    const at = this.#slots.indexOf(slot);
    if (at >= 0) this.#slots.splice(at, 1);
    await slot.source.close();
  }
}

/** A message that has no place in the order, for the fail store or the dead-letter area. */
function asPoison(delivery: Delivery, reason: string): Delivery {
  const { message } = delivery;
  const contentType = message?.body.contentType;
  const headers = [
    ...(message?.headers ?? []).filter(([name]) => name.toLowerCase() !== 'content-type'),
    ...(contentType === undefined ? [] : ([['Content-Type', contentType]] as const)),
  ];
  return {
    message: undefined,
    poison: { id: message?.id ?? 'unknown', reason, bytes: message?.body.bytes ?? new Uint8Array(), headers },
    redelivered: delivery.redelivered,
    get settled() {
      return delivery.settled ?? false;
    },
    done: () => delivery.done(),
    release: () => delivery.release(),
    // In a fail store it stays the message that it was.
    moveTo: (store, moved) => delivery.moveTo(store, message ? { ...message, history: moved.history } : moved),
  };
}
