import type { Configuration } from '../message/configuration.ts';
import { isRepetition } from '../stores/dedup/table-claim.ts';
import type { MessageStore, StoreStatus } from '../stores/message-store.ts';
import { PutCounts } from './counts.ts';
import { HISTORY_STEP_MS, type HistoryPoint, StoreHistory } from './history.ts';
import { RateMeter } from './rate-meter.ts';

/**
 * Measuring may take this part of the time of a store: a count that takes 50 ms is made once a second at most. What is stored and taken
 * meanwhile is added to the last count, so that the number is of now (OP-43).
 */
const MEASURING_SHARE = 0.05;
const LONGEST_PAUSE_MS = 60_000;
/** A number that the medium cannot tell exactly is no better when it is asked for more often. */
const ESTIMATED_PAUSE_MS = 5_000;
/** Nothing tells when the oldest message is another one: where it is looked at quickly, that is done this often, too. */
const QUICK_MS = 500;
const OLDEST_PAUSE_MS = 1_000;
/** For so long nobody else on the medium is reckoned with. */
const EXACT_FOR_MS = 1_000;

/** What the medium said, and the store's counters of that moment. */
interface Counted {
  readonly count: number;
  readonly estimated: boolean;
  /** On the monotonic clock. */
  readonly at: number;
  readonly enqueued: number;
  readonly dequeued: number;
}

/** What is known of a store beside what it says itself. */
export interface StoreFigures {
  /** null: nobody can tell. */
  readonly depth: number | null;
  readonly estimated: boolean;
  /** Epoch ms; undefined before the first measurement. */
  readonly measuredAt: number | undefined;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  /** Age of the message that was stored first; null: there is none, or nobody can tell cheaply. */
  readonly oldestAgeMs: number | null;
  /** Puts that failed. */
  readonly failures: number;
  readonly reconnects: number;
}

/** One store under observation; goes with its artifact, stays over its redeployments. */
class WatchedStore {
  readonly puts = new PutCounts();
  readonly history = new StoreHistory();
  readonly #in = new RateMeter();
  readonly #out = new RateMeter();
  #depth: { readonly count: number | null; readonly estimated: boolean; readonly at: number } | undefined;
  #counted: Counted | undefined;
  #oldestAt: number | undefined;
  #measuring: Promise<void> | undefined;
  #measureAgain = 0;
  #oldestAgain = 0;
  /** How the store was when its oldest message was looked at, where that leaves a mark; it stays the oldest until one is taken. */
  #oldestSeen: { depth: number; readonly dequeued: number } | undefined;
  #last: StoreStatus | undefined;
  #lastPoint = { enqueued: 0, dequeued: 0 };
  #readySince: number | undefined;
  #reconnects = 0;

  figures(): StoreFigures {
    const oldest = this.#depth?.count === 0 ? undefined : this.#oldestAt;
    return {
      depth: this.#depth?.count ?? null,
      estimated: this.#depth?.estimated ?? true,
      measuredAt: this.#depth?.at,
      inPerSecond: this.#in.perSecond,
      outPerSecond: this.#out.perSecond,
      oldestAgeMs: oldest === undefined ? null : Math.max(0, Date.now() - oldest),
      failures: this.puts.failed,
      reconnects: this.#reconnects,
    };
  }

  sample(store: MessageStore, now: number): void {
    const status = store.status();
    this.#last = status;
    this.#in.sample(now, status.enqueued);
    this.#out.sample(now, status.dequeued);
    if (status.state !== 'READY' || status.since === this.#readySince) return;
    if (this.#readySince !== undefined) this.#reconnects += 1;
    this.#readySince = status.since;
    // However long it took to learn nothing while it was away.
    this.#measureAgain = 0;
  }

  /** Measures what the medium must be asked for, not more often than it can bear. Never rejects. */
  async measure(store: MessageStore, now: number): Promise<void> {
    // Whoever is the first to ask waits for the answer; later there is one to go on from.
    if (this.#measuring && !this.#counted) return this.#measuring;
    if (this.#measuring || now < this.#measureAgain) return this.#reckon(store);
    this.#measuring = this.#ask(store, now);
    await this.#measuring;
    this.#measuring = undefined;
  }

  async #ask(store: MessageStore, now: number): Promise<void> {
    const began = performance.now();
    try {
      const { count, estimated } = await store.depth({ fresh: true });
      this.#depth = { count: count === 'unknown' ? null : count, estimated, at: Date.now() };
      const { enqueued, dequeued } = store.status();
      this.#counted = count === 'unknown' ? undefined : { count, estimated, at: performance.now(), enqueued, dequeued };
      const took = performance.now() - began;
      const rest = estimated ? Math.max(ESTIMATED_PAUSE_MS, restAfter(took)) : restAfter(took);
      // Nothing was learnt from it, and no number is there to go on from.
      this.#measureAgain = performance.now() + (count === 'unknown' ? Math.min(rest, HISTORY_STEP_MS) : rest);
      if (count === 0) this.#emptied();
      if (now >= this.#oldestAgain) await this.#measureOldest(store);
    } catch {
      // The store's own state says what is wrong with it; the figure is as old as it says.
      this.#measureAgain = performance.now() + HISTORY_STEP_MS;
    }
  }

  /** From the last count, and what this process has done since. */
  #reckon(store: MessageStore): void {
    if (!this.#counted) return;
    const { count, at, ...then } = this.#counted;
    const { enqueued, dequeued } = store.status();
    const came = enqueued - then.enqueued;
    const went = dequeued - then.dequeued;
    // Counters of a store that was replaced begin anew.
    if (came < 0 || went < 0 || (came === 0 && went === 0)) return;
    const estimated = then.estimated || performance.now() - at > EXACT_FOR_MS;
    const left = Math.max(0, count + came - went);
    const wasEmpty = this.#depth?.count === 0;
    this.#depth = { count: left, estimated, at: Date.now() };
    if (left === 0) this.#emptied();
    // What has come since is the oldest.
    else if (wasEmpty) this.#oldestAt ??= Date.now();
  }

  async #measureOldest(store: MessageStore): Promise<void> {
    const browser = store.browser?.();
    if (browser?.leavesMarks && !this.#oldestMayBeAnother(store)) return;
    const began = performance.now();
    this.#oldestAt = await browser?.oldestAt();
    const took = performance.now() - began;
    this.#oldestAgain =
      performance.now() + (took < QUICK_MS ? Math.min(OLDEST_PAUSE_MS, restAfter(took)) : restAfter(took));
    const { count } = this.#depth ?? {};
    const known = this.#oldestAt !== undefined && typeof count === 'number';
    this.#oldestSeen = known ? { depth: count, dequeued: store.status().dequeued } : undefined;
  }

  /** What comes next is the oldest. */
  #emptied(): void {
    this.#oldestAt = undefined;
    this.#oldestSeen = undefined;
    this.#oldestAgain = 0;
  }

  #oldestMayBeAnother(store: MessageStore): boolean {
    const { count } = this.#depth ?? {};
    const seen = this.#oldestSeen;
    if (!seen || typeof count !== 'number') return count !== 0;
    if (count < seen.depth || store.status().dequeued !== seen.dequeued) return true;
    seen.depth = count;
    return false;
  }

  addPoint(t: number): void {
    const { enqueued = 0, dequeued = 0 } = this.#last ?? {};
    const before = this.#lastPoint;
    // Counts of a store that was replaced by another kind begin anew.
    const since = (count: number, earlier: number) => (count >= earlier ? count - earlier : count);
    this.history.add({
      t,
      depth: this.#depth?.count ?? null,
      in: since(enqueued, before.enqueued),
      out: since(dequeued, before.dequeued),
    });
    this.#lastPoint = { enqueued, dequeued };
  }
}

function restAfter(tookMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, tookMs / MEASURING_SHARE);
}

/** Watches all stores: puts are counted as they are made, everything else is sampled. */
export class StoreWatch {
  readonly #stores = new Map<string, WatchedStore>();
  readonly #wrapped = new WeakSet<MessageStore>();

  /** To be told of every configuration that is served, before messages meet it. */
  follow(configuration: Configuration): void {
    const names = new Set(configuration.names('messageStore'));
    for (const name of this.#stores.keys()) if (!names.has(name)) this.#stores.delete(name);
    for (const name of names) {
      const store = configuration.find('messageStore', name);
      if (store) this.#countPuts(store, this.#watched(name));
    }
  }

  sample(configuration: Configuration, now: number): void {
    for (const [name, watched] of this.#stores) {
      const store = configuration.find('messageStore', name);
      if (store) watched.sample(store, now);
    }
  }

  async measure(configuration: Configuration, now: number): Promise<void> {
    const measured = [...this.#stores].map(([name, watched]) => {
      const store = configuration.find('messageStore', name);
      return store && watched.measure(store, now);
    });
    await Promise.all(measured);
  }

  addPoints(t: number): void {
    for (const watched of this.#stores.values()) watched.addPoint(t);
  }

  turn(): void {
    for (const { puts } of this.#stores.values()) puts.latency.turn();
  }

  figures(name: string): StoreFigures | undefined {
    return this.#stores.get(name)?.figures();
  }

  puts(name: string): PutCounts | undefined {
    return this.#stores.get(name)?.puts;
  }

  history(name: string, since: number): HistoryPoint[] | undefined {
    return this.#stores.get(name)?.history.points(since);
  }

  #watched(name: string): WatchedStore {
    const known = this.#stores.get(name);
    if (known) return known;
    const watched = new WatchedStore();
    this.#stores.set(name, watched);
    return watched;
  }

  /** Whoever puts into the store, a mediator, a processor or an operator, is counted. */
  #countPuts(store: MessageStore, { puts }: WatchedStore): void {
    if (this.#wrapped.has(store)) return;
    this.#wrapped.add(store);
    const put = store.put;
    store.put = async (message) => {
      const began = performance.now();
      try {
        await put.call(store, message);
        if (!isRepetition(message)) puts.stored += 1;
      } catch (error) {
        puts.failed += 1;
        throw error;
      } finally {
        puts.latency.add(performance.now() - began);
      }
    };
  }
}
