import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forwarding } from '../../src/processors/forwarding.ts';
import type { MessageProcessor } from '../../src/processors/index.ts';
import {
  advance,
  advanceUntil,
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

const recordedPath = (name = 'P') => join(bench.directory, 'message-processors', `${name}.json`);
const recorded = (name = 'P') => JSON.parse(readFileSync(recordedPath(name), 'utf8'));

/** A back end that answers when told to. */
function heldBackEnd(): { answer(reaction: Reaction): Promise<void> } {
  const open: Array<(reaction: Reaction) => void> = [];
  bench.endpoint.react = () => new Promise<Reaction>((resolve) => open.push(resolve));
  return {
    async answer(reaction) {
      open.shift()?.(reaction);
      await settled();
    },
  };
}

describe('state', () => {
  it('starts as is.active says, and records nothing by itself', async () => {
    await bench.put('a');
    const processor = await bench.start(forwarding, { 'is.active': 'False' });
    await advance(5000, 100);
    expect(processor.status()).toMatchObject({ state: 'PAUSED', reason: 'is.active is false' });
    expect(bench.endpoint.ids).toEqual([]);
    expect(existsSync(recordedPath())).toBe(false);
    expect(bench.lines('info')).toEqual([
      'AbstractQuartzTaskManager: Task scheduled: [ESB_TASK][MSMP_P_0]. [Paused].',
      'ScheduledMessageProcessor: Started message processor. [P].',
    ]);
  });

  it('activates and deactivates, says so, and answers with the state reached (OP-20)', async () => {
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding, { 'is.active': 'false' });
    expect(await processor.activate('alice')).toBe('ACTIVE');
    await settled();
    expect(bench.store.done).toEqual(['a']);
    expect(recorded()).toMatchObject({ state: 'RUNNING', condition: 'ACTIVE', by: 'alice' });
    expect(await processor.activate('bob')).toBe('ACTIVE');
    expect(recorded()).toMatchObject({ by: 'alice' });
    expect(await processor.deactivate('carol')).toBe('PAUSED');
    expect(recorded()).toMatchObject({
      state: 'PAUSED',
      condition: 'PAUSED',
      by: 'carol',
      reason: 'deactivated by carol',
    });
    await advance(5000, 100);
    expect(bench.store.done).toEqual(['a']);
    expect(bench.store.ids).toEqual(['b']);
    expect(bench.lines('info')).toEqual(
      expect.arrayContaining([
        'AbstractQuartzTaskManager: Task resumed: [ESB_TASK][MSMP_P_0]',
        'ScheduledMessageProcessor: Successfully re-activated the message processor [P]',
        'AbstractQuartzTaskManager: Task paused: [ESB_TASK][MSMP_P_0]',
        'ScheduledMessageProcessor: Successfully deactivated the message processor [P]',
      ]),
    );
  });

  it('recorded state wins over is.active after a restart, with its reason (REQ-13, OP-20, OP-21)', async () => {
    bench.endpoint.react = () => refused();
    await bench.put('a');
    const before = await bench.start(forwarding, { 'max.delivery.attempts': '1' });
    await until(() => before.status().state === 'DEACTIVATED' && existsSync(recordedPath()));
    const { since } = before.status();
    await before.stop({ undeploy: false });
    await advance(1000);
    const after = await bench.start(forwarding, { 'is.active': 'true' });
    await advance(3000);
    expect(after.status()).toMatchObject({
      state: 'DEACTIVATED',
      since,
      by: 'itself',
      reason: '1 failed attempt: Connection refused',
      lastError: '1 failed attempt: Connection refused',
      failingMessageId: 'a',
    });
    expect(bench.endpoint.calls).toHaveLength(1);
    bench.endpoint.react = () => 202;
    expect(await after.activate('alice')).toBe('ACTIVE');
    await settled();
    expect(bench.store.done).toEqual(['a']);
  });

  it('counts as PAUSED when the record cannot be read', async () => {
    mkdirSync(join(bench.directory, 'message-processors'));
    for (const content of ['', '{"state":"MAYBE"}', '{"state":', 'null']) {
      writeFileSync(recordedPath(), content);
      const processor = await bench.start(forwarding);
      expect(processor.status().state).toBe('PAUSED');
      await processor.stop({ undeploy: false });
    }
    expect(bench.lines('warn').length).toBeGreaterThan(0);
  });

  it('is forgotten when the artifact is undeployed (OP-21)', async () => {
    const processor = await bench.start(forwarding);
    await processor.deactivate('alice');
    expect(existsSync(recordedPath())).toBe(true);
    await processor.stop({ undeploy: true });
    expect(existsSync(recordedPath())).toBe(false);
    expect((await bench.start(forwarding)).status().state).toBe('ACTIVE');
  });

  it('keeps names that are no file names apart', async () => {
    for (const name of ['../x', 'x/y', 'ä ö', '.', 'a'.repeat(400)]) {
      const processor = await bench.start(forwarding, {}, { name });
      await processor.deactivate('alice');
      await processor.stop({ undeploy: false });
      const again = await bench.start(forwarding, {}, { name });
      expect([name, again.status().state]).toEqual([name, 'PAUSED']);
      await again.stop({ undeploy: false });
    }
    expect(existsSync(join(bench.directory, 'x.json'))).toBe(false);
  });

  it('activates itself again with x.reactivate.after, over a restart too', async () => {
    bench.endpoint.react = () => refused();
    await bench.put('a');
    const parameters = { 'max.delivery.attempts': '1', 'x.reactivate.after': '10000' };
    const processor = await bench.start(forwarding, parameters);
    await until(() => processor.status().state === 'DEACTIVATED');
    expect(processor.status().nextActionAt).toBe(processor.status().since + 10_000);
    await advance(4000, 100);
    await processor.stop({ undeploy: false });
    const again = await bench.start(forwarding, parameters);
    bench.endpoint.react = () => 202;
    await advance(5900, 100);
    expect(again.status().state).toBe('DEACTIVATED');
    await advance(200, 10);
    await until(() => bench.store.done.length === 1);
    expect(again.status()).toMatchObject({ state: 'ACTIVE', by: 'x.reactivate.after' });
  });

  it('an operator wins over x.reactivate.after', async () => {
    bench.endpoint.react = () => refused();
    await bench.put('a');
    const processor = await bench.start(forwarding, { 'max.delivery.attempts': '1', 'x.reactivate.after': '1000' });
    await until(() => processor.status().state === 'DEACTIVATED');
    expect(await processor.deactivate('alice')).toBe('PAUSED');
    await advance(5000, 100);
    expect(processor.status().state).toBe('PAUSED');
  });
});

describe('deactivation (OP-22)', () => {
  it('lets the attempt in flight end, settles it, and begins nothing new', async () => {
    const backEnd = heldBackEnd();
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding, { interval: '0' });
    await settled();
    expect(await processor.deactivate('alice')).toBe('PAUSED');
    expect(processor.status().current).toEqual({ id: 'a', attempt: 1 });
    await backEnd.answer(202);
    expect(bench.store.done).toEqual(['a']);
    expect(bench.endpoint.ids).toEqual(['a']);
    expect(bench.store.openConsumers).toBe(0);
  });

  it('gives the message back when the attempt in flight fails, without a terminal action', async () => {
    const backEnd = heldBackEnd();
    await bench.put('a');
    const processor = await bench.start(forwarding, { 'max.delivery.attempts': '1', 'max.delivery.drop': 'Enabled' });
    await settled();
    await processor.deactivate('alice');
    await backEnd.answer(500);
    expect(bench.store.ids).toEqual(['a']);
    expect(processor.status()).toMatchObject({ state: 'PAUSED', counters: { dropped: 0 } });
  });

  it.each([
    ['a retry wait', 0],
    ['a wait for a suspended endpoint', Number.POSITIVE_INFINITY],
  ])('interrupts %s, and counts anew afterwards', async (_what, suspendedUntil) => {
    bench.endpoint.react = () => refused();
    bench.endpoint.suspendedUntil = suspendedUntil;
    await bench.put('a');
    const processor = await bench.start(forwarding, { 'client.retry.interval': '1000000' });
    await advance(1000, 100);
    expect(processor.status().workers[0]?.activity).toBe('retry-wait');
    await processor.deactivate('alice');
    await settled();
    expect(bench.store.ids).toEqual(['a']);
    expect(processor.status().workers[0]?.activity).toBe('ended');
    bench.endpoint.react = () => 202;
    bench.endpoint.suspendedUntil = 0;
    await processor.activate('alice');
    await settled();
    expect(bench.endpoint.calls.at(-1)).toMatchObject({ id: 'a', attempt: 1 });
  });

  it('interrupts receiving and spacing', async () => {
    const processor = await bench.start(forwarding, { interval: '1000000' });
    await settled();
    await processor.deactivate('alice');
    await settled();
    expect(processor.status().workers[0]?.activity).toBe('ended');
    await bench.put('a');
    await processor.activate('alice');
    await settled();
    expect(processor.status().workers[0]?.activity).toBe('spacing');
    await processor.deactivate('alice');
    await settled();
    expect(processor.status().workers[0]?.activity).toBe('ended');
  });

  it('never has two messages in hand when it is activated during an attempt', async () => {
    const backEnd = heldBackEnd();
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding, { interval: '0' });
    await settled();
    await processor.deactivate('alice');
    await processor.activate('alice');
    await settled();
    expect(bench.endpoint.ids).toEqual(['a']);
    await backEnd.answer(202);
    expect(bench.endpoint.ids).toEqual(['a', 'b']);
    expect(bench.endpoint.mostInFlight).toBe(1);
  });

  it('100 toggles at any moment: never more than the attempt in flight, nothing lost, in order', async () => {
    const all = Array.from({ length: 60 }, (_, index) => `m${String(index).padStart(2, '0')}`);
    bench.endpoint.react = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      return 202;
    };
    await bench.put(...all);
    const processor = await bench.start(forwarding, { interval: '1' });
    for (let toggle = 0; toggle < 100; toggle += 1) {
      await advance((toggle * 7) % 5, 1);
      const before = bench.endpoint.calls.length;
      expect(await processor.deactivate('alice')).toBe('PAUSED');
      await advance(8, 4);
      expect(bench.endpoint.calls.length).toBe(before);
      expect(bench.store.unsettled).toBe(0);
      expect(await processor.activate('alice')).toBe('ACTIVE');
    }
    await advanceUntil(() => bench.store.done.length === all.length);
    expect(bench.endpoint.ids).toEqual(all);
    expect(bench.endpoint.mostInFlight).toBe(1);
    expect(bench.store.openConsumers).toBe(1);
  });
});

describe('stop (OP-110, OP-111)', () => {
  it('lets the attempt in flight end and changes no recorded state', async () => {
    const backEnd = heldBackEnd();
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding);
    await settled();
    let stopped = false;
    const stopping = processor.stop({ undeploy: false }).then(() => (stopped = true));
    await advance(1000, 100);
    expect(stopped).toBe(false);
    await backEnd.answer(202);
    await stopping;
    expect(bench.store.done).toEqual(['a']);
    expect(bench.store.ids).toEqual(['b']);
    expect(bench.store.openConsumers).toBe(0);
    expect(bench.configuration.listeners).toBe(0);
    expect(existsSync(recordedPath())).toBe(false);
    expect(processor.status().state).toBe('ACTIVE');
    expect(await processor.activate('alice')).toBe('ACTIVE');
    expect(existsSync(recordedPath())).toBe(false);
  });

  it('cuts the attempt off after the deadline: no failure, no fault sequence, the message goes back', async () => {
    heldBackEnd();
    const faults: unknown[] = [];
    bench.configuration.set(
      'sequence',
      'fault',
      sequenceOf('fault', () => void faults.push(1)),
    );
    await bench.put('a');
    const processor = await bench.start(forwarding, { 'message.processor.fault.sequence': 'fault' });
    await settled();
    let stopped = false;
    void processor.stop({ undeploy: false }).then(() => (stopped = true));
    await advance(4900, 100);
    expect(stopped).toBe(false);
    await advanceUntil(() => stopped);
    expect(bench.store.ids).toEqual(['a']);
    expect(processor.status().counters.failed).toBe(0);
    expect(faults).toEqual([]);
  });

  it('is bounded even when a sequence never ends', async () => {
    bench.configuration.set(
      'sequence',
      'reply',
      sequenceOf('reply', () => new Promise<never>(() => undefined)),
    );
    await bench.store.put(storedMessage('a'));
    const processor = await bench.start(forwarding, { 'message.processor.reply.sequence': 'reply' });
    await settled();
    let stopped = false;
    void processor.stop({ undeploy: false }).then(() => (stopped = true));
    await advance(6500, 100);
    expect(stopped).toBe(true);
  });

  it('during a retry wait gives the message back at once', async () => {
    bench.endpoint.react = () => refused();
    await bench.put('a');
    const processor = await bench.start(forwarding);
    await advance(500);
    await processor.stop({ undeploy: false });
    expect(bench.store.ids).toEqual(['a']);
    expect(bench.store.unsettled).toBe(0);
  });
});

describe('redeployment (REQ-28, OP-34)', () => {
  const redeploy = (previous: MessageProcessor, parameters: Record<string, string> = {}) =>
    bench.start(forwarding, parameters, { previous });

  it('goes on with counters and spacing', async () => {
    await bench.put('a', 'b');
    const start = Date.now();
    const first = await bench.start(forwarding, { interval: '10000' });
    await advance(4000, 100);
    const second = await redeploy(first, { interval: '10000' });
    await advance(7000, 100);
    expect(bench.endpoint.calls.map(({ id, at }) => [id, at - start])).toEqual([
      ['a', 0],
      ['b', 10_000],
    ]);
    expect(second.status().counters.delivered).toBe(2);
    expect(bench.store.openConsumers).toBe(1);
  });

  it('spaces by the new interval from the last start', async () => {
    await bench.put('a', 'b');
    const start = Date.now();
    const first = await bench.start(forwarding, { interval: '60000' });
    await advance(4000, 100);
    await redeploy(first, { interval: '5000' });
    await advance(2000, 100);
    expect(bench.endpoint.calls.map(({ at }) => at - start)).toEqual([0, 5000]);
  });

  it('lets the attempt in flight end before the first one of its own', async () => {
    const backEnd = heldBackEnd();
    await bench.put('a', 'b');
    const first = await bench.start(forwarding, { interval: '0' });
    await settled();
    const second = await redeploy(first, { interval: '0' });
    await settled();
    expect(bench.endpoint.ids).toEqual(['a']);
    expect(second.status().state).toBe('ACTIVE');
    await backEnd.answer(202);
    expect(bench.endpoint.ids).toEqual(['a', 'b']);
    expect(bench.store.done).toEqual(['a']);
  });

  it('keeps what was recorded; without a record is.active counts', async () => {
    const first = await bench.start(forwarding);
    await first.deactivate('alice');
    const second = await redeploy(first, { interval: '5' });
    expect(second.status()).toMatchObject({ state: 'PAUSED', by: 'alice' });
    await second.stop({ undeploy: true });
    const third = await bench.start(forwarding);
    const fourth = await redeploy(third, { 'is.active': 'false' });
    expect(fourth.status().state).toBe('PAUSED');
  });

  it('an unchanged one 50 times under load loses nothing, sends nothing twice, keeps the order', async () => {
    const all = Array.from({ length: 100 }, (_, index) => `m${index}`);
    bench.endpoint.react = async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return 202;
    };
    await bench.put(...all);
    let processor = await bench.start(forwarding, { interval: '1' });
    for (let round = 0; round < 50; round += 1) {
      processor = await redeploy(processor, { interval: '1', 'member.count': '1' });
      await advance(round % 4, 1);
    }
    await advanceUntil(() => bench.store.done.length === all.length);
    expect(bench.endpoint.ids).toEqual(all);
    expect(processor.status().counters.delivered).toBe(100);
    expect(bench.store.openConsumers).toBe(1);
    expect(bench.configuration.listeners).toBe(1);
  });

  it('takes more and fewer members', async () => {
    const first = await bench.start(forwarding, { 'member.count': '1' });
    const second = await redeploy(first, { 'member.count': '4' });
    await settled();
    expect(bench.store.openConsumers).toBe(4);
    await redeploy(second, { 'member.count': '2' });
    await settled();
    expect(bench.store.openConsumers).toBe(2);
  });
});

describe('its store (OP-33, REQ-28)', () => {
  it('may be missing: the processor waits and begins as soon as it is there', async () => {
    bench.configuration.set('messageStore', 'S', undefined);
    const processor = await bench.start(forwarding);
    await settled();
    expect(processor.status()).toMatchObject({
      state: 'WAITING_STORE',
      reason: "there is no message store named 'S'",
    });
    expect(processor.status().workers[0]?.activity).toBe('waiting-store');
    await bench.put('a');
    bench.configuration.set('messageStore', 'S', bench.store);
    await settled();
    expect(bench.store.done).toEqual(['a']);
    expect(processor.status().state).toBe('ACTIVE');
  });

  it('may be out of reach: the state tells', async () => {
    bench.store.state = 'CONNECTING';
    const processor = await bench.start(forwarding);
    expect(processor.status()).toMatchObject({ state: 'WAITING_STORE', reason: "the message store 'S' is CONNECTING" });
  });

  it('may be replaced while the worker receives, and the old one closed', async () => {
    const processor = await bench.start(forwarding);
    await settled();
    const next = new FakeStore('S', bench.store);
    bench.configuration.set('messageStore', 'S', next);
    await settled();
    await bench.store.close();
    expect([bench.store.openConsumers, next.openConsumers]).toEqual([0, 1]);
    await next.put(storedMessage('a', { OUT_ONLY: 'true' }));
    await settled();
    expect(next.done).toEqual(['a']);
    expect(processor.status().state).toBe('ACTIVE');
  });

  it('may be replaced and closed during an attempt: the message is sent once', async () => {
    const backEnd = heldBackEnd();
    await bench.put('a');
    await bench.start(forwarding, { interval: '0' });
    await settled();
    const next = new FakeStore('S');
    bench.configuration.set('messageStore', 'S', next);
    await bench.store.close();
    await next.put(storedMessage('a', { OUT_ONLY: 'true' }));
    await backEnd.answer(202);
    await advance(1000, 100);
    expect(bench.endpoint.ids).toEqual(['a']);
    expect(next.done).toEqual(['a']);
  });

  it('may be closed before its successor is there', async () => {
    await bench.start(forwarding);
    await settled();
    await bench.store.close();
    await advance(3000, 100);
    const next = new FakeStore('S');
    await next.put(storedMessage('a', { OUT_ONLY: 'true' }));
    bench.configuration.set('messageStore', 'S', next);
    await settled();
    expect(next.done).toEqual(['a']);
  });

  it('out of reach for max.store.connection.attempts looks deactivates', async () => {
    bench.store.state = 'DOWN';
    const processor = await bench.start(forwarding, {
      'max.store.connection.attempts': '3',
      'store.connection.retry.interval': '500',
    });
    await advance(1400, 100);
    expect(processor.status().state).toBe('WAITING_STORE');
    await advance(300, 100);
    await until(() => processor.status().state === 'DEACTIVATED');
    expect(bench.lines('error')).toContain('ForwardingService: Error while connecting to message store P');
    expect(bench.lines('fatal')).toContain('ForwardingService: Deactivating the message processor [P]');
  });

  it('empty, but in reach, is no failure of the connection', async () => {
    const processor = await bench.start(forwarding, {
      'max.store.connection.attempts': '2',
      'store.connection.retry.interval': '100',
    });
    await advance(5000, 100);
    await bench.put('a');
    await settled();
    expect(bench.store.done).toEqual(['a']);
    expect(processor.status().state).toBe('ACTIVE');
  });
});
