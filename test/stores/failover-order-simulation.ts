import { vi } from 'vitest';
import { knownFailoverOrder } from '../../src/stores/failover-order.ts';
import { type MessageStore, type StoreDepth, StoreError, type StoreState } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { FakeConfiguration, message, sequence } from '../mediation/harness.ts';

/** Numbers from 0 to `below` - 1, always the same ones for the same seed. */
export type Chance = (below: number) => number;

export function chance(seed: number): Chance {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A store whose medium comes and goes, and takes a different number of turns for every step. */
export class SimulatedStore {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly messages: string[] = [];
  /** All that was ever stored, in order. */
  readonly everything: string[] = [];
  reachable = true;
  /** It says what it knows only when it has been asked for a while, as supervisors do. */
  noticed = true;
  counts: 'exactly' | 'not' | 'too high' = 'exactly';
  maxMessages = Number.POSITIVE_INFINITY;
  readonly #chance: Chance;

  constructor(name: string, chance: Chance, parameters: Record<string, string> = {}) {
    this.name = name;
    this.#chance = chance;
    this.parameters = new Map(Object.entries(parameters));
  }

  status(): { state: StoreState } {
    return { state: this.reachable || !this.noticed ? 'READY' : 'DOWN' };
  }

  async put(stored: StoredMessage): Promise<void> {
    await this.add(Buffer.from(stored.body.bytes).toString());
  }

  async add(text: string): Promise<void> {
    await turns(this.#chance(4));
    this.#require();
    if (this.messages.length >= this.maxMessages) throw new StoreError(this.name, 'is full');
    this.messages.push(text);
    this.everything.push(text);
    await turns(this.#chance(4));
    // It is there, and whoever has stored it does not get to know.
    this.#require();
  }

  async remove(text: string): Promise<void> {
    await turns(this.#chance(4));
    this.#require();
    this.messages.splice(this.messages.indexOf(text), 1);
  }

  async depth(): Promise<StoreDepth> {
    await turns(this.#chance(3));
    const count = this.messages.length;
    await turns(this.#chance(3));
    if (this.reachable && this.counts === 'too high') return { count: count + 1, estimated: true };
    const known = this.reachable && this.counts === 'exactly';
    return known ? { count, estimated: false } : { count: 'unknown', estimated: this.reachable };
  }

  #require(): void {
    if (!this.reachable) throw new StoreError(this.name, 'the medium is gone');
  }
}

/** Lets others go on. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Producers, a failover processor and two stores that come and go. Needs fake timers, whose time it moves on. */
export class FailoverSimulation {
  readonly first: SimulatedStore;
  readonly second: SimulatedStore;
  readonly confirmed: string[] = [];
  /** The failover processor is in another process. */
  movedElsewhere = false;
  /** The failover processor does not work. */
  halted = false;
  readonly configuration: FakeConfiguration;
  readonly #chance: Chance;
  readonly #store = sequence('<store messageStore="first"/>');
  #over = false;

  constructor(chance: Chance, order = true) {
    this.#chance = chance;
    this.first = new SimulatedStore('first', chance, {
      'store.producer.guaranteed.delivery.enable': 'true',
      'store.failover.message.store.name': 'second',
      ...(order && { 'x.failover.order': 'true' }),
    });
    this.second = new SimulatedStore('second', chance);
    const messageStore = Object.fromEntries(
      [this.first, this.second].map((store) => [store.name, store as unknown as MessageStore]),
    );
    this.configuration = new FakeConfiguration({ messageStore });
  }

  /** One message; false: it is not known to be stored. */
  async send(text: string): Promise<boolean> {
    const stored = this.#store.mediate(message({ body: text, configuration: this.configuration }));
    return Promise.resolve(stored).then(
      () => {
        this.confirmed.push(text);
        return true;
      },
      () => false,
    );
  }

  /** Sends its messages one after the other, each until it is confirmed. */
  async produce(name: string, count: number): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      while (!(await this.send(`${name}-${number}`))) await turns(1);
      await turns(this.#chance(6));
    }
  }

  /** Moves what is in the failover store, the oldest first, until {@link end}. */
  async move(): Promise<void> {
    while (!this.#over) {
      await turns(1 + this.#chance(3));
      const [text] = this.second.messages;
      if (this.halted || text === undefined || this.first.status().state === 'DOWN') continue;
      try {
        await this.first.add(text);
        await this.second.remove(text);
        if (!this.movedElsewhere) knownFailoverOrder(this.configuration.services, 'first', 'second')?.moved();
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
      }
    }
  }

  /** The stores go and come, as often as `times`; in the end they are there. */
  async disturb(stores: readonly SimulatedStore[], times: number): Promise<void> {
    for (let time = 0; time < times && !this.#over; time += 1) {
      const store = stores[this.#chance(stores.length)];
      await turns(this.#chance(40));
      if (store) store.noticed = this.#chance(2) === 0;
      if (store) store.reachable = false;
      await turns(this.#chance(40));
      if (store) store.noticed = true;
      await turns(this.#chance(20));
      if (store) store.reachable = true;
    }
    for (const store of stores) store.reachable = true;
  }

  /** Time passes. */
  async tick(): Promise<void> {
    while (!this.#over) {
      await turns(3);
      vi.advanceTimersByTime(10);
    }
  }

  /** Until the failover store is empty and stays so. */
  async drained(): Promise<void> {
    while (this.second.messages.length > 0) await turns(1);
  }

  end(): void {
    this.#over = true;
  }
}

/** What comes after a later one of the same producer, but for repetitions. */
export function outOfOrder(texts: readonly string[]): string[] {
  const last = new Map<string, number>();
  return [...new Set(texts)].filter((text) => {
    const [name = '', number = ''] = text.split('-');
    const before = last.get(name) ?? -1;
    last.set(name, Math.max(before, Number(number)));
    return Number(number) < before;
  });
}
