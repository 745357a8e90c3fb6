import { type Verdict, verdictOn } from './history-verdict.ts';

export type { Verdict } from './history-verdict.ts';

/** One thing that a client, a back end or a look into a store saw. Times are of performance.now(). */
export type OrderEvent =
  /** A client began to send it: it was attempted. */
  | { readonly kind: 'sent'; readonly order: string; readonly at: number }
  /** The client has its 202: from here on it must not be lost. */
  | { readonly kind: 'confirmed'; readonly order: string; readonly at: number }
  /** The client has another answer. */
  | { readonly kind: 'refused'; readonly order: string; readonly at: number; readonly status: number }
  /** The client has no answer: nobody knows whether the order was stored. */
  | { readonly kind: 'unanswered'; readonly order: string; readonly at: number; readonly reason: string }
  /** It has come to a back end as a whole, whatever that does about it, with these headers (OP-05). */
  | {
      readonly kind: 'arrived';
      readonly order: string;
      readonly at: number;
      readonly backEnd: string;
      /** `X-Message-ID` */
      readonly messageId: string | undefined;
      /** `X-Delivery-Attempt`; NaN when it is no number. */
      readonly attempt: number | undefined;
    }
  /** A back end has accepted it. */
  | { readonly kind: 'accepted'; readonly order: string; readonly at: number; readonly backEnd: string }
  /** It was seen where undeliverable messages are put, or in a store at the end: not delivered, but not lost. */
  | { readonly kind: 'found'; readonly order: string; readonly at: number; readonly where: string };

/**
 * Something that may cost duplicates: whoever was delivering had no time to settle. Without a fault no order may be accepted twice.
 */
export interface Fault {
  readonly what: string;
  /** The last moment at which all was well, of performance.now(). */
  readonly from: number;
  /** When nothing of what was in flight can be accepted any more. */
  readonly to: number;
  /**
   * The in-flight window: how many orders may have been accepted and not yet settled, for each back end. 0: it costs none, as when
   * the runtime lives through it.
   */
  readonly window: number;
  /** How many of those that were being stored meanwhile may be in the store twice: the answer to the first put was lost. Default 0. */
  readonly storedTwice?: number;
  /** How many orders may have been left in two stores, on their way from one to the other. Default 0. */
  readonly movedTwice?: number;
  /** What was removed from the store in so many ms before it may come again: the server had not written that yet. Default 0. */
  readonly forgetsMs?: number;
  /** How many orders may be overtaken in being redelivered. Default 0. */
  readonly overtaken?: number;
}

/** Everything that the outside has seen of a flow, in the order in which it happened. */
export class OrderHistory {
  readonly events: OrderEvent[] = [];
  readonly faults: Fault[] = [];
  readonly #counts = { sent: 0, confirmed: 0, refused: 0, unanswered: 0, arrived: 0, accepted: 0, found: 0 };
  readonly #seen = new Set<string>();
  readonly #accepted = new Set<string>();
  readonly #confirmedOpen = new Set<string>();

  add(event: OrderEvent): void {
    this.events.push(event);
    this.#counts[event.kind] += 1;
    const { kind, order } = event;
    if (kind === 'accepted') this.#accepted.add(order);
    if (kind === 'accepted' || kind === 'found') {
      this.#seen.add(order);
      this.#confirmedOpen.delete(order);
    }
    if (kind === 'confirmed' && !this.#seen.has(order)) this.#confirmedOpen.add(order);
  }

  addFault(fault: Fault): void {
    this.faults.push(fault);
  }

  /** How many events there are of a kind. */
  count(kind: OrderEvent['kind']): number {
    return this.#counts[kind];
  }

  hasAccepted(order: string): boolean {
    return this.#accepted.has(order);
  }

  /** Confirmed orders that no back end has accepted yet, and that were not found elsewhere. */
  get undelivered(): number {
    return this.#confirmedOpen.size;
  }

  /** Some of them, the oldest first. */
  someUndelivered(most = 5): readonly string[] {
    return [...this.#confirmedOpen].slice(0, most);
  }

  /** The first event of a kind at or after a time. */
  firstSince(kind: OrderEvent['kind'], at: number): OrderEvent | undefined {
    return this.events.find((event) => event.kind === kind && event.at >= at);
  }

  /**
   * @param stillStored orders that are in a store, hence not lost
   * @param keyOf the ordering key of an order, where an order is promised; undefined: none
   */
  verdict(stillStored: Iterable<string> = [], keyOf?: (order: string) => string | undefined): Verdict {
    return verdictOn(this.events, { stillStored, faults: this.faults, ...(keyOf && { keyOf }) });
  }
}
