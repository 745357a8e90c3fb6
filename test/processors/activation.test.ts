import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import { advance, advanceUntil, Bench, fakeTime, refused, sequenceOf, settled, until } from './harness.ts';

let bench: Bench;
let told: Record<string, string | undefined>[];

beforeEach(() => {
  fakeTime();
  bench = new Bench();
  told = [];
});

afterEach(async () => {
  await bench.close();
});

/** Notes what the sequence is told, and then does this. */
function tell(then: (message: MessageContext) => void | Promise<void> = () => undefined): void {
  const sequence = sequenceOf('tell', (message) => {
    const names = ['PROCESSOR_NAME', 'PROCESSOR_STATE', 'PROCESSOR_PREVIOUS_STATE', 'PROCESSOR_CHANGED_BY'];
    told.push(Object.fromEntries(names.map((name) => [name.replace('PROCESSOR_', ''), message.text(name)])));
    return then(message);
  });
  bench.configuration.set('sequence', 'tell', sequence);
}

const WITH = { 'x.activate.sequence': 'tell' };
const activation = (previous: string, by: string) => ({
  NAME: 'P',
  STATE: 'ACTIVE',
  PREVIOUS_STATE: previous,
  CHANGED_BY: by,
});

describe('x.activate.sequence (OP-24)', () => {
  it('runs after each activation, and neither at the start nor when nothing changes', async () => {
    tell();
    const processor = await bench.start(forwarding, WITH);
    await processor.activate('alice');
    await settled();
    expect(told).toEqual([]);
    await processor.deactivate('alice');
    await settled();
    expect(told).toEqual([]);
    await processor.activate('bob');
    await until(() => told.length > 0);
    expect(told).toEqual([activation('PAUSED', 'bob')]);
  });

  it('runs when x.reactivate.after activates, and says why it did not work before', async () => {
    const reasons: Array<string | undefined> = [];
    tell((message) => void reasons.push(message.text('PROCESSOR_PREVIOUS_REASON')));
    bench.endpoint.react = () => refused();
    await bench.put('a');
    const parameters = { ...WITH, 'max.delivery.attempts': '1', 'x.reactivate.after': '10000' };
    const processor = await bench.start(forwarding, parameters);
    await until(() => processor.status().state === 'DEACTIVATED');
    const { reason } = processor.status();
    bench.endpoint.react = () => 202;
    await advance(10_500, 100);
    await until(() => told.length > 0);
    expect(told).toEqual([activation('DEACTIVATED', 'x.reactivate.after')]);
    expect(reasons).toEqual([reason]);
    expect(reason).toBeDefined();
  });

  it.each([
    ['fails', () => Promise.reject(new Error('broken')), 'broken'],
    ['is missing', undefined, 'there is no such sequence'],
  ])('changes nothing when it %s', async (_, then, reason) => {
    if (then) tell(then);
    const processor = await bench.start(forwarding, { ...WITH, 'is.active': 'false' });
    expect(await processor.activate('alice')).toBe('ACTIVE');
    const said = `ScheduledMessageProcessor: The activate sequence [tell] of message processor [P] failed: ${reason}`;
    await until(() => bench.lines('error').includes(said), said);
    await bench.put('a');
    await until(() => bench.store.done.length === 1);
    expect(processor.status().state).toBe('ACTIVE');
  });

  it('keeps nobody waiting but the end of the processor', async () => {
    const held = Promise.withResolvers<void>();
    tell(() => held.promise);
    const processor = await bench.start(forwarding, { ...WITH, 'is.active': 'false' });
    expect(await processor.activate('alice')).toBe('ACTIVE');
    await until(() => told.length > 0);
    let stopped = false;
    const stopping = processor.stop({ undeploy: false }).then(() => {
      stopped = true;
    });
    await settled();
    expect(stopped).toBe(false);
    held.resolve();
    await stopping;
  });

  it('is not waited for by the end of the processor for longer than its deadline, and that is said', async () => {
    tell(() => new Promise(() => undefined));
    const processor = await bench.start(forwarding, { ...WITH, 'is.active': 'false' });
    await processor.activate('alice');
    await until(() => told.length > 0);
    let stopped = false;
    void processor.stop({ undeploy: false }).then(() => {
      stopped = true;
    });
    await advance(4_900, 100);
    expect(stopped).toBe(false);
    await advanceUntil(() => stopped, 'stopping');
    expect(bench.lines('error')).toEqual([
      'ScheduledMessageProcessor: [P] The activate sequence did not end within the stop deadline and is left behind',
    ]);
  });

  it('does not keep a processor that replaces this one from delivering', async () => {
    const held = Promise.withResolvers<void>();
    tell(() => held.promise);
    const previous = await bench.start(forwarding, { ...WITH, 'is.active': 'false' });
    await previous.activate('alice');
    await until(() => told.length > 0);
    const processor = await bench.start(forwarding, WITH, { previous });
    await bench.put('a');
    await until(() => bench.store.done.length === 1);
    expect(bench.lines('error')).toEqual([]);
    // The end of the processor waits for what the one before it has begun.
    let stopped = false;
    const stopping = processor.stop({ undeploy: false }).then(() => {
      stopped = true;
    });
    await settled();
    expect(stopped).toBe(false);
    held.resolve();
    await stopping;
  });

  it('runs for the latest activation when there were several while it ran', async () => {
    const held = Promise.withResolvers<void>();
    tell(() => held.promise);
    const processor = await bench.start(forwarding, { ...WITH, 'is.active': 'false' });
    for (const by of ['alice', 'bob', 'carol', 'dave']) {
      await processor.activate(by);
      await until(() => told.length > 0);
      await processor.deactivate(by);
    }
    expect(told).toHaveLength(1);
    held.resolve();
    await until(() => told.length > 1);
    await settled();
    expect(told.map(({ CHANGED_BY }) => CHANGED_BY)).toEqual(['alice', 'dave']);
    expect(bench.lines('warn')).toEqual(
      ['bob', 'carol'].map(
        (by) =>
          'ScheduledMessageProcessor: The activate sequence [tell] of message processor [P] is still running and leaves out ' +
          `the activation by ${by}`,
      ),
    );
  });

  it('fails with a line when its configuration cannot be asked, and runs after the next activation', async () => {
    tell();
    const { configuration } = bench;
    const processor = await bench.start(forwarding, { ...WITH, 'is.active': 'false' });
    const find = vi.spyOn(configuration, 'find').mockImplementation((kind) => {
      if (kind === 'sequence') throw new Error('no configuration');
      return undefined;
    });
    await processor.activate('alice');
    const said =
      'ScheduledMessageProcessor: The activate sequence [tell] of message processor [P] failed: no configuration';
    await until(() => bench.lines('error').includes(said), said);
    find.mockRestore();
    await processor.deactivate('bob');
    await processor.activate('bob');
    await until(() => told.length > 0);
    expect(told[0]?.CHANGED_BY).toBe('bob');
  });
});
