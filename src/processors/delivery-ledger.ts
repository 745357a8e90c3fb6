import { CrashJournal } from './crash-journal.ts';
import { endsBefore } from './waiting.ts';

/** An acknowledgement that is pending longer than this never comes again, ms. */
const REMEMBERED_MS = 60 * 60 * 1000;
const MAX_REMEMBERED = 10_000;

/**
 * Keeps a message from being sent twice by this process (REQ-31, REQ-32). It knows two things, per store and message id: what is
 * in flight right now, and what was delivered but could not be settled, because the connection to the medium was lost in between.
 * Such a message comes again, perhaps to another worker or processor, and then is only settled. Ids are forgotten as soon as
 * settling succeeds, so a message that an operator stores again is a new one.
 */
export class DeliveryLedger {
  /** The part of it that outlives the process (OP-06). */
  readonly crashes = new CrashJournal();
  readonly #inFlight = new Map<string, Promise<void>>();
  /** Key -> when it was delivered (epoch ms); the oldest first. */
  readonly #unsettled = new Map<string, number>();

  /** Messages that were delivered and wait for their acknowledgement. */
  get pending(): number {
    return this.#unsettled.size;
  }

  /**
   * Claims a message for one worker, after whoever has it now; undefined when the signal was aborted while waiting for that.
   */
  async claim(store: string, id: string, signal: AbortSignal): Promise<DeliveryClaim | undefined> {
    const key = `${store}\n${id}`;
    for (let other = this.#inFlight.get(key); other; other = this.#inFlight.get(key)) {
      if (!(await endsBefore(signal, other))) return undefined;
    }
    let end: () => void = () => undefined;
    this.#inFlight.set(key, new Promise((resolve) => (end = resolve)));
    return {
      delivered: this.#wasDelivered(key),
      unsettled: () => this.#remember(key),
      settled: () => void this.#unsettled.delete(key),
      end: () => {
        this.#inFlight.delete(key);
        end();
      },
    };
  }

  /** An operator puts the message there again: it is a new one, whatever became of it before (OP-62). */
  forget(store: string, id: string): void {
    this.#unsettled.delete(`${store}\n${id}`);
    this.crashes.forget(store, id);
  }

  #wasDelivered(key: string): boolean {
    const at = this.#unsettled.get(key);
    return at !== undefined && Date.now() - at < REMEMBERED_MS;
  }

  #remember(key: string): void {
    this.#unsettled.delete(key);
    this.#unsettled.set(key, Date.now());
    for (const oldest of this.#unsettled.keys()) {
      if (this.#unsettled.size <= MAX_REMEMBERED) break;
      this.#unsettled.delete(oldest);
    }
  }
}

/** One message in the hands of one worker. */
export interface DeliveryClaim {
  /** It was delivered before; only its settling is missing. */
  readonly delivered: boolean;
  /** It was delivered (or is to be gone), but is not settled: it may come again. */
  unsettled(): void;
  settled(): void;
  /** Lets others have it. */
  end(): void;
}
