import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failover } from '../../src/processors/failover.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import { type MessageProcessor, type StepOutcome, StepRefusedError } from '../../src/processors/message-processor.ts';
import { resequencing } from '../../src/processors/resequencing.ts';
import { sampling } from '../../src/processors/sampling.ts';
import { only, read, SYN } from '../synapse/read.ts';
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
} from './harness.ts';

let bench: Bench;

beforeEach(() => {
  fakeTime();
  bench = new Bench();
});

afterEach(() => bench.close());

/** Moves the clock on until the step has ended. */
async function stepOf(processor: MessageProcessor): Promise<StepOutcome> {
  let outcome: StepOutcome | undefined;
  let failure: unknown;
  processor.step('alice').then(
    (reached) => {
      outcome = reached;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  await advanceUntil(() => outcome !== undefined || failure !== undefined, 'the step');
  if (outcome) return outcome;
  throw failure;
}

const PAUSED = { 'is.active': 'false' };

describe('step (OP-60, REQ-27)', () => {
  it('delivers exactly one message, and the state stays', async () => {
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding, PAUSED);
    const { since } = processor.status();
    expect(await stepOf(processor)).toEqual({ outcome: 'delivered', messageId: 'a', cause: undefined });
    expect(bench.endpoint.ids).toEqual(['a']);
    expect(bench.store.done).toEqual(['a']);
    expect(bench.store.ids).toEqual(['b']);
    expect(bench.store.openConsumers).toBe(0);
    expect(processor.status()).toMatchObject({ state: 'PAUSED', since, counters: { delivered: 1 } });
    expect(await stepOf(processor)).toMatchObject({ outcome: 'delivered', messageId: 'b' });
    expect(await stepOf(processor)).toEqual({ outcome: 'none', messageId: undefined, cause: undefined });
  });

  it('makes one attempt: a message that fails goes back, whatever its retries and the fail store', async () => {
    const failed = new FakeStore('Failed');
    bench.configuration.set('messageStore', 'Failed', failed);
    bench.endpoint.react = () => refused();
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding, {
      ...PAUSED,
      'max.delivery.attempts': '1',
      'message.processor.failMessagesStore': 'Failed',
    });
    expect(await stepOf(processor)).toEqual({ outcome: 'failed', messageId: 'a', cause: 'Connection refused' });
    expect(bench.endpoint.calls).toHaveLength(1);
    expect(bench.store.ids).toEqual(['a', 'b']);
    expect(failed.ids).toEqual([]);
    expect(processor.status()).toMatchObject({
      state: 'PAUSED',
      lastError: 'Connection refused',
      failingMessageId: 'a',
    });
    expect(bench.store.unsettled).toBe(0);
  });

  it('sets a message aside that cannot be decoded', async () => {
    bench.store.poison('broken', 'x');
    await bench.put('a');
    const processor = await bench.start(forwarding, PAUSED);
    expect(await stepOf(processor)).toMatchObject({ outcome: 'set-aside', messageId: 'broken', cause: 'not readable' });
    expect(bench.store.ids).toEqual(['a']);
    expect(processor.status().counters.deadLettered).toBe(1);
  });

  it('waits for no suspended endpoint', async () => {
    bench.endpoint.suspendedUntil = Date.now() + 60_000;
    await bench.put('a');
    const processor = await bench.start(forwarding, PAUSED);
    expect(await stepOf(processor)).toMatchObject({ outcome: 'not-ready', messageId: 'a' });
    expect(bench.endpoint.calls).toEqual([]);
    expect(bench.store.ids).toEqual(['a']);
  });

  it('is refused while the processor works, steps, or has ended', async () => {
    const processor = await bench.start(forwarding);
    await expect(stepOf(processor)).rejects.toBeInstanceOf(StepRefusedError);
    await processor.deactivate('alice');
    const first = processor.step('alice');
    first.catch(() => undefined);
    await expect(stepOf(processor)).rejects.toThrow('it makes a step already');
    await advance(2000, 100);
    expect(await first).toMatchObject({ outcome: 'none' });
    await processor.stop({ undeploy: false });
    await expect(stepOf(processor)).rejects.toThrow('it is not running');
  });

  it('ends with the processor, and its message goes back', async () => {
    let answer: (status: number) => void = () => undefined;
    bench.endpoint.react = () => new Promise<number>((resolve) => (answer = resolve));
    await bench.put('a');
    const processor = await bench.start(forwarding, PAUSED);
    const stepping = processor.step('alice');
    await settled();
    const stopping = processor.stop({ undeploy: false });
    answer(202);
    await advance(2000, 100);
    await stopping;
    expect(await stepping).toMatchObject({ outcome: 'delivered' });
    expect(bench.store.done).toEqual(['a']);
  });

  it('an activation meanwhile begins after it', async () => {
    await bench.put('a', 'b', 'c');
    const processor = await bench.start(forwarding, PAUSED);
    const stepping = processor.step('alice');
    await processor.activate('alice');
    await advance(5000, 100);
    expect(await stepping).toMatchObject({ messageId: 'a' });
    expect(bench.endpoint.ids).toEqual(['a', 'b', 'c']);
    expect(bench.endpoint.mostInFlight).toBe(1);
  });

  it('works with a schedule that is far away', async () => {
    await bench.put('a');
    const processor = await bench.start(forwarding, { ...PAUSED, cronExpression: '0 0 3 1 1 ? 2099' });
    expect(await stepOf(processor)).toMatchObject({ outcome: 'delivered', messageId: 'a' });
  });

  it('works with sampling', async () => {
    const seen: string[] = [];
    bench.configuration.set(
      'sequence',
      'seq',
      sequenceOf('seq', (message) => void seen.push(message.messageId)),
    );
    await bench.put('a', 'b');
    const processor = await bench.start(sampling, { ...PAUSED, sequence: 'seq' });
    expect(await stepOf(processor)).toMatchObject({ outcome: 'delivered', messageId: 'a' });
    expect(seen).toHaveLength(1);
    expect(bench.store.ids).toEqual(['b']);
  });

  it('refuses what could deliver nothing', async () => {
    await bench.put('a');
    const processor = await bench.start(sampling, { ...PAUSED, sequence: 'missing' });
    await expect(stepOf(processor)).rejects.toThrow('the sequence [missing] does not exist');
    expect(bench.store.ids).toEqual(['a']);
  });

  it('works with failover', async () => {
    const target = new FakeStore('Target');
    bench.configuration.set('messageStore', 'Target', target);
    await bench.put('a', 'b');
    const processor = await bench.start(failover, { ...PAUSED, 'message.target.store.name': 'Target' });
    expect(await stepOf(processor)).toMatchObject({ outcome: 'delivered', messageId: 'a' });
    expect(target.ids).toEqual(['a']);
    expect(bench.store.ids).toEqual(['b']);
  });

  it('works with resequencing: the next number, and the others stay', async () => {
    const seen: string[] = [];
    bench.configuration.set(
      'sequence',
      'seq',
      sequenceOf('seq', (message) => void seen.push(message.messageId)),
    );
    for (const number of [2, 3, 1]) {
      await bench.store.put(storedMessage(`n${number}`, {}, envelope(number)));
    }
    const artifact = read(
      `<messageProcessor ${SYN} class="org.apache.synapse.message.processors.resequence.ResequencingProcessor" name="R" messageStore="S">` +
        '<parameter name="seqNumXpath" expression="//order/@number"/><parameter name="nextEsbSequence">seq</parameter>' +
        '<parameter name="requiredInitMessages">3</parameter><parameter name="is.active">false</parameter></messageProcessor>',
    );
    const { content } = only(artifact, 'messageProcessor');
    expect(content.kind).toBe(resequencing);
    const processor = content.kind.open({ ...content, services: bench.services, previous: undefined });
    await processor.start();
    expect(await stepOf(processor)).toMatchObject({ outcome: 'delivered', messageId: 'n1' });
    expect(bench.store.ids).toEqual(['n2', 'n3']);
    expect(await stepOf(processor)).toMatchObject({ outcome: 'delivered', messageId: 'n2' });
    expect(seen).toHaveLength(2);
    await processor.stop({ undeploy: false });
  });
});

function envelope(number: number): string {
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><order number="${number}"/></s:Body></s:Envelope>`;
}
