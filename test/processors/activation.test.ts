import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import { advance, Bench, fakeTime, refused, sequenceOf, settled, until } from './harness.ts';

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
});
