import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forwarding } from '../../src/processors/forwarding.ts';
import type { MessageProcessor } from '../../src/processors/index.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import {
  advance,
  advanceUntil,
  Bench,
  FakeStore,
  fakeTime,
  type Reaction,
  refused,
  settled,
  storedMessage,
} from './harness.ts';

/** What a back end does with one call. */
const reaction = fc.record({
  delayMs: fc.constantFrom(0, 0, 1, 7, 40),
  outcome: fc.constantFrom<number | 'refused'>(200, 202, 202, 202, 400, 404, 500, 503, 'refused'),
});

/** What befalls the processor, some time after the last thing. */
const event = fc.record({
  afterMs: fc.integer({ min: 0, max: 120 }),
  kind: fc.constantFrom(
    'put',
    'put',
    'deactivate',
    'activate',
    'redeploy',
    'restart',
    'replace store',
    'suspend',
    'no store',
  ),
});

const scenario = fc.record({
  members: fc.constantFrom(1, 1, 2, 3),
  messages: fc.integer({ min: 0, max: 12 }),
  intervalMs: fc.constantFrom(0, 1, 25, 100),
  retryMs: fc.constantFrom(0, 10, 60),
  attempts: fc.constantFrom(-1, 1, 2, 3),
  terminal: fc.constantFrom('drop', 'move', 'deactivate'),
  circuit: fc.boolean(),
  backOff: fc.boolean(),
  /** Messages at a time, and the number of ordering keys; 0: no order. */
  concurrency: fc.constantFrom(1, 1, 2, 4),
  keys: fc.constantFrom(0, 1, 3),
  reactions: fc.array(reaction, { maxLength: 40 }),
  storeFaults: fc.array(fc.boolean(), { maxLength: 30 }),
  events: fc.array(event, { maxLength: 25 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

/** A world with one store, one back end, one fail store; and the record of what the back end took. */
class World {
  /** The clock runs ahead of the disk here, so stopping needs a long deadline. */
  readonly bench = new Bench({ stopDeadlineMs: 500_000 });
  readonly failed = new FakeStore('F');
  readonly accepted: string[] = [];
  readonly put: string[] = [];
  readonly #plan: Scenario;
  readonly #reactions: Scenario['reactions'];
  readonly #faults: boolean[];
  #store: FakeStore;
  #processor: MessageProcessor | undefined;
  dropped = 0;

  constructor(plan: Scenario) {
    this.#plan = plan;
    this.#reactions = [...plan.reactions];
    this.#faults = [...plan.storeFaults];
    this.#store = this.bench.store;
    this.bench.configuration.set('messageStore', 'F', this.failed);
    this.bench.endpoint.react = (call) => this.#react(call.id);
    this.#faulty(this.#store);
    this.#faulty(this.failed);
  }

  get store(): FakeStore {
    return this.#store;
  }

  keyOf(id: string): string {
    return String(Number(id.slice(1)) % Math.max(this.#plan.keys, 1));
  }

  async run(): Promise<void> {
    for (let count = 0; count < this.#plan.messages; count += 1) await this.#happen('put');
    await this.#open(undefined);
    for (const { afterMs, kind } of this.#plan.events) {
      await advance(afterMs, 10);
      await this.#happen(kind);
    }
  }

  /** All is well again: everything must find its place. */
  async recover(): Promise<void> {
    this.#faults.length = 0;
    this.#reactions.length = 0;
    this.bench.endpoint.suspendedUntil = 0;
    this.bench.configuration.set('messageStore', 'S', this.#store);
    const processor = this.#running();
    await advanceUntil(() => {
      if (processor.status().state === 'PAUSED' || processor.status().state === 'DEACTIVATED')
        void processor.activate('model');
      return this.#store.entries.length === 0 && this.#store.unsettled === 0;
    }, 'an empty store');
    await settled();
    this.dropped += processor.status().counters.dropped;
  }

  async #happen(kind: Scenario['events'][number]['kind']): Promise<void> {
    switch (kind) {
      case 'put': {
        const id = `m${String(this.put.length).padStart(3, '0')}`;
        this.put.push(id);
        await this.#store.put(storedMessage(id, { OUT_ONLY: 'true', key: this.keyOf(id) }));
        return;
      }
      case 'activate':
        await this.#running().activate('model');
        return;
      case 'deactivate':
        await this.#running().deactivate('model');
        return;
      case 'redeploy':
        await this.#open(this.#running());
        return;
      case 'restart': {
        const processor = this.#running();
        let stopped = false;
        void processor.stop({ undeploy: false }).then(() => {
          stopped = true;
        });
        await advanceUntil(() => stopped, 'stopping');
        this.dropped += processor.status().counters.dropped;
        await this.#open(undefined);
        return;
      }
      case 'replace store': {
        const old = this.#store;
        this.#store = new FakeStore('S', old);
        this.#faulty(this.#store);
        this.bench.configuration.set('messageStore', 'S', this.#store);
        await old.close();
        return;
      }
      case 'suspend':
        this.bench.endpoint.suspendedUntil = Date.now() + 80;
        return;
      case 'no store':
        this.bench.configuration.set('messageStore', 'S', undefined);
        await settled();
        this.bench.configuration.set('messageStore', 'S', this.#store);
        return;
    }
  }

  async #open(previous: MessageProcessor | undefined): Promise<void> {
    const { members, intervalMs, retryMs, attempts, terminal, circuit, backOff, concurrency, keys } = this.#plan;
    const parameters = {
      'member.count': String(members),
      interval: String(intervalMs),
      'client.retry.interval': String(retryMs),
      'max.delivery.attempts': String(attempts),
      'x.circuit': String(circuit),
      'x.concurrency': String(concurrency),
      ...(keys > 0 && { 'x.ordering.key': "get-property('key')" }),
      ...(backOff && { 'x.backoff.initial': '5', 'x.backoff.max': '100' }),
      ...(terminal === 'drop' && { 'max.delivery.drop': 'Enabled' }),
      ...(terminal === 'move' && { 'message.processor.failMessagesStore': 'F' }),
    };
    this.#processor = await this.bench.start(forwarding, parameters, previous ? { previous } : {});
  }

  #running(): MessageProcessor {
    if (!this.#processor) throw new Error('not started');
    return this.#processor;
  }

  #faulty(store: FakeStore): void {
    store.fault = (operation) => {
      // Messages get into the store: what is to be shown is that none gets lost on the way out.
      if (store !== this.failed && operation === 'put') return undefined;
      return this.#faults.shift() ? new StoreError(store.name, 'the medium is gone') : undefined;
    };
  }

  async #react(id: string): Promise<Reaction> {
    const { delayMs, outcome } = this.#reactions.shift() ?? { delayMs: 0, outcome: 202 };
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (outcome === 'refused') return refused();
    if (outcome < 300) this.accepted.push(id);
    return outcome;
  }
}

describe('whatever stores, back ends and operators do', () => {
  it('every message is delivered once, or in the fail store, or counted as dropped; in order with one worker', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (plan) => {
        fakeTime();
        const world = new World(plan);
        try {
          await world.run();
          await world.recover();
          const places = [...world.accepted, ...world.failed.ids];
          expect(new Set(places).size, 'nothing is delivered twice, or delivered and moved').toBe(places.length);
          expect(places.length + world.dropped, 'nothing is lost').toBe(world.put.length);
          expect(world.bench.services.ledger.pending).toBe(0);
          if (plan.members * plan.concurrency === 1) expect(world.accepted).toEqual([...world.accepted].sort());
          for (const key of plan.keys > 0 ? ['0', '1', '2'] : []) {
            const mine = world.accepted.filter((id) => world.keyOf(id) === key);
            expect(mine, 'messages of one key are in order').toEqual([...mine].sort());
          }
        } finally {
          await world.bench.close();
        }
        expect(world.bench.configuration.listeners, 'nothing listens on').toBe(0);
        expect(world.store.openConsumers, 'no consumer is left').toBe(0);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
