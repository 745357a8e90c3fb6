/** One thing that a client or a back end saw. Times are of performance.now(). */
export type OrderEvent =
  /** A client began to send it. */
  | { readonly kind: 'sent'; readonly order: string; readonly at: number }
  /** The client has its 202: from here on it must not be lost. */
  | { readonly kind: 'confirmed'; readonly order: string; readonly at: number }
  /** The client has another answer. */
  | { readonly kind: 'refused'; readonly order: string; readonly at: number; readonly status: number }
  /** The client has no answer: nobody knows whether the order was stored. */
  | { readonly kind: 'unanswered'; readonly order: string; readonly at: number; readonly reason: string }
  /** A back end has accepted it. */
  | { readonly kind: 'accepted'; readonly order: string; readonly at: number; readonly backEnd: string };

/** What became of the orders (operator-requirements 15). */
export interface Verdict {
  readonly sent: number;
  readonly confirmed: number;
  readonly refused: number;
  readonly unanswered: number;
  /** Orders that some back end accepted, each once. */
  readonly delivered: number;
  /** Back end -> how many acceptances, repeated ones included. */
  readonly acceptedBy: Readonly<Record<string, number>>;
  /** Confirmed, but neither accepted nor still stored. */
  readonly lost: readonly string[];
  /** Accepted, but never sent. */
  readonly invented: readonly string[];
  /** Accepted, but their clients had no answer. */
  readonly unansweredButAccepted: readonly string[];
  /** Accepted more than once: order -> times. */
  readonly duplicated: Readonly<Record<string, number>>;
  /** Acceptances beyond the first one of each order. */
  readonly duplicates: number;
}

/** Everything that the outside has seen of a flow, in the order in which it happened. */
export class OrderHistory {
  readonly events: OrderEvent[] = [];
  readonly #counts = { sent: 0, confirmed: 0, refused: 0, unanswered: 0, accepted: 0 };
  readonly #accepted = new Set<string>();
  readonly #confirmedOpen = new Set<string>();

  add(event: OrderEvent): void {
    this.events.push(event);
    this.#counts[event.kind] += 1;
    if (event.kind === 'accepted') {
      this.#accepted.add(event.order);
      this.#confirmedOpen.delete(event.order);
    }
    if (event.kind === 'confirmed' && !this.#accepted.has(event.order)) this.#confirmedOpen.add(event.order);
  }

  /** How many events there are of a kind. */
  count(kind: OrderEvent['kind']): number {
    return this.#counts[kind];
  }

  hasAccepted(order: string): boolean {
    return this.#accepted.has(order);
  }

  /** Confirmed orders that no back end has accepted yet. */
  get undelivered(): number {
    return this.#confirmedOpen.size;
  }

  /** The first event of a kind at or after a time. */
  firstSince(kind: OrderEvent['kind'], at: number): OrderEvent | undefined {
    return this.events.find((event) => event.kind === kind && event.at >= at);
  }

  /** `stillStored`: orders that are in a store, hence not lost. */
  verdict(stillStored: Iterable<string> = []): Verdict {
    return verdictOn(this.events, stillStored);
  }
}

/** Compares what was promised with what happened. */
export function verdictOn(events: readonly OrderEvent[], stillStored: Iterable<string> = []): Verdict {
  const stored = new Set(stillStored);
  const sent = ordersOf(events, 'sent');
  const times = new Map<string, number>();
  const acceptedBy: Record<string, number> = {};
  for (const event of events) {
    if (event.kind !== 'accepted') continue;
    times.set(event.order, (times.get(event.order) ?? 0) + 1);
    acceptedBy[event.backEnd] = (acceptedBy[event.backEnd] ?? 0) + 1;
  }
  const confirmed = ordersOf(events, 'confirmed');
  const unanswered = ordersOf(events, 'unanswered');
  const repeated = [...times].filter(([, count]) => count > 1);
  return {
    sent: sent.size,
    confirmed: confirmed.size,
    refused: ordersOf(events, 'refused').size,
    unanswered: unanswered.size,
    delivered: times.size,
    acceptedBy,
    lost: [...confirmed].filter((order) => !times.has(order) && !stored.has(order)),
    invented: [...times.keys()].filter((order) => !sent.has(order)),
    unansweredButAccepted: [...unanswered].filter((order) => times.has(order)),
    duplicated: Object.fromEntries(repeated),
    duplicates: repeated.reduce((sum, [, count]) => sum + count - 1, 0),
  };
}

function ordersOf(events: readonly OrderEvent[], kind: OrderEvent['kind']): Set<string> {
  return new Set(events.filter((event) => event.kind === kind).map(({ order }) => order));
}
