import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failover } from '../../src/processors/failover.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import type { MessageProcessor } from '../../src/processors/index.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import { advance, advanceUntil, Bench, FakeStore, fakeTime, sequenceOf, storedMessage, until } from './harness.ts';

let bench: Bench;
let target: FakeStore;

beforeEach(() => {
  fakeTime();
  bench = new Bench();
  target = new FakeStore('T');
  bench.configuration.set('messageStore', 'T', target);
});

afterEach(async () => {
  await bench.close();
});

function mover(parameters: Record<string, string> = {}): Promise<MessageProcessor> {
  return bench.start(failover, { 'message.target.store.name': 'T', interval: '0', ...parameters });
}

const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${String(index).padStart(3, '0')}`);
/** The message stays, as a full disk or a missing right would have it. */
const refuse = (store: FakeStore) => {
  store.fault = (operation) => (operation === 'put' ? new StoreError(store.name, 'no room') : undefined);
};

describe('a failover processor (spec stores 5.1, REQ-23, OP-15)', () => {
  it('moves all messages in order, each as it is: id, history, properties, bytes', async () => {
    const history = [
      {
        processor: 'X',
        sourceStore: 'Y',
        endpoint: 'E',
        cause: 'c',
        status: 500,
        attempts: 4,
        firstAttemptAt: 1,
        lastAttemptAt: 2,
      },
    ];
    const first = { ...storedMessage('first', { kept: 'yes' }), history };
    await bench.store.put(first);
    await bench.put(...ids(200));
    const processor = await mover();
    await until(() => target.ids.length === 201);
    expect(target.ids).toEqual(['first', ...ids(200)]);
    expect(target.entries[0]?.message).toEqual(first);
    expect(bench.store.entries).toEqual([]);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { delivered: 201, failed: 0, moved: 0 } });
  });

  it('keeps to the interval, as the reference does', async () => {
    await bench.put(...ids(5));
    await mover({ interval: '1000' });
    await advance(2500);
    expect(target.ids).toEqual(ids(3));
  });

  it('waits for a target store that is down without burning attempts, and heals by itself within a second', async () => {
    target.state = 'DOWN';
    await bench.put(...ids(300));
    const processor = await mover({ 'max.delivery.attempts': '3', 'client.retry.interval': '60000' });
    const down = Date.now();
    await advance(600_000, 5000);
    expect(target.ids).toEqual([]);
    expect(processor.status()).toMatchObject({
      state: 'WAITING_STORE',
      reason: "the target store 'T' is DOWN",
      since: down,
      current: { id: 'm000' },
      counters: { failed: 0 },
    });
    expect(processor.status().nextActionAt).toBeLessThanOrEqual(Date.now() + 1000);
    expect(bench.lines('warn')).toEqual([
      "FailoverForwardingService: [P] Messages wait in their store: the target store 'T' is DOWN",
    ]);
    target.state = 'READY';
    await advance(1000);
    await until(() => target.ids.length === 300);
    expect(target.ids).toEqual(ids(300));
    expect(processor.status().state).toBe('ACTIVE');
    expect(bench.lines('info')).toContain("FailoverForwardingService: [P] The target store 'T' takes messages again");
  });

  it('waits for a target store that is not deployed; a missing one never consumes a message', async () => {
    bench.configuration.set('messageStore', 'T', undefined);
    await bench.put('a');
    const processor = await mover({ 'max.delivery.attempts': '1', 'max.delivery.drop': 'Enabled' });
    await advance(10_000, 500);
    expect(processor.status()).toMatchObject({
      state: 'WAITING_STORE',
      reason: "there is no target store named 'T'",
    });
    expect(bench.store.unsettled).toBe(1);
    bench.configuration.set('messageStore', 'T', target);
    await advanceUntil(() => target.ids.length === 1);
  });

  it('does not count a move that fails because the target store goes down', async () => {
    target.fault = (operation) => {
      if (operation !== 'put' || target.state !== 'READY') return undefined;
      target.state = 'DOWN';
      return new StoreError('T', 'connection lost');
    };
    await bench.put('a');
    const processor = await mover({ 'max.delivery.attempts': '1' });
    await advance(5000, 100);
    expect(processor.status()).toMatchObject({ state: 'WAITING_STORE', counters: { failed: 0 } });
    target.fault = () => undefined;
    target.state = 'READY';
    await advanceUntil(() => target.ids.length === 1);
  });

  it('tries a target store that is DEGRADED, and counts nothing while it is', async () => {
    target.state = 'DEGRADED';
    refuse(target);
    await bench.put('a');
    const processor = await mover({ 'max.delivery.attempts': '2' });
    await advance(5000, 100);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { failed: 0 } });
    target.fault = () => undefined;
    await advanceUntil(() => target.ids.length === 1);
  });

  it('ends a long pause when the target store was away and is back', async () => {
    refuse(target);
    await bench.put('a');
    const processor = await mover({ 'client.retry.interval': '3600000' });
    await until(() => processor.status().counters.failed === 1);
    target.state = 'DOWN';
    await advance(5000, 100);
    target.fault = () => undefined;
    target.state = 'READY';
    await advance(1100);
    expect(target.ids).toEqual(['a']);
  });

  it('after a refused move runs the fault sequence and tries again, without end by default', async () => {
    refuse(target);
    const faults: string[] = [];
    bench.configuration.set(
      'sequence',
      'fault',
      sequenceOf('fault', (message) => void faults.push(message.messageId)),
    );
    await bench.put('a', 'b');
    const processor = await mover({ 'message.processor.fault.sequence': 'fault' });
    await advance(20_500, 100);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', lastError: 'no room', counters: { failed: 21 } });
    expect(faults).toHaveLength(21);
    expect(bench.lines('error')[0]).toBe(
      'FailoverForwardingService: Message store messageSender of message processor [P] failed to send message to the target message store',
    );
    target.fault = () => undefined;
    await advanceUntil(() => target.ids.length === 2);
    expect(target.ids).toEqual(['a', 'b']);
  });

  it('deactivates itself first and runs the sequence then, whatever the sequence does (REQ-23, OP-23)', async () => {
    refuse(target);
    const seen: Array<string | undefined> = [];
    let processor: MessageProcessor | undefined;
    bench.configuration.set(
      'sequence',
      'deactivate',
      sequenceOf('deactivate', () => {
        seen.push(processor?.status().state);
        throw new Error('broken');
      }),
    );
    await bench.put('a', 'b');
    processor = await mover({
      'max.delivery.attempts': '2',
      'message.processor.deactivate.sequence': 'deactivate',
    });
    await advanceUntil(() => bench.store.ids.length === 2 && seen.length === 1, 'the deactivation');
    expect(seen).toEqual(['DEACTIVATED']);
    expect(processor.status()).toMatchObject({ state: 'DEACTIVATED', reason: '2 failed attempts: no room' });
    expect(bench.store.ids).toEqual(['a', 'b']);
  });

  it('drops only when told to, and moves to a fail store with the reason', async () => {
    refuse(target);
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    await bench.put('a');
    const dropping = await mover({ 'max.delivery.attempts': '2', 'max.delivery.drop': 'Enabled' });
    await advanceUntil(() => dropping.status().counters.dropped === 1);
    expect(bench.lines('warn')).toContain(
      'FailoverForwardingService: Removed failed message and continue the message processor [P]',
    );
    await dropping.stop({ undeploy: false });
    await bench.put('b');
    await mover({ 'max.delivery.attempts': '1', 'message.processor.failMessagesStore': 'F' });
    await advanceUntil(() => failed.ids.length === 1);
    expect(failed.entries[0]?.message?.history).toMatchObject([{ sourceStore: 'S', cause: 'no room', attempts: 1 }]);
  });

  it('never resumes after a manual deactivation, not even when the target store comes back', async () => {
    target.state = 'DOWN';
    await bench.put('a');
    const processor = await mover();
    await advance(2000);
    await processor.deactivate('operator');
    target.state = 'READY';
    await advance(10_000, 500);
    expect(target.ids).toEqual([]);
    expect(bench.store.ids).toEqual(['a']);
    expect(processor.status().state).toBe('PAUSED');
    await processor.activate('operator');
    await until(() => target.ids.length === 1);
  });

  it('takes a message again whose delivery was lost with the connection of its own store', async () => {
    bench.store.fault = (operation) => {
      if (operation !== 'move') return undefined;
      bench.store.state = 'DOWN';
      return new StoreError('S', 'the connection has ended');
    };
    await bench.put('a', 'b');
    const processor = await mover({ 'max.delivery.attempts': '1' });
    await advanceUntil(() => bench.store.unsettled === 0);
    expect(processor.status()).toMatchObject({ state: 'WAITING_STORE', counters: { failed: 0 } });
    bench.store.fault = () => undefined;
    bench.store.state = 'READY';
    await advanceUntil(() => target.ids.length === 2);
    expect(target.ids).toEqual(['a', 'b']);
  });

  it('puts aside what cannot be decoded, and goes on', async () => {
    bench.store.poison('bad', 'raw');
    await bench.put('a');
    const processor = await mover();
    await until(() => target.ids.length === 1);
    expect(readdirSync(join(bench.directory, 'dead-letter', 'S')).sort()).toEqual(['bad.body', 'bad.json']);
    expect(processor.status().counters.deadLettered).toBe(1);
  });

  it('and the forwarder behind it deliver every message under its id', async () => {
    target.state = 'DOWN';
    await bench.put(...ids(20));
    await mover();
    await bench.start(forwarding, { interval: '0' }, { name: 'Q', storeName: 'T' });
    await advance(3000, 100);
    expect(bench.endpoint.ids).toEqual([]);
    target.state = 'READY';
    await advanceUntil(() => bench.endpoint.ids.length === 20);
    expect(bench.endpoint.ids).toEqual(ids(20));
  });
});
