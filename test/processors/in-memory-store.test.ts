import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forwarding } from '../../src/processors/forwarding.ts';
import { inMemoryStore } from '../../src/stores/in-memory.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import { advance, advanceUntil, Bench, fakeTime, refused, settled, storedMessage } from './harness.ts';

let bench: Bench;
let store: MessageStore;

beforeEach(() => {
  fakeTime();
  bench = new Bench();
  store = open('S');
  bench.configuration.set('messageStore', 'S', store);
});

afterEach(async () => {
  await bench.close();
});

function open(name: string, previous?: MessageStore): MessageStore {
  return inMemoryStore.open({
    name,
    position: { file: 'test.xml', line: 1, column: 1 },
    parameters: { 'x.max.messages': 1000, 'x.max.bytes': 1_000_000 },
    written: new Map(),
    services: { dataDirectory: bench.directory, putDeadlineMs: 10_000, stompUrls: new Map(), dataSources: new Map() },
    previous,
  });
}

/** As the deployment does it: the new one is made, the configuration is swapped, the old one is closed. */
async function redeploy(): Promise<void> {
  const old = store;
  store = open('S', old);
  bench.configuration.set('messageStore', 'S', store);
  await old.close();
}

const put = (id: string) => store.put(storedMessage(id, { OUT_ONLY: 'true' }));
const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${String(index).padStart(3, '0')}`);
const depth = async () => (await store.depth()).count;

describe('with the in-memory store', () => {
  it('three workers share the messages: each is delivered once', async () => {
    for (const id of ids(60)) await put(id);
    await bench.start(forwarding, { 'member.count': '3', interval: '10' });
    await advanceUntil(() => bench.endpoint.calls.length === 60);
    expect([...bench.endpoint.ids].sort()).toEqual(ids(60));
    await settled();
    expect(await depth()).toBe(0);
  });

  it.each(['1', '3'])(
    'the store is redeployed 30 times under load, %s workers: nothing lost, nothing twice',
    async (members) => {
      bench.endpoint.react = async ({ id }) => {
        await new Promise((resolve) => setTimeout(resolve, 7));
        return id.endsWith('5') && Math.floor(bench.endpoint.calls.length / 3) % 2 === 0 ? 500 : 202;
      };
      const all = ids(120);
      const accepted: string[] = [];
      const { react } = bench.endpoint;
      bench.endpoint.react = async (call) => {
        const status = await react(call);
        if (status === 202) accepted.push(call.id);
        return status;
      };
      for (const id of all.slice(0, 60)) await put(id);
      const processor = await bench.start(forwarding, {
        'member.count': members,
        interval: '5',
        'client.retry.interval': '20',
        'max.delivery.attempts': '-1',
      });
      for (let round = 0; round < 30; round += 1) {
        await advance((round * 11) % 40, 3);
        await redeploy();
        for (const id of all.slice(60 + round * 2, 62 + round * 2)) await put(id);
      }
      await advanceUntil(() => accepted.length >= 120 && processor.status().current === undefined);
      expect([...accepted].sort()).toEqual(all);
      if (members === '1') expect(accepted).toEqual(all);
      await advance(3000, 50);
      expect(await depth()).toBe(0);
      expect(processor.status().state).toBe('ACTIVE');
      expect(bench.services.ledger.pending).toBe(0);
    },
  );

  it('a message in its retry cycle goes over to the new store instead of deactivating the processor', async () => {
    bench.endpoint.react = () => refused();
    const failed = open('F');
    bench.configuration.set('messageStore', 'F', failed);
    await put('a');
    const processor = await bench.start(forwarding, {
      'max.delivery.attempts': '3',
      'message.processor.failMessagesStore': 'F',
    });
    await advance(1500);
    await redeploy();
    await advance(5000);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { moved: 1 } });
    expect([await depth(), (await failed.depth()).count]).toEqual([0, 1]);
  });

  it('a closed store is waited for', async () => {
    const processor = await bench.start(forwarding);
    await settled();
    await store.close();
    await advance(5000, 100);
    expect(processor.status().state).toBe('WAITING_STORE');
    store = open('S');
    await put('a');
    bench.configuration.set('messageStore', 'S', store);
    await settled();
    expect(bench.endpoint.ids).toEqual(['a']);
    expect(processor.status().state).toBe('ACTIVE');
  });

  it('deactivation and activation keep the order', async () => {
    bench.endpoint.react = ({ attempt }) => (attempt === 1 ? 500 : 202);
    for (const id of ids(5)) await put(id);
    const processor = await bench.start(forwarding, { interval: '10', 'client.retry.interval': '50' });
    for (let round = 0; round < 4; round += 1) {
      await advance(70);
      await processor.deactivate('alice');
      await settled();
      await processor.activate('alice');
    }
    await advanceUntil(() => processor.status().counters.delivered === 5);
    expect([...new Set(bench.endpoint.ids)]).toEqual(ids(5));
  });
});
