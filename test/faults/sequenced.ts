import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { CallFailure, sendStockQuote } from '../../samples/stockquote/client.ts';
import type { OrderEvent, OrderHistory } from '../support/history.ts';
import type { OrderStream } from '../support/orders.ts';
import { Random } from './random.ts';
import type { DurableStore } from './stores.ts';

/*
 * The resequence store under faults. Orders are called 1, 2, 3, …; clients take the next number, several at once, and repeat it until
 * it is confirmed. So no number stays away for good, and the store may wait for each as long as it takes: what comes to the back ends
 * must have no gap and no step back, however often the runtime was killed. Of numbers that were stored again, as their first answer
 * was lost, the store drops the later ones: they cost no duplicates.
 */

const RESEQUENCE = 'org.apache.synapse.message.store.impl.resequencer.ResequenceMessageStore';
const PARAMETERS = {
  'store.resequence.id.path': { expression: "//*[local-name()='symbol']" },
  // For ever.
  'store.resequence.timeout': '-1',
  'x.resequence.late': 'drop',
} as const;
/** An embedded database and a server; the others differ in their dialects only. */
const DATABASES: readonly string[] = ['SQLite', 'PostgreSQL'];

const TIMEOUT_MS = 20_000;
const PAUSE_AFTER_FAILURE_MS = 50;
/** So many pauses at most before an order is sent: fewer orders than are delivered, as a store that has a backlog need not wait for any. */
const HELD_BACK = 6;

/** Resequence stores in the databases of these stores, whose servers they share. */
export function sequencedStores(stores: readonly DurableStore[]): readonly DurableStore[] {
  return stores.filter(({ name }) => DATABASES.includes(name)).map(sequenced);
}

function sequenced(store: DurableStore): DurableStore {
  return {
    ...store,
    name: `resequence on ${store.name}`,
    storeClass: RESEQUENCE,
    sequenced: true,
    async start() {
      const medium = await store.start();
      return { ...medium, parameters: (...where) => ({ ...medium.parameters(...where), ...PARAMETERS }) };
    },
  };
}

export interface NumberedClientOptions {
  readonly url: string;
  readonly history: OrderHistory;
  /** Different for each client of a flow. */
  readonly lane: number;
  /** The next number; clients of one flow share it. */
  readonly next: () => number;
}

/** Sends one number after the other, each until it is confirmed, and writes what it sees into the history. */
export class NumberedClient {
  readonly #options: NumberedClientOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #random: Random;
  #closed = false;

  constructor(options: NumberedClientOptions) {
    this.#options = options;
    this.#random = new Random(`lane ${options.lane}`);
  }

  stream({ pauseMs }: { readonly pauseMs: number }): OrderStream {
    let stopping = false;
    const lane = async (): Promise<void> => {
      while (!stopping && !this.#closed) {
        const order = String(this.#options.next());
        // Before it is sent: others overtake it.
        await delay(this.#random.between(0, HELD_BACK * pauseMs));
        await this.#insist(order);
      }
    };
    const done = lane();
    // Awaited by stop(), which comes later.
    done.catch(() => {});
    return {
      // What was begun is confirmed first: nobody else sends its number.
      stop() {
        stopping = true;
        return done;
      },
    };
  }

  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  async #insist(order: string): Promise<void> {
    while (!this.#closed && !(await this.#place(order))) await delay(PAUSE_AFTER_FAILURE_MS);
  }

  async #place(order: string): Promise<boolean> {
    const { url, history } = this.#options;
    history.add({ kind: 'sent', order, at: performance.now() });
    try {
      const options = { addurl: url, mode: 'placeorder', symbol: order, timeoutMs: TIMEOUT_MS } as const;
      const { status } = await sendStockQuote({ ...options, agent: this.#agent });
      const at = performance.now();
      history.add(status === 202 ? { kind: 'confirmed', order, at } : { kind: 'refused', order, at, status });
      return status === 202;
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      const { status, message: reason } = error;
      const at = performance.now();
      if (status === undefined) history.add({ kind: 'unanswered', order, at, reason });
      else history.add({ kind: 'refused', order, at, status });
      return false;
    }
  }
}

/** Numbers that were first accepted when a higher one had been already; repeats do not count. */
export function outOfSequence(events: readonly OrderEvent[]): readonly string[] {
  const seen = new Set<string>();
  const late: string[] = [];
  let highest = 0;
  for (const { kind, order } of events) {
    if (kind !== 'accepted' || seen.has(order)) continue;
    seen.add(order);
    if (Number(order) < highest) late.push(order);
    highest = Math.max(highest, Number(order));
  }
  return late;
}
