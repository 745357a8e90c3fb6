import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSend } from '../../src/mediation/send.ts';
import { MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { sampling } from '../../src/processors/sampling.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import {
  advance,
  Bench,
  FakeStore,
  fakeTime,
  type Reaction,
  refused,
  sequenceOf,
  settled,
  storedMessage,
  until,
} from './harness.ts';

let bench: Bench;

beforeEach(() => {
  fakeTime();
  bench = new Bench();
});

afterEach(async () => {
  await bench.close();
});

function deploy(run: (message: MessageContext) => unknown): void {
  bench.configuration.set('sequence', 'seq', sequenceOf('seq', run));
}

const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);

describe('sampling (spec stores 5.2, REQ-24)', () => {
  it('runs messages through the sequence, one per interval, and settles afterwards', async () => {
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    deploy(async (message) => {
      seen.push(message.messageId);
      if (message.messageId === 'a') await gate.promise;
    });
    await bench.put('a', 'b', 'c');
    const processor = await bench.start(sampling, { sequence: 'seq', interval: '1000' });
    await advance(2000);
    expect(seen).toEqual(['a']);
    expect(bench.store.done).toEqual([]);
    gate.resolve();
    await settled();
    expect(bench.store.done).toEqual(['a', 'b']);
    await advance(1000);
    expect(bench.store.done).toEqual(['a', 'b', 'c']);
    expect(processor.status().counters).toMatchObject({ delivered: 3, failed: 0 });
    expect(processor.type).toBe('Sampling-processor');
  });

  it('a long backlog without pauses leaves the event loop its turns', async () => {
    deploy(() => true);
    await bench.put(...ids(1000));
    let turns = 0;
    const count = () => {
      turns += 1;
      if (bench.store.done.length < 1000) setImmediate(count);
    };
    setImmediate(count);
    await bench.start(sampling, { sequence: 'seq', interval: '0' });
    await until(() => bench.store.done.length === 1000);
    expect(turns).toBeGreaterThan(1000 / 32 - 2);
  });

  it('concurrency is the number of messages per interval and in flight', async () => {
    let inFlight = 0;
    let most = 0;
    deploy(async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 500));
      inFlight -= 1;
    });
    await bench.put(...ids(9));
    await bench.start(sampling, { sequence: 'seq', concurrency: '3' });
    await advance(900);
    expect(bench.store.done).toHaveLength(3);
    await advance(2000);
    expect([...bench.store.done].sort()).toEqual(ids(9));
    expect(most).toBe(3);
  });

  it('with a cron expression takes so many messages per run and does not drain', async () => {
    await advance(60_000 - (Date.now() % 60_000) + 58_000, 1000);
    deploy(() => true);
    await bench.put(...ids(5));
    await bench.start(sampling, { sequence: 'seq', concurrency: '2', cronExpression: '0 * * * * ?' });
    await advance(10_000, 250);
    expect(bench.store.done).toHaveLength(2);
    await advance(60_000, 250);
    expect(bench.store.done).toHaveLength(4);
  });

  it('settles only when the sends of the sequence have ended, one-way ones too (OP-01)', async () => {
    const answers: Array<(reaction: Reaction) => void> = [];
    bench.endpoint.react = () => new Promise<Reaction>((resolve) => answers.push(resolve));
    const received: string[] = [];
    bench.configuration.set(
      'sequence',
      'receive',
      sequenceOf('receive', (message) => void received.push(message.direction)),
    );
    deploy((message) => {
      if (message.messageId === 'b') message.properties.set('RECEIVING_SEQUENCE', 'receive');
      startSend(message, bench.endpoint);
      return false;
    });
    await bench.store.put(storedMessage('a', { OUT_ONLY: 'true' }));
    await bench.store.put(storedMessage('b'));
    await bench.start(sampling, { sequence: 'seq', interval: '0' });
    await settled();
    expect(bench.store.done).toEqual([]);
    answers.shift()?.(202);
    await settled();
    expect(bench.store.done).toEqual(['a']);
    answers.shift()?.(200);
    await settled();
    expect(bench.store.done).toEqual(['a', 'b']);
    expect(received).toEqual(['response']);
  });

  it('a failure without a handler goes to the dead-letter area, and the next message is not kept waiting', async () => {
    deploy((message) => {
      if (message.messageId === 'a') throw new MediationError('broken');
    });
    await bench.put('a', 'b');
    const processor = await bench.start(sampling, { sequence: 'seq', interval: '0' });
    await until(() => bench.store.done.includes('a'));
    await advance(1100);
    expect(bench.store.done).toEqual(['a', 'b']);
    expect(bench.lines('error')[0]).toBe('SamplingService: Error occurred while executing the message');
    expect(bench.lines('warn')).toEqual([]);
    expect(readdirSync(join(bench.directory, 'dead-letter', 'S'))).toEqual(['a.body', 'a.json']);
    expect(processor.status()).toMatchObject({
      state: 'ACTIVE',
      counters: { delivered: 1, failed: 1, deadLettered: 1 },
    });
  });

  it('a failure of a send is one as well', async () => {
    bench.endpoint.react = () => refused();
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    deploy((message) => {
      startSend(message, bench.endpoint);
      return false;
    });
    await bench.put('a');
    await bench.start(sampling, {
      sequence: 'seq',
      'max.delivery.attempts': '2',
      'message.processor.failMessagesStore': 'F',
    });
    await advance(1500);
    expect(bench.endpoint.calls).toHaveLength(2);
    expect(failed.entries[0]?.message).toMatchObject({
      id: 'a',
      history: [{ attempts: 2, cause: 'Connection refused' }],
    });
  });

  it('a failure that a fault handler took is none', async () => {
    const handled: string[] = [];
    deploy((message) => {
      message.faultStack.push({
        description: 'onError',
        async handleFault(faulty) {
          handled.push(faulty.text('ERROR_MESSAGE') ?? '');
        },
      });
      throw new MediationError('broken');
    });
    await bench.put('a');
    const processor = await bench.start(sampling, { sequence: 'seq' });
    await settled();
    expect(handled).toEqual(['broken']);
    expect(bench.store.done).toEqual(['a']);
    expect(processor.status().counters).toMatchObject({ delivered: 1, failed: 0 });
  });

  it('a missing sequence stops it with the message kept; activation is refused until it is there (OP-20)', async () => {
    await bench.put('a');
    const processor = await bench.start(sampling, { sequence: 'seq' });
    await until(() => processor.status().state === 'FAULTY' && bench.store.ids.length === 1);
    expect(bench.lines('error')).toContain('SamplingService: [P] the sequence [seq] does not exist');
    expect(await processor.activate('alice')).toBe('FAULTY');
    deploy(() => true);
    expect(await processor.activate('alice')).toBe('ACTIVE');
    await advance(1000);
    expect(bench.store.done).toEqual(['a']);
  });

  describe('ack.mode=before', () => {
    it('takes the message out first; a failure is counted and told', async () => {
      const done: string[][] = [];
      deploy((message) => {
        done.push([...bench.store.done]);
        if (message.messageId === 'a') throw new MediationError('broken');
      });
      await bench.put('a', 'b');
      const processor = await bench.start(sampling, { sequence: 'seq', interval: '0', 'ack.mode': 'before' });
      await until(() => done.length === 2);
      await settled();
      expect(done).toEqual([['a'], ['a', 'b']]);
      expect(processor.status().counters).toMatchObject({ delivered: 1, failed: 1, dropped: 1 });
      expect(bench.lines('warn').some((line) => line.includes('Message a failed after it was acknowledged'))).toBe(
        true,
      );
    });

    it('keeps the message when the sequence is missing', async () => {
      await bench.put('a');
      const processor = await bench.start(sampling, { sequence: 'seq', 'ack.mode': 'before' });
      await until(() => processor.status().state === 'FAULTY' && bench.store.ids.length === 1);
    });

    it('is at most once, even if the store does not confirm', async () => {
      let runs = 0;
      deploy(() => {
        runs += 1;
      });
      let broken = true;
      await bench.put('a');
      bench.store.fault = () => (broken ? new StoreError('S', 'gone') : undefined);
      await bench.start(sampling, { sequence: 'seq', interval: '0', 'ack.mode': 'before' });
      await advance(650);
      broken = false;
      await advance(2000);
      expect(runs).toBe(1);
      expect(bench.store.done).toEqual(['a']);
    });
  });
});
