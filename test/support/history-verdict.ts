import type { Fault, OrderEvent } from './history.ts';
import { type Identity, identityIn } from './history-identity.ts';

/** What became of the orders (operator-requirements 15). */
export interface Verdict extends Identity {
  /** Attempted. */
  readonly sent: number;
  readonly confirmed: number;
  readonly refused: number;
  readonly unanswered: number;
  /** Orders that some back end accepted, each once. */
  readonly delivered: number;
  /** Back end -> how many acceptances, repeated ones included. */
  readonly acceptedBy: Readonly<Record<string, number>>;
  /** Confirmed, but neither accepted nor found anywhere. */
  readonly lost: readonly string[];
  /** Accepted or found, but never sent. */
  readonly invented: readonly string[];
  /** Confirmed, not accepted, and found: place -> orders. */
  readonly putAside: Readonly<Record<string, number>>;
  /** Accepted, but their clients had no answer. */
  readonly unansweredButAccepted: readonly string[];
  /** Accepted more than once: order -> times. */
  readonly duplicated: Readonly<Record<string, number>>;
  /** Acceptances beyond the first one of each order. */
  readonly duplicates: number;
  /** Orders with a duplicate that no fault accounts for. */
  readonly unexplained: readonly string[];
  /** Orders that a later one of the same key has overtaken, beyond what faults account for. */
  readonly outOfOrder: readonly string[];
}

export interface VerdictOptions {
  readonly stillStored?: Iterable<string>;
  readonly faults?: readonly Fault[];
  /** Default: no order has a key, nothing can be out of order. */
  readonly keyOf?: (order: string) => string | undefined;
}

type Acceptance = OrderEvent & { readonly kind: 'accepted' };

/** One order with all that happened to it. */
interface OrderLife {
  sentAt: number | undefined;
  confirmedAt: number | undefined;
  /** Whatever the answer was, or that there was none. */
  answeredAt: number | undefined;
  readonly accepted: Acceptance[];
  foundIn: string | undefined;
}

/**
 * Compares what was promised with what happened.
 *
 * - **Lost**: confirmed, and neither accepted by a back end nor found (fail store, dead letter, still stored).
 * - **Duplicate within the window**: an order may be accepted again after a fault if its acceptance before was possibly unsettled when the
 *   fault came. A worker settles before it takes the next message, so that this is the last acceptance of its back end before the
 *   fault (the last `window` ones), or one during the fault; and `window` repeats for each back end and fault at most. What was moving between stores may be in both (`movedTwice`), and what was
 *   being stored may be there twice (`storedTwice`).
 * - **Out of order**, for one key: an order was first accepted after another one that was sent only when it had been confirmed. Repeats do not
 *   count: a redelivery comes after its successors by nature.
 */
export function verdictOn(events: readonly OrderEvent[], options: VerdictOptions = {}): Verdict {
  const { stillStored = [], faults = [], keyOf } = options;
  const lives = livesOf(events);
  for (const order of stillStored) lifeOf(lives, order).foundIn ??= 'store';
  const ofKind = (kind: OrderEvent['kind']) => ordersOf(events, kind);
  const acceptances = events.filter((event) => event.kind === 'accepted');
  const orders = [...lives];
  const select = (test: (life: OrderLife) => boolean) => orders.filter(([, life]) => test(life)).map(([name]) => name);
  const confirmed = ofKind('confirmed');
  const unanswered = ofKind('unanswered');
  const repeated = orders.filter(([, { accepted }]) => accepted.length > 1);
  return {
    sent: ofKind('sent').size,
    confirmed: confirmed.size,
    refused: ofKind('refused').size,
    unanswered: unanswered.size,
    delivered: select(({ accepted }) => accepted.length > 0).length,
    acceptedBy: tally(acceptances.map(({ backEnd }) => backEnd)),
    lost: select((life) => life.confirmedAt !== undefined && life.accepted.length === 0 && life.foundIn === undefined),
    invented: select((life) => life.sentAt === undefined && (life.accepted.length > 0 || life.foundIn !== undefined)),
    putAside: tally(
      orders.flatMap(([name, { foundIn, accepted }]) =>
        confirmed.has(name) && foundIn !== undefined && accepted.length === 0 ? [foundIn] : [],
      ),
    ),
    unansweredButAccepted: [...unanswered].filter((order) => (lives.get(order)?.accepted.length ?? 0) > 0),
    duplicated: Object.fromEntries(repeated.map(([name, { accepted }]) => [name, accepted.length])),
    duplicates: repeated.reduce((sum, [, { accepted }]) => sum + accepted.length - 1, 0),
    unexplained: unexplainedDuplicates(repeated, acceptances, faults),
    outOfOrder: keyOf ? overtakenOrders(orders, keyOf, faults) : [],
    ...identityIn(events, faults),
  };
}

function livesOf(events: readonly OrderEvent[]): Map<string, OrderLife> {
  const lives = new Map<string, OrderLife>();
  for (const event of events) {
    // What it came with is judged by identityIn().
    if (event.kind === 'arrived') continue;
    const life = lifeOf(lives, event.order);
    if (event.kind === 'sent') life.sentAt ??= event.at;
    else if (event.kind === 'accepted') life.accepted.push(event);
    else if (event.kind === 'found') life.foundIn ??= event.where;
    else life.answeredAt ??= event.at;
    if (event.kind === 'confirmed') life.confirmedAt ??= event.at;
  }
  for (const { accepted } of lives.values()) accepted.sort((left, right) => left.at - right.at);
  return lives;
}

function lifeOf(lives: Map<string, OrderLife>, order: string): OrderLife {
  let life = lives.get(order);
  if (!life) {
    life = { sentAt: undefined, confirmedAt: undefined, answeredAt: undefined, accepted: [], foundIn: undefined };
    lives.set(order, life);
  }
  return life;
}

/** An order that was accepted once more. */
interface Repeat {
  readonly life: OrderLife;
  readonly before: Acceptance;
  readonly again: Acceptance;
}

/** One duplicate that a fault may have brought about: tells whether it can be this one. */
type Excuse = (repeat: Repeat) => boolean;

function unexplainedDuplicates(
  repeated: ReadonlyArray<readonly [string, OrderLife]>,
  acceptances: readonly Acceptance[],
  faults: readonly Fault[],
): string[] {
  const sorted = acceptances.toSorted((left, right) => left.at - right.at);
  const backEnds = new Set(sorted.map(({ backEnd }) => backEnd));
  const excuses = faults.flatMap((fault) => excusesOf(fault, sorted, backEnds));
  const usedBy = new Map<Excuse, Repeat>();
  const unexplained = new Set<string>();
  for (const [order, life] of repeated) {
    for (const [index, again] of life.accepted.entries()) {
      const before = life.accepted[index - 1];
      if (!before || wasForgotten(faults, before, again)) continue;
      if (!excused({ life, before, again }, excuses, usedBy, new Set())) unexplained.add(order);
    }
  }
  return [...unexplained];
}

/** As many as the fault can account for. */
function excusesOf(fault: Fault, sorted: readonly Acceptance[], backEnds: Iterable<string>): Excuse[] {
  const { from, to, window, storedTwice = 0, movedTwice = 0 } = fault;
  const unsettled = unsettledAt(fault, sorted);
  const inFlight = [...backEnds].flatMap((backEnd) =>
    times(window, ({ before, again }) => before.backEnd === backEnd && again.at >= from && unsettled.has(before)),
  );
  const moving: Excuse = ({ life, again }) => (life.sentAt ?? 0) <= to && again.at >= from;
  const storing: Excuse = ({ life }) => wasBeingStored(life, fault);
  return [...inFlight, ...times(movedTwice, moving), ...times(storedTwice, storing)];
}

function times(count: number, excuse: Excuse): Excuse[] {
  return Array.from({ length: count }, () => (repeat: Repeat) => excuse(repeat));
}

/**
 * Finds an excuse that nobody uses; one that is used will do when its user finds another one: faults that come close together can
 * account for the same duplicates.
 */
function excused(repeat: Repeat, excuses: readonly Excuse[], usedBy: Map<Excuse, Repeat>, asked: Set<Excuse>): boolean {
  for (const excuse of excuses) {
    if (asked.has(excuse) || !excuse(repeat)) continue;
    asked.add(excuse);
    const user = usedBy.get(excuse);
    if (user && !excused(user, excuses, usedBy, asked)) continue;
    usedBy.set(excuse, repeat);
    return true;
  }
  return false;
}

function unsettledAt(fault: Fault, sorted: readonly Acceptance[]): ReadonlySet<Acceptance> {
  const unsettled = new Set<Acceptance>();
  if (fault.window === 0) return unsettled;
  const before = new Map<string, Acceptance[]>();
  for (const acceptance of sorted) {
    if (acceptance.at > fault.to) break;
    if (acceptance.at >= fault.from) unsettled.add(acceptance);
    else before.set(acceptance.backEnd, [...(before.get(acceptance.backEnd) ?? []), acceptance].slice(-fault.window));
  }
  for (const acceptance of [...before.values()].flat()) unsettled.add(acceptance);
  return unsettled;
}

/** Whether it had been removed, and the server has forgotten that. */
function wasForgotten(faults: readonly Fault[], before: Acceptance, repeat: Acceptance): boolean {
  return faults.some(
    ({ from, to, forgetsMs = 0 }) =>
      forgetsMs > 0 && before.at >= from - forgetsMs && before.at <= to && repeat.at >= from,
  );
}

function wasBeingStored({ sentAt, answeredAt }: OrderLife, { from, to }: Fault): boolean {
  return sentAt !== undefined && sentAt <= to && (answeredAt ?? Number.POSITIVE_INFINITY) >= from;
}

function overtakenOrders(
  orders: ReadonlyArray<readonly [string, OrderLife]>,
  keyOf: (order: string) => string | undefined,
  faults: readonly Fault[],
): string[] {
  const left = faults.map(({ overtaken = 0 }) => overtaken);
  const latestSent = new Map<string, number>();
  const overtaken: string[] = [];
  for (const [order, life] of orders.toSorted(byFirstAcceptance)) {
    const first = life.accepted[0];
    const key = keyOf(order);
    if (!first || key === undefined || life.sentAt === undefined) continue;
    const latest = latestSent.get(key) ?? Number.NEGATIVE_INFINITY;
    latestSent.set(key, Math.max(latest, life.sentAt));
    const { confirmedAt } = life;
    if (confirmedAt === undefined || confirmedAt > latest) continue;
    const excuse = faults.findIndex(
      ({ from, to }, index) => (left[index] ?? 0) > 0 && confirmedAt <= to && first.at >= from,
    );
    if (excuse < 0) overtaken.push(order);
    else left[excuse] = (left[excuse] ?? 0) - 1;
  }
  return overtaken;
}

function byFirstAcceptance([, left]: readonly [string, OrderLife], [, right]: readonly [string, OrderLife]): number {
  return (left.accepted[0]?.at ?? 0) - (right.accepted[0]?.at ?? 0);
}

function ordersOf(events: readonly OrderEvent[], kind: OrderEvent['kind']): Set<string> {
  return new Set(events.filter((event) => event.kind === kind).map(({ order }) => order));
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
