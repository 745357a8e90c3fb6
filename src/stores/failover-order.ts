import { logger } from '../logging/index.ts';
import type { Services } from '../message/configuration.ts';
import { within } from './broker/deadline.ts';
import type { MessageStore } from './message-store.ts';

const log = logger('MessageStoreMediator');

/** How long a message waits at most until it is seen where it has to go, ms. */
const PATIENCE_MS = 500;
/** How long a failover store may be asked for its number of messages, ms. */
const LOOK_DEADLINE_MS = 5_000;
/** When to look again at a failover store that somebody else may be emptying, ms. */
const LOOK_AGAIN_MS = 2_000;
/** How long an estimate alone keeps messages out of a store that is well, after the last one that was moved from here, ms. */
const ESTIMATE_HOLDS_MS = 30_000;
/** Looking takes no more than this part of the time. */
const LOOK_SHARE = 20;
/** One message may be stored for so many that were moved: the failover store is emptied faster than it is filled. */
const MOVES_PER_TURN = 2;

/** Where a message goes first. */
export type Way = 'store' | 'failover';

/*
 * The order of messages when a store fails over (`x.failover.order`, OP-15): as long as older messages wait in the failover store,
 * newer ones must not go past them into the store. One of these for each pair of stores:
 *
 *                ┌──── a message sets out for the failover store ────┐
 *                │                                                   ▼
 *             direct                                               behind ◄──── at the start nobody knows what waits there
 *                ▲                                                   │
 *                └──────── the failover store is seen empty ─────────┘
 *
 *   direct   A message goes to the store. When that does not take it: behind, and then it goes to the failover store.
 *   behind   The store is DOWN: to the failover store, at once.
 *            The failover store is seen empty: direct.
 *            It is being emptied: the message waits for its turn, one for every two that were moved, or half a second; then it
 *            goes to the failover store. So more leave it than come, as long as the processor has messages to move. When a look shows
 *            that another node moves them, it waits its half second.
 *            It may not be empty, by an estimate, and nothing has been moved from here for half a minute: direct, past what may
 *            wait there. Somebody else may have moved it, or nobody moves it: as nothing can be known, the detour must have an end.
 *            It is out of reach itself: to the store, past what may wait there. Else nothing could be stored though the store is
 *            well, for as long as nobody mends what is there for emergencies only. It stays behind: order begins anew when the
 *            failover store is back.
 *
 * "Seen empty" is a look that began when nothing was on its way to the failover store, and during which nothing set out; when one is
 * overdue, messages wait for that (within their half second), so that traffic that does not stop cannot put it off. Stores count
 * what is in somebody's hands, and a message that is being moved is in hand until the store has confirmed it and its removal is
 * confirmed, too: so there is no moment between. A store that cannot count (Artemis over STOMP) is taken for empty when as many were
 * moved as this process has put there. What is counted exactly is waited for without end.
 *
 * It is about messages that are sent one after the other was confirmed: the order of messages on their way at the same time is nobody's.
 * What another node puts into the same failover store is seen at the looks, not in between.
 */
export class FailoverOrder {
  readonly #store: string;
  readonly #failover: string;
  #behind = true;
  /** There was something to be behind of, which was said. */
  #said = false;
  /** It was said that the failover store is out of reach. */
  #saidPast = false;
  /** On their way to the failover store. */
  #underway = 0;
  /** Set out, arrived, and moved, since it was made. */
  #begun = 0;
  #arrived = 0;
  #moved = 0;
  #lastMoveAt = Number.NEGATIVE_INFINITY;
  /** When the store was seen to be away, or it began to be behind. */
  #awayAt = performance.now();
  /** Until when another node counts as moving messages. */
  #movedElsewhereUntil = Number.NEGATIVE_INFINITY;
  #seen: Sight | undefined;
  #looking: Promise<void> | undefined;
  /** What the last message was to be stored in, for looks that follow a move. */
  #target: MessageStore | undefined;
  /** Called with their turns, oldest first. */
  readonly #waiters = new Set<() => void>();
  /** Resolves when nothing is on its way any more. */
  #quiet: PromiseWithResolvers<void> | undefined;

  constructor(store: string, failover: string) {
    this.#store = store;
    this.#failover = failover;
  }

  /** Where the next message goes. Takes half a second at most, and only while older ones are moved. Never rejects. */
  async way(store: MessageStore, failover: MessageStore): Promise<Way> {
    this.#target = failover;
    if (store.status().state === 'DOWN') {
      this.#awayAt = performance.now();
      return 'failover';
    }
    if (!this.#behind) return 'store';
    const until = performance.now() + PATIENCE_MS;
    if (this.#isOverdue()) await this.#within(until, this.#becomesQuiet());
    if (this.#isWorthLooking()) await this.#within(until, this.#look(failover));
    if (this.#behind && isOut(failover)) return this.#past();
    if (this.#behind) await this.#turn(until);
    return this.#behind ? 'failover' : 'store';
  }

  /**
   * Puts a message into the failover store. Later ones follow it from now on.
   * @throws what `put` throws
   */
  async divert(put: () => Promise<void>): Promise<void> {
    this.#fallBehind();
    this.#underway += 1;
    this.#begun += 1;
    try {
      await put();
      this.#arrived += 1;
    } catch (error) {
      // What was seen counts one too many now: the next message looks anew.
      this.#seen = undefined;
      throw error;
    } finally {
      this.#underway -= 1;
      if (this.#underway === 0) this.#becameQuiet();
    }
  }

  /** A message has been moved from the failover store into the store, and is not in the former any more. */
  moved(): void {
    this.#moved += 1;
    // What was there before, or was given up, is no credit for what comes.
    this.#arrived = Math.max(this.#arrived, this.#moved - this.#underway);
    this.#lastMoveAt = performance.now();
    if (this.#waiters.size === 0) return;
    if (this.#target && this.#isWorthLooking()) void this.#look(this.#target);
    else if (this.#moved % MOVES_PER_TURN === 0) this.#serveOldest();
  }

  #fallBehind(): void {
    if (!this.#behind) this.#awayAt = performance.now();
    this.#behind = true;
    if (this.#said) return;
    this.#said = true;
    log.warn(
      `Store [${this.#store}]: messages go to the failover store [${this.#failover}] until that is empty, so that their order is kept`,
      { store: this.#store, failover: this.#failover },
    );
  }

  #catchUp(): void {
    if (this.#said) {
      log.info(
        `Store [${this.#store}]: the failover store [${this.#failover}] is empty; messages go to the store again`,
        {
          store: this.#store,
          failover: this.#failover,
        },
      );
    }
    this.#goDirect();
  }

  /** Nobody knows what is there, and nothing happens. */
  #giveUp(): void {
    log.warn(
      `Store [${this.#store}]: the failover store [${this.#failover}] cannot be counted exactly, and nothing was moved from here for ` +
        `${ESTIMATE_HOLDS_MS / 1_000} s; messages go to the store again, past those that may wait there`,
      { store: this.#store, failover: this.#failover },
    );
    this.#goDirect();
  }

  #goDirect(): void {
    this.#behind = false;
    this.#saidPast = false;
    this.#said = false;
    // What was not seen to be moved is not waited for the next time.
    this.#arrived = this.#moved;
    for (const serve of [...this.#waiters]) serve();
  }

  #past(): Way {
    if (!this.#saidPast) {
      log.warn(
        `Store [${this.#store}]: the failover store [${this.#failover}] is out of reach; messages go to the store, past those that may wait there`,
        { store: this.#store, failover: this.#failover },
      );
    }
    this.#saidPast = true;
    return 'store';
  }

  /** Whether it may be empty by now, as far as is known here, or somebody else may have emptied it. */
  #isWorthLooking(): boolean {
    if (this.#underway > 0) return false;
    const left = this.#left({ begun: this.#begun, moved: this.#moved });
    return left === undefined || left <= 0 || this.#isOverdue();
  }

  /** How many there should have been by now, by the last look; undefined when nothing is known. */
  #left({ begun, moved }: Pick<Sight, 'begun' | 'moved'>): number | undefined {
    const seen = this.#seen;
    return seen && seen.count + (begun - seen.begun) - (moved - seen.moved);
  }

  /** Too long ago that somebody looked. */
  #isOverdue(): boolean {
    return performance.now() >= (this.#seen?.againAt ?? this.#awayAt + LOOK_AGAIN_MS);
  }

  async #becomesQuiet(): Promise<void> {
    if (this.#underway === 0) return;
    this.#quiet ??= Promise.withResolvers<void>();
    await this.#quiet.promise;
  }

  #becameQuiet(): void {
    this.#quiet?.resolve();
    this.#quiet = undefined;
  }

  /** One at a time; whoever comes meanwhile waits for the same. Never rejects. */
  #look(failover: MessageStore): Promise<void> {
    this.#looking ??= this.#lookOnce(failover).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(failover: MessageStore): Promise<void> {
    const [begun, moved] = [this.#begun, this.#moved];
    const startedAt = performance.now();
    const counted = await this.#count(failover);
    const now = performance.now();
    if (counted === undefined) {
      this.#seen = undefined;
      return;
    }
    const { count, exact } = counted;
    const expected = this.#left({ begun, moved });
    this.#seen = { count, begun, moved, againAt: now + Math.max(LOOK_AGAIN_MS, LOOK_SHARE * (now - startedAt)) };
    if (exact && expected !== undefined && count < expected)
      this.#movedElsewhereUntil = this.#seen.againAt + PATIENCE_MS;
    if (count === 0) {
      if (this.#begun === begun && this.#underway === 0) this.#catchUp();
    } else if (exact || now - Math.max(this.#awayAt, this.#lastMoveAt) < ESTIMATE_HOLDS_MS) this.#fallBehind();
    else this.#giveUp();
  }

  /** Undefined: not now. */
  async #count(failover: MessageStore): Promise<{ readonly count: number; readonly exact: boolean } | undefined> {
    if (isOut(failover)) return undefined;
    try {
      const { count, estimated } = await within(failover.depth({ fresh: true }), LOOK_DEADLINE_MS, 'the depth');
      if (!estimated) return count === 'unknown' ? undefined : { count, exact: true };
      const own = Math.max(0, this.#arrived - this.#moved);
      return { count: count === 'unknown' ? own : Math.max(own, count), exact: false };
    } catch (error) {
      log.debug(
        `Store [${this.#store}]: the failover store [${this.#failover}] could not be counted: ${String(error)}`,
      );
      return undefined;
    }
  }

  /** Waits until it is this message's turn, for as long as messages are moved. */
  async #turn(until: number): Promise<void> {
    const now = performance.now();
    const isMoved = now - this.#lastMoveAt <= PATIENCE_MS || now < this.#movedElsewhereUntil;
    if (now >= until || !isMoved) return;
    let serve = () => {};
    await this.#within(
      until,
      new Promise<void>((resolve) => {
        serve = resolve;
        this.#waiters.add(serve);
      }),
    );
    this.#waiters.delete(serve);
  }

  #serveOldest(): void {
    const [oldest] = this.#waiters;
    if (!oldest) return;
    this.#waiters.delete(oldest);
    oldest();
  }

  async #within(until: number, work: Promise<void>): Promise<void> {
    // What is late is not lost: the look goes on, and the turn comes to the next one.
    await within(work, Math.max(1, until - performance.now()), 'its turn').catch(() => undefined);
  }
}

/** What a look has shown. */
interface Sight {
  readonly count: number;
  /** How many had set out and how many had been moved when it began. */
  readonly begun: number;
  readonly moved: number;
  readonly againAt: number;
}

/** Nobody can say when it is there. One that is only being opened is not: that is a matter of moments, in which order is not given up. */
export function isOut(store: MessageStore): boolean {
  const { state } = store.status();
  return state === 'DOWN' || state === 'CLOSED';
}

/** The pairs of each server; it is as old as its services are. */
const orders = new WeakMap<Services, Map<string, FailoverOrder>>();

/** The order of a pair of stores, made when it is asked for the first time. */
export function failoverOrder(services: Services, store: string, failover: string): FailoverOrder {
  let pairs = orders.get(services);
  if (!pairs) {
    pairs = new Map();
    orders.set(services, pairs);
  }
  const key = JSON.stringify([store, failover]);
  let order = pairs.get(key);
  if (!order) {
    order = new FailoverOrder(store, failover);
    pairs.set(key, order);
  }
  return order;
}

/** The order of a pair, when somebody has asked for it. */
export function knownFailoverOrder(services: Services, store: string, failover: string): FailoverOrder | undefined {
  return orders.get(services)?.get(JSON.stringify([store, failover]));
}

/** Nobody follows this pair any more: what waits there is unknown when somebody asks again. */
export function forgetFailoverOrder(services: Services, store: string, failover: string): void {
  orders.get(services)?.delete(JSON.stringify([store, failover]));
}
