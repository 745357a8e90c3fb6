import type { Fault, OrderEvent } from './history.ts';

/** Whether messages kept who they are on their way (OP-05). */
export interface Identity {
  /** Orders that came to a back end without a message id, or under more ids than they were sent times. */
  readonly unidentified: readonly string[];
  /** Message ids under which more than one order came. */
  readonly sharedIds: readonly string[];
  /** Orders that came without an attempt number, or again to a back end, no fault between, with one that was not higher. */
  readonly miscounted: readonly string[];
}

type Arrival = OrderEvent & { readonly kind: 'arrived' };

/**
 * Judges the headers of everything that came to a back end, accepted or not. Each time that a client sends an order makes a message
 * of its own, with an id of its own; retries, redeliveries, copies and moves are the same message.
 */
export function identityIn(events: readonly OrderEvent[], faults: readonly Fault[]): Identity {
  const arrivals = events.filter((event) => event.kind === 'arrived').toSorted((left, right) => left.at - right.at);
  const timesSent = new Map<string, number>();
  for (const { kind, order } of events) if (kind === 'sent') timesSent.set(order, (timesSent.get(order) ?? 0) + 1);
  const ofOrder = Map.groupBy(arrivals, ({ order }) => order);
  const ofId = Map.groupBy(arrivals, ({ messageId }) => messageId);
  const ordersWhere = (wrong: (own: readonly Arrival[], order: string) => boolean) =>
    [...ofOrder].filter(([order, own]) => wrong(own, order)).map(([order]) => order);
  return {
    unidentified: ordersWhere((own, order) => {
      const ids = new Set(own.map(({ messageId }) => messageId));
      return ids.has(undefined) || ids.size > Math.max(1, timesSent.get(order) ?? 0);
    }),
    sharedIds: [...ofId].flatMap(([id, own]) =>
      id !== undefined && new Set(own.map(({ order }) => order)).size > 1 ? [id] : [],
    ),
    miscounted: miscountedIn(ofOrder, events, faults),
  };
}

/** How many copies a fault may have left of the messages that were sent before it was over. */
interface CopiesLeft {
  readonly from: number;
  readonly to: number;
  left: number;
}

function miscountedIn(
  ofOrder: ReadonlyMap<string, readonly Arrival[]>,
  events: readonly OrderEvent[],
  faults: readonly Fault[],
): string[] {
  const sentAt = new Map<string, number>();
  for (const { kind, order, at } of events) if (kind === 'sent' && !sentAt.has(order)) sentAt.set(order, at);
  const copies = faults.map(
    ({ from, to, movedTwice = 0, storedTwice = 0 }): CopiesLeft => ({ from, to, left: movedTwice + storedTwice }),
  );
  return [...ofOrder].flatMap(([order, own]) => {
    const isUncounted = own.some(({ attempt }) => !Number.isSafeInteger(attempt) || Number(attempt) < 1);
    const begun = sentAt.get(order) ?? Number.NEGATIVE_INFINITY;
    const repeats = repeatsOf(own, faults);
    return isUncounted || !repeats.every(({ at }) => chargeCopy(copies, begun, at)) ? [order] : [];
  });
}

/** Arrivals whose number is not higher than the one before, without a fault between that would explain it. */
function repeatsOf(arrivals: readonly Arrival[], faults: readonly Fault[]): Arrival[] {
  // Another processor counts anew, and so does whoever takes up a message after a fault.
  const last = new Map<string, Arrival>();
  return arrivals.filter((arrival) => {
    const key = `${arrival.backEnd}\n${arrival.messageId}`;
    const before = last.get(key);
    last.set(key, arrival);
    return before && Number(arrival.attempt) <= Number(before.attempt) && !anyBetween(faults, before.at, arrival.at);
  });
}

/** A copy that a fault has left of a message is attempted for the first time, too. @returns whether there may have been one */
function chargeCopy(copies: readonly CopiesLeft[], sentAt: number, arrivedAt: number): boolean {
  const fault = copies.find(({ from, to, left }) => left > 0 && sentAt <= to && from <= arrivedAt);
  if (!fault) return false;
  fault.left -= 1;
  return true;
}

function anyBetween(faults: readonly Fault[], from: number, to: number): boolean {
  return faults.some((fault) => fault.from <= to && fault.to >= from);
}
