import type { ExchangeEnd } from '../message/exchange.ts';
import type { EntryKind } from '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import { EntryCounts } from './counts.ts';

/** What came in where, by kind and name; counts outlive redeployments and go with their artifact. */
export class FlowCounts {
  readonly #entries: Record<EntryKind, Map<string, EntryCounts>> = {
    proxy: new Map(),
    api: new Map(),
    inboundEndpoint: new Map(),
    sequence: new Map(),
  };
  /** All entries together, those of artifacts that are gone included. */
  readonly total = new EntryCounts();

  of(kind: EntryKind, name: string): EntryCounts | undefined {
    return this.#entries[kind].get(name);
  }

  all(kind: EntryKind): ReadonlyMap<string, EntryCounts> {
    return this.#entries[kind];
  }

  /**
   * Counts a message that comes in, and its end as soon as its exchange tells of that.
   * @returns to be called at its end where no exchange does
   */
  enters(
    message: MessageContext,
    kind: EntryKind,
    name: string,
    ended?: (end: ExchangeEnd | undefined) => void,
  ): (() => void) | undefined {
    const counts = this.countsOf(kind, name);
    const { total } = this;
    const began = performance.now();
    counts.requests += 1;
    counts.inFlight += 1;
    total.requests += 1;
    total.inFlight += 1;
    const end = (how?: ExchangeEnd) => {
      const took = performance.now() - began;
      counts.inFlight -= 1;
      total.inFlight -= 1;
      counts.latency.add(took);
      total.latency.add(took);
      if (how && (how.failure || (how.status ?? 0) >= 500)) {
        counts.errors += 1;
        total.errors += 1;
      }
      ended?.(how);
    };
    const { exchange } = message;
    if (!exchange?.onEnd) return () => end();
    exchange.onEnd(end);
    return undefined;
  }

  /** Forgets artifacts that are not there any more. */
  keep(kind: EntryKind, names: ReadonlySet<string>): void {
    for (const name of this.#entries[kind].keys()) if (!names.has(name)) this.#entries[kind].delete(name);
  }

  /** Percentiles forget what is older than two turns. */
  turn(): void {
    this.total.latency.turn();
    for (const entries of Object.values(this.#entries)) for (const { latency } of entries.values()) latency.turn();
  }

  /** Of one entry, made when nothing came in there yet. */
  countsOf(kind: EntryKind, name: string): EntryCounts {
    const entries = this.#entries[kind];
    let counts = entries.get(name);
    if (!counts) {
      counts = new EntryCounts();
      entries.set(name, counts);
    }
    return counts;
  }
}
