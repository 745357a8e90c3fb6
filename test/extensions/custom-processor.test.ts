import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Attempt, ProcessorContext } from '../../src/extensions/api.ts';
import { customProcessorKind } from '../../src/extensions/custom-processor.ts';
import {
  advance,
  advanceUntil,
  Bench,
  FakeStore,
  fakeTime,
  refused,
  sequenceOf,
  settled,
  storedMessage,
} from '../processors/harness.ts';
import { moduleOf } from './modules.ts';

let bench: Bench;

beforeEach(() => {
  fakeTime();
  bench = new Bench();
});

afterEach(() => bench.close());

const never = () => new Promise<never>(() => undefined);

function start(process: (attempt: Attempt) => unknown, parameters: Record<string, string> = {}, more: object = {}) {
  const kind = customProcessorKind(moduleOf({ openProcessor: () => ({ process, ...more }) }, 2000));
  return bench.start(kind, { interval: '0', 'client.retry.interval': '100', ...parameters });
}

describe('a module as a processor', () => {
  it('gets the messages one after the other; they leave the store when it has ended', async () => {
    const seen: string[] = [];
    await bench.put('a', 'b');
    const processor = await start(async ({ message, stored, number }) => {
      seen.push(`${stored.id} ${number} ${message.property('OUT_ONLY')} ${Buffer.from(message.bytes())}`);
      await settled(1);
    });
    await advanceUntil(() => bench.store.done.length === 2);
    expect(seen).toEqual([
      expect.stringContaining('a 1 true <order id="a"'),
      expect.stringContaining('b 1 true <order id="b"'),
    ]);
    expect(processor.type).toBe('Custom-message-processor');
    expect(processor.status().counters).toMatchObject({ delivered: 2, failed: 0 });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'process() failed: broken: broken',
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken');
      },
      'process() failed: broken',
    ],
    ['rejects with nothing', () => Promise.reject(undefined), 'process() failed: undefined'],
    ['hangs', never, 'process() did not end within 2000 ms'],
    ['returns something', () => true, 'process() returned true, expected nothing'],
  ])('an attempt that %s is a failed one', async (_, process, cause) => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    await bench.put('a');
    const processor = await start(process, {
      'max.delivery.attempts': '2',
      'message.processor.failMessagesStore': 'F',
    });
    await advanceUntil(() => failed.ids.length === 1);
    const { history } = failed.entries[0]?.message ?? { history: [] };
    expect(history[0]).toMatchObject({ attempts: 2, processor: 'P' });
    expect(cause).toContain(history[0]?.cause.slice(0, 20));
    expect(processor.status().counters).toMatchObject({ failed: 2, moved: 1 });
  });

  it('an error with dead: true ends the attempts', async () => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    await bench.put('a');
    const dead = () => Promise.reject(Object.assign(new Error('never'), { dead: true }));
    const processor = await start(dead, { 'message.processor.failMessagesStore': 'F' });
    await advanceUntil(() => failed.ids.length === 1);
    expect(processor.status().counters).toMatchObject({ failed: 1, moved: 1 });
  });

  it('after the last attempt it deactivates itself, as forwarding processors do', async () => {
    await bench.put('a');
    const processor = await start(() => Promise.reject(new Error('broken')));
    await advanceUntil(() => processor.status().state === 'DEACTIVATED' && bench.store.ids.length === 1);
    expect(processor.status().reason).toBe('4 failed attempts: process() failed: broken: broken');
  });

  it('can store, run sequences and send', async () => {
    const other = new FakeStore('O');
    bench.configuration.set('messageStore', 'O', other);
    const ran: string[] = [];
    bench.configuration.set(
      'sequence',
      'seq',
      sequenceOf('seq', (message) => void ran.push(message.messageId)),
    );
    bench.endpoint.react = () => ({ status: 200, body: '<ok/>' });
    await bench.store.put(storedMessage('a'));
    const answers: unknown[] = [];
    await start(async (attempt) => {
      await attempt.store('O');
      await attempt.runSequence('seq');
      const answer = await attempt.send();
      answers.push(answer.property('HTTP_SC', 'axis2'), answer.xml());
    });
    await advanceUntil(() => bench.store.done.length === 1);
    expect([other.ids, ran, answers]).toEqual([['a'], ['a'], [200, '<ok/>']]);
    expect(bench.endpoint.calls[0]).toMatchObject({ id: 'a', attempt: 1 });
  });

  it.each([
    ['store', (attempt: Attempt) => attempt.store('gone'), 'there is no messageStore named "gone"'],
    ['runSequence', (attempt: Attempt) => attempt.runSequence('gone'), 'there is no sequence named "gone"'],
    ['send', (attempt: Attempt) => attempt.send('gone').then(() => undefined), 'there is no endpoint named "gone"'],
    ['send to who is down', (attempt: Attempt) => attempt.send().then(() => undefined), 'Connection refused'],
  ])('%s tells what is wrong', async (_, process, cause) => {
    bench.endpoint.react = () => refused();
    await bench.put('a');
    const processor = await start(process, { 'max.delivery.attempts': '1' });
    await advanceUntil(() => processor.status().state === 'DEACTIVATED');
    expect(processor.status().lastError).toContain(cause);
  });

  it('is told that it ends, once', async () => {
    let closed = 0;
    const processor = await start(() => undefined, {}, { close: () => (closed += 1) });
    let stopped = false;
    void Promise.all([processor.stop({ undeploy: false }), processor.stop({ undeploy: true })]).then(() => {
      stopped = true;
    });
    await advanceUntil(() => stopped);
    expect(closed).toBe(1);
  });

  it('an attempt in flight is cut off at the stop deadline; its signal says so', async () => {
    const signals: AbortSignal[] = [];
    await bench.put('a');
    const kind = customProcessorKind(
      moduleOf(
        {
          openProcessor: () => ({
            process: ({ signal }: Attempt) =>
              new Promise<void>((_, cutOff) => {
                signals.push(signal);
                signal.addEventListener('abort', () => cutOff(new Error('cut off')));
              }),
          }),
        },
        600_000,
      ),
    );
    const processor = await bench.start(kind, { interval: '0' });
    await advance(100);
    let stopped = false;
    void processor.stop({ undeploy: false }).then(() => {
      stopped = true;
    });
    await advanceUntil(() => stopped);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(bench.store.ids).toEqual(['a']);
  });

  it('is told its name, parameters and target', async () => {
    const contexts: ProcessorContext[] = [];
    const openProcessor = (context: ProcessorContext) => {
      contexts.push(context);
      return { process: () => undefined };
    };
    await bench.start(customProcessorKind(moduleOf({ openProcessor })), { own: 'x' });
    expect(contexts[0]).toMatchObject({ name: 'P', storeName: 'S', targetEndpoint: 'E', className: 'com.acme.Own' });
    expect(contexts[0]?.parameters.get('own')).toBe('x');
  });

  it.each([
    [{ openProcessor: () => ({}) }, "whose 'process' is undefined, expected a function"],
    [
      {
        openProcessor: () => {
          throw new Error('no');
        },
      },
      'openProcessor() of module /extensions/own.ts failed: no',
    ],
  ])('what cannot be opened is refused', (exports, message) => {
    expect(() => bench.open(customProcessorKind(moduleOf(exports)))).toThrow(message);
  });
});
