import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { CallFailure, sendStockQuote } from '../../samples/stockquote/client.ts';
import {
  type Behaviour,
  type HttpRequest,
  type StockQuoteService,
  startStockQuoteService,
} from '../../samples/stockquote/service.ts';
import { freePorts } from './free-ports.ts';
import type { OrderHistory } from './history.ts';

/** Which order a message is about; undefined when it is about none. */
export function orderIn(body: string): string | undefined {
  return /symbol>([^<]+)</.exec(body)?.[1];
}

/** A sample back end that writes what comes, and what it accepts, into a history; it can go down and come up again on its port. */
export class BackEnd {
  readonly name: string;
  readonly port: number;
  readonly #history: OrderHistory;
  #behaviour: Behaviour = {};
  #service: StockQuoteService | undefined;

  constructor(name: string, port: number, history: OrderHistory) {
    this.name = name;
    this.port = port;
    this.#history = history;
  }

  async start(): Promise<void> {
    const service = await startStockQuoteService({
      httpPort: this.port,
      onRequest: (request) => this.#noteArrival(request),
      onAccepted: ({ symbol }) => {
        const at = performance.now();
        this.#history.add({ kind: 'accepted', order: symbol ?? '', backEnd: this.name, at });
      },
    });
    service.behave(this.#behaviour);
    this.#service = service;
  }

  #noteArrival({ body, headers }: HttpRequest): void {
    const order = orderIn(Buffer.from(body).toString('utf8'));
    if (order === undefined) return;
    const { 'x-message-id': messageId, 'x-delivery-attempt': attempt } = headers;
    this.#history.add({
      kind: 'arrived',
      order,
      backEnd: this.name,
      at: performance.now(),
      // More than one of them is not one either.
      messageId: typeof messageId === 'string' ? messageId : undefined,
      attempt: attempt === undefined ? undefined : Number(attempt),
    });
  }

  /** From the next request on, also after a restart. */
  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    this.#service?.behave(behaviour);
  }

  async stop(): Promise<void> {
    await this.#service?.close();
    this.#service = undefined;
  }
}

/** Back ends called `1`, `2`, …, on the given ports or on free ones. */
export async function startBackEnds(
  history: OrderHistory,
  count: number,
  ports?: readonly number[],
): Promise<BackEnd[]> {
  const chosen = ports ?? (await freePorts(count));
  const backEnds = chosen.slice(0, count).map((port, index) => new BackEnd(String(index + 1), port, history));
  await Promise.all(backEnds.map((backEnd) => backEnd.start()));
  return backEnds;
}

/** How an order ended for its client. */
export interface PlacedOrder {
  readonly order: string;
  /** Undefined: no answer came. */
  readonly status: number | undefined;
  /** What the client was told instead of a 2xx. */
  readonly failure: string | undefined;
  readonly ms: number;
}

export interface OrderClientOptions {
  /** Asked for every order: ports may change with a restart. */
  readonly url: () => string;
  readonly history: OrderHistory;
  /** ms for one whole exchange; default 20,000. */
  readonly timeoutMs?: number;
  /** Goes before the number of each order; to be different for each client of a history. Default `ORD`. */
  readonly prefix?: string;
}

/** Places orders with unique symbols over kept-alive connections, and writes what it sees into the history. */
export class OrderClient {
  readonly #options: OrderClientOptions;
  readonly #agent = new Agent({ keepAlive: true });
  #number = 0;

  constructor(options: OrderClientOptions) {
    this.#options = options;
  }

  /** Sends one order; never throws for what the server does. */
  async place(): Promise<PlacedOrder> {
    const { url, history, timeoutMs = 20_000, prefix = 'ORD' } = this.#options;
    this.#number += 1;
    const order = `${prefix}${this.#number}`;
    const began = performance.now();
    history.add({ kind: 'sent', order, at: began });
    try {
      const options = { addurl: url(), mode: 'placeorder', symbol: order, timeoutMs, agent: this.#agent } as const;
      const { status } = await sendStockQuote(options);
      const at = performance.now();
      history.add(status === 202 ? { kind: 'confirmed', order, at } : { kind: 'refused', order, at, status });
      return { order, status, failure: undefined, ms: at - began };
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      const { status, message } = error;
      const at = performance.now();
      if (status === undefined) history.add({ kind: 'unanswered', order, at, reason: message });
      else history.add({ kind: 'refused', order, at, status });
      return { order, status, failure: message, ms: at - began };
    }
  }

  /** Sends `count` orders, `atOnce` at a time. */
  async placeMany(count: number, atOnce = 8): Promise<PlacedOrder[]> {
    const placed: PlacedOrder[] = [];
    let begun = 0;
    const lane = async (): Promise<void> => {
      while (begun < count) {
        begun += 1;
        placed.push(await this.place());
      }
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    return placed;
  }

  /** Sends orders without end in `atOnce` lanes, each with a pause after each order, longer after one that failed. */
  stream({ atOnce = 4, pauseMs = 0 }: { atOnce?: number; pauseMs?: number } = {}): OrderStream {
    const stopping = new AbortController();
    const lane = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        const { status } = await this.place();
        await delay(status === 202 ? pauseMs : Math.max(pauseMs, PAUSE_AFTER_FAILURE_MS));
      }
    };
    const lanes = Promise.all(Array.from({ length: atOnce }, lane));
    // Awaited by stop(), which comes later.
    lanes.catch(() => {});
    return {
      async stop() {
        stopping.abort();
        await lanes;
      },
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

const PAUSE_AFTER_FAILURE_MS = 50;

export interface OrderStream {
  /** Sends nothing new; resolves when the last answer is there. */
  stop(): Promise<void>;
}
