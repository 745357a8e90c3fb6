import { describe, expect, it } from 'vitest';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { TraceRing } from '../../src/observation/trace-ring.ts';
import { FakeConfiguration } from '../mediation/harness.ts';

const ARTIFACT = { kind: 'proxy', name: 'P' } as const;
const MAX_TRACES = 1_000;

function traced(ring: TraceRing): MessageContext {
  const message = new MessageContext(new FakeConfiguration(), Payload.empty());
  ring.begin(message, ARTIFACT, false);
  return message;
}

describe('the last traces', () => {
  it('are found by the ids of messages that a store took, and that none took', () => {
    const ring = new TraceRing();
    const { messageId, trace } = traced(ring);
    trace?.storing('refused');
    trace?.storing('taken');
    trace?.stored('Orders', 'taken');
    for (const id of [messageId, 'refused', 'taken']) expect(ring.find(id)?.messageId).toBe(messageId);
  });

  it('are forgotten with all their ids', () => {
    const ring = new TraceRing();
    const { messageId, trace } = traced(ring);
    trace?.storing('refused');
    trace?.storing('taken');
    trace?.stored('Orders', 'taken');
    for (let n = 0; n < MAX_TRACES; n += 1) traced(ring);
    expect(ring.size).toBe(MAX_TRACES);
    for (const id of [messageId, 'refused', 'taken']) expect(ring.find(id)).toBeUndefined();
  });

  it('keep their ids when another one has them since', () => {
    const ring = new TraceRing();
    traced(ring).trace?.storing('again');
    const later = traced(ring);
    later.trace?.storing('again');
    for (let n = 0; n < MAX_TRACES - 1; n += 1) traced(ring);
    expect(ring.find('again')?.messageId).toBe(later.messageId);
  });

  it('have room for a bounded number of ids, which weigh', () => {
    const ring = new TraceRing();
    const { trace, messageId } = traced(ring);
    for (let n = 0; n < 10_000; n += 1) trace?.storing(`id-${n}`);
    trace?.storing('id-0');
    expect(ring.find('id-499')?.ids.size).toBe(500);
    expect(ring.find('id-500')).toBeUndefined();
    expect(ring.find(messageId)?.weight).toBe(1_000 + 500 * 100);
    // Of traces with as many ids as they can have, fewer have room.
    for (let n = 0; n < 600; n += 1) {
      const other = traced(ring);
      for (let id = 0; id < 500; id += 1) other.trace?.storing(`${n}-${id}`);
    }
    expect(ring.size).toBeLessThan(600);
    expect(ring.find(messageId)).toBeUndefined();
  });
});
