import type { StoredMessage } from '../stores/stored-message.ts';
import { Turn } from './turn.ts';

/** A message's place among those of the same key. */
export interface Place {
  /**
   * True when all earlier ones have left the store; false when one of them went back: this one has to go back too, as it would
   * overtake it.
   */
  readonly free: Promise<boolean>;
  /** When it has left the store, or is back in it. */
  leave(gone: boolean): void;
}

/** What ordering asks of the worker that has the turn. */
export interface OrderedWorker {
  /** Waits for the turn; false when halted before. */
  take(halt: AbortSignal): Promise<boolean>;
  /** The same before a message is settled, which cannot be halted. */
  takeToSettle(): Promise<void>;
  /** While it has nothing to do: the listener hears that another worker wants to settle. */
  whenWanted(listener: (() => void) | undefined): void;
  /** Hands the turn on, if it is ours. What its consumer may still be given must be given up before. */
  release(): void;
  /** Gives up what the consumer may still be given, and the turn, if it is ours: nothing is wanted for a while. */
  rest(): Promise<void>;
}

const ALWAYS = Promise.resolve(true);

/**
 * Several workers, each with a consumer of its own, and yet messages with the same key one after the other in the order of their
 * store (OP-29). Two things make it so:
 *
 * - Only one consumer at a time can be given a message, so that the order in which workers get them is that of the store: the turn.
 *   A worker takes it to receive. It also takes it to settle, because a broker then pushes the next message; it goes on with that
 *   one. Who has the turn, waits for messages and sees another one who wants to settle closes its consumer and hands the turn over.
 * - A message queues behind the earlier ones with its key until they have left the store. If one goes back, those behind it do so too.
 */
export class Ordering {
  readonly #keyOf: (stored: StoredMessage) => string | undefined;
  readonly #turn = new Turn();
  /** Key -> its messages in the hands of workers, in their order; the first one is being delivered. */
  readonly #lanes = new Map<string, Queued[]>();

  /** `keyOf`: undefined for messages that need no order. */
  constructor(keyOf: (stored: StoredMessage) => string | undefined) {
    this.#keyOf = keyOf;
  }

  /** `closeConsumer` gives back what was not asked for yet; never rejects. */
  worker(closeConsumer: () => Promise<void>): OrderedWorker {
    let mine = false;
    const turn = this.#turn;
    const release = () => {
      if (!mine) return;
      mine = false;
      turn.release();
    };
    return {
      async take(signal) {
        mine ||= await turn.take({ signal });
        return mine;
      },
      async takeToSettle() {
        mine ||= await turn.take({ urgent: true });
      },
      whenWanted: (listener) => turn.whenUrgent(listener),
      release,
      async rest() {
        if (!mine) return;
        await closeConsumer();
        release();
      },
    };
  }

  /** To be called in the order of the store, that is with the turn. */
  queue(stored: StoredMessage | undefined): Place {
    const key = stored && this.#keyOf(stored);
    if (stored === undefined || key === undefined) return { free: ALWAYS, leave: () => undefined };
    const lane = this.#lanes.get(key) ?? [];
    this.#lanes.set(key, lane);
    let proceed: (inOrder: boolean) => void = () => undefined;
    const free = new Promise<boolean>((resolve) => (proceed = resolve));
    const queued: Queued = { id: stored.id, proceed };
    lane.push(queued);
    if (lane.length === 1) proceed(true);
    return { free, leave: (gone) => this.#leave(key, lane, queued, gone) };
  }

  #leave(key: string, lane: Queued[], leaver: Queued, gone: boolean): void {
    const index = lane.indexOf(leaver);
    lane.splice(index, 1);
    if (!gone) sendBack(lane.slice(index), leaver.id);
    if (lane.length === 0) this.#lanes.delete(key);
    else if (index === 0) lane[0]?.proceed(true);
  }
}

/** Those who were received before the message came back would overtake it; those who were received after it would not. */
function sendBack(behind: readonly Queued[], id: string): void {
  const again = behind.findIndex((queued) => queued.id === id);
  for (const queued of again === -1 ? behind : behind.slice(0, again)) queued.proceed(false);
}

interface Queued {
  readonly id: string;
  /** The first call counts. */
  readonly proceed: (inOrder: boolean) => void;
}
