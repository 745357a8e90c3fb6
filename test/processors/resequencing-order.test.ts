import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SequenceOrder } from '../../src/processors/resequencing-order.ts';

describe('the order of held messages', () => {
  it('gives out what is next, and nothing else', () => {
    const order = new SequenceOrder<string>();
    order.hold(2n, 'two');
    expect(order.take()).toBeUndefined();
    order.next = 1n;
    expect(order.take()).toBeUndefined();
    order.next = 2n;
    expect(order.take()).toEqual({ number: 2n, item: 'two' });
    expect([order.take(), order.size, order.smallest()]).toEqual([undefined, 0, undefined]);
  });

  it('gives out the second one of a number as soon as that was passed', () => {
    const order = new SequenceOrder<string>();
    order.next = 1n;
    order.hold(1n, 'first');
    order.hold(1n, 'second');
    expect(order.take()?.item).toBe('first');
    order.next = 2n;
    expect(order.isLate(1n)).toBe(true);
    expect(order.take()).toEqual({ number: 1n, item: 'second' });
  });

  it('takes out what is to go and keeps the rest', () => {
    const order = new SequenceOrder<string>();
    for (const item of ['a', 'b', 'c']) order.hold(5n, item);
    order.hold(9n, 'd');
    expect(order.remove((item) => item === 'b' || item === 'd')).toEqual(['b', 'd']);
    expect([order.size, order.smallest()]).toEqual([2, 5n]);
  });

  it('any order in, with gaps and repetitions: the numbers come out in order, nothing is lost (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -5n, max: 40n }), { maxLength: 60 }), (numbers) => {
        const order = new SequenceOrder<bigint>();
        const out: bigint[] = [];
        for (const number of numbers) order.hold(number, number);
        order.next = order.smallest();
        for (;;) {
          const taken = order.take();
          if (taken) {
            out.push(taken.item);
            if (taken.number === order.next) order.next += 1n;
          } else if (order.size === 0) break;
          else order.next = order.smallest();
        }
        expect(out).toEqual([...numbers].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0)));
      }),
    );
  });
});
