import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PackedMessage } from '../../src/stores/memory/packed-messages.ts';
import { MessageQueue, type QueueEntry } from '../../src/stores/message-queue.ts';
import { storedMessage } from './messages.ts';

const MESSAGE = storedMessage();
const packed = { size: 10 } as unknown as PackedMessage;

type Step = readonly [kind: 'add' | 'lease' | 'take' | 'remove' | 'putBack', which: number];

const steps = fc.array(
  fc.tuple(fc.constantFrom<Step[0]>('add', 'add', 'lease', 'take', 'take', 'remove', 'putBack'), fc.nat({ max: 50 })),
  { maxLength: 80 },
);

describe('a queue of which messages are taken out of the middle', () => {
  it('gives what is available in order, each message to one at a time, and shows all of them', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const queue = new MessageQueue({ maxMessages: 1_000, maxBytes: 1_000_000 });
        const all: QueueEntry[] = [];
        const available = () => all.filter(({ state }) => state === 'available');
        const leased = () => all.filter(({ state }) => state === 'leased');
        const held = () => all.filter(({ state }) => state !== 'gone');
        for (const [kind, which] of sequence) {
          const pick = (from: QueueEntry[]) => from[which % Math.max(1, from.length)];
          if (kind === 'add') {
            queue.add(packed, undefined, MESSAGE);
            all.push(queue.after(all.at(-1)?.sequence ?? 0, 10).at(-1) as QueueEntry);
          } else if (kind === 'lease') {
            const [first] = available();
            expect(queue.lease()).toBe(first);
          } else if (kind === 'take') {
            const entry = pick(all);
            const free = entry?.state === 'available';
            if (entry) expect(queue.take(entry)).toBe(free);
          } else if (kind === 'remove') {
            const entry = pick(leased());
            if (entry) queue.remove(entry);
          } else {
            const entry = pick(leased());
            if (entry) queue.putBack(entry);
          }
          expect(queue.after(0, 1_000)).toEqual(held());
          expect(queue.count).toBe(held().length);
        }
        for (const expected of [...available()]) expect(queue.lease()).toBe(expected);
        expect(queue.lease()).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('lets go of what was taken from its beginning', () => {
    const queue = new MessageQueue({ maxMessages: 10_000, maxBytes: 1_000_000 });
    for (let index = 0; index < 5_000; index += 1) queue.add(packed, undefined, MESSAGE);
    for (const entry of queue.after(0, 4_999)) {
      expect(queue.take(entry)).toBe(true);
      expect(queue.take(entry)).toBe(false);
      queue.remove(entry);
    }
    expect(queue.count).toBe(1);
    const [last] = queue.after(0, 10);
    expect(queue.after(4_000, 10)).toEqual([last]);
    expect(queue.after(4_999, 1)).toEqual([last]);
    expect(queue.after(5_000, 1)).toEqual([]);
    expect(queue.lease()).toBe(last);
  });

  it('gives a message that was put back to who waits', () => {
    const queue = new MessageQueue({ maxMessages: 10, maxBytes: 1_000 });
    queue.add(packed, undefined, MESSAGE);
    const [entry] = queue.after(0, 1);
    if (!entry) throw new Error('no message');
    queue.take(entry);
    const handed: QueueEntry[] = [];
    queue.wait((given) => handed.push(given));
    queue.putBack(entry);
    expect(handed).toEqual([entry]);
    expect(queue.take(entry)).toBe(false);
  });
});
