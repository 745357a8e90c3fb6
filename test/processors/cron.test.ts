import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forwarding } from '../../src/processors/forwarding.ts';
import { advance, Bench, FakeStore, fakeTime, settled, until } from './harness.ts';

let bench: Bench;

beforeEach(() => {
  fakeTime();
  bench = new Bench();
});

afterEach(async () => {
  await bench.close();
});

const EVERY_MINUTE = '0 * * * * ?';
const second = () => new Date().getSeconds();

/** Moves on to this second of the minute. */
async function toSecond(wanted: number): Promise<void> {
  const ms = Date.now() % 60_000;
  await advance((wanted * 1000 - ms + 60_000) % 60_000, 250);
}

describe('cron mode (spec stores 4.3)', () => {
  it('takes all messages at each run, an interval apart, and none in between', async () => {
    await toSecond(30);
    await bench.put('a', 'b', 'c');
    const processor = await bench.start(forwarding, { cronExpression: EVERY_MINUTE, interval: '2000' });
    await advance(29_000, 250);
    expect(bench.endpoint.ids).toEqual([]);
    expect(bench.store.openConsumers).toBe(0);
    const run = Math.ceil(Date.now() / 60_000) * 60_000;
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', nextActionAt: run });
    await advance(10_000, 100);
    const starts = bench.endpoint.calls.map(({ id, at }) => [id, Math.round((at - run) / 1000)]);
    expect(starts).toEqual([
      ['a', 0],
      ['b', 2],
      ['c', 4],
    ]);
    expect(bench.store.openConsumers).toBe(0);
    await bench.put('d');
    await advance(40_000, 250);
    expect(bench.endpoint.ids).toHaveLength(3);
    await advance(20_000, 250);
    expect(bench.endpoint.ids).toEqual(['a', 'b', 'c', 'd']);
  });

  it('makes up for nothing after a pause: the next run is the next time (OP-88)', async () => {
    await toSecond(50);
    await bench.put('a');
    const processor = await bench.start(forwarding, { cronExpression: EVERY_MINUTE });
    await processor.deactivate('alice');
    await advance(180_000, 1000);
    await processor.activate('alice');
    await advance(2000, 250);
    expect(second()).toBeLessThan(59);
    expect(bench.endpoint.ids).toEqual([]);
    await advance(12_000, 250);
    expect(bench.endpoint.ids).toEqual(['a']);
  });

  it('runs longer than the time between two runs do not overlap', async () => {
    await toSecond(59);
    bench.endpoint.react = async () => {
      await new Promise((resolve) => setTimeout(resolve, 90_000));
      return 202;
    };
    await bench.put('a', 'b');
    await bench.start(forwarding, { cronExpression: EVERY_MINUTE });
    await advance(200_000, 1000);
    expect(bench.endpoint.ids).toEqual(['a', 'b']);
    expect(bench.endpoint.mostInFlight).toBe(1);
  });

  it('deactivation during a run ends the drain', async () => {
    await toSecond(59);
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding, { cronExpression: EVERY_MINUTE, interval: '5000' });
    await advance(3000, 250);
    expect(bench.endpoint.ids).toEqual(['a']);
    await processor.deactivate('alice');
    await settled();
    expect(processor.status().workers[0]?.activity).toBe('ended');
    expect(bench.store.openConsumers).toBe(0);
    await advance(20_000, 1000);
    expect(bench.endpoint.ids).toEqual(['a']);
  });

  it('a run waits for a store that is missing', async () => {
    await toSecond(59);
    bench.configuration.set('messageStore', 'S', undefined);
    const processor = await bench.start(forwarding, { cronExpression: EVERY_MINUTE });
    await advance(3000, 250);
    expect(processor.status().state).toBe('WAITING_STORE');
    const store = new FakeStore('S');
    bench.configuration.set('messageStore', 'S', store);
    await advance(3000, 250);
    expect(processor.status().workers[0]?.activity).toBe('scheduled');
  });

  it('an unexpected error in a run deactivates', async () => {
    await toSecond(59);
    bench.endpoint.readyAt = () => {
      throw new TypeError('a bug');
    };
    await bench.put('a');
    const processor = await bench.start(forwarding, { cronExpression: EVERY_MINUTE });
    await advance(3000, 250);
    await until(() => processor.status().state === 'DEACTIVATED');
    expect(bench.store.ids).toEqual(['a']);
    expect(bench.lines('fatal')).toEqual(['ForwardingService: Deactivating the message processor [P]']);
  });

  it('shows the computed parameters as the reference does (spec stores 7.2)', async () => {
    const processor = bench.open(forwarding, { cronExpression: EVERY_MINUTE, interval: '500', throttle: 'x' });
    expect(Object.fromEntries(processor.parameters)).toEqual({
      cronExpression: EVERY_MINUTE,
      interval: '500',
      throttle: 'true',
      'throttle.interval': '500',
      'cron.expression': EVERY_MINUTE,
      'target.endpoint': 'E',
    });
    expect(processor.type).toBe('Scheduled-message-forwarding-processor');
  });
});
