import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChildSelection,
  FirstReady,
  RoundRobin,
  StayWithOne,
  WeightedRoundRobin,
} from '../../src/endpoints/algorithms.ts';

const all = () => true;
const only =
  (...ready: number[]) =>
  (child: number) =>
    ready.includes(child);

function take(selection: ChildSelection, count: number, isCandidate = all as (child: number) => boolean) {
  return Array.from({ length: count }, () => selection.next(isCandidate));
}

describe('round robin', () => {
  it('takes one after the other, skipping those that are not ready, and goes on where it was', () => {
    const selection = new RoundRobin(3);
    expect(take(selection, 4)).toEqual([0, 1, 2, 0]);
    expect(take(selection, 3, only(0, 2))).toEqual([2, 0, 2]);
    expect(take(selection, 2, only())).toEqual([undefined, undefined]);
    expect(take(selection, 3)).toEqual([0, 1, 2]);
  });
});

describe('weighted round robin', () => {
  it('gives each child as many in a row as its weight: 1×0, 2×1, 3×2, and again', () => {
    expect(take(new WeightedRoundRobin([1, 2, 3]), 12)).toEqual([0, 1, 1, 2, 2, 2, 0, 1, 1, 2, 2, 2]);
  });

  it('skips children that are not ready (REQ-18); a lost turn is not caught up with', () => {
    const selection = new WeightedRoundRobin([2, 2, 1]);
    expect(take(selection, 1)).toEqual([0]);
    expect(take(selection, 3, only(1, 2))).toEqual([1, 1, 2]);
    expect(take(selection, 5)).toEqual([0, 0, 1, 1, 2]);
    expect(take(selection, 1, only())).toEqual([undefined]);
    expect(take(selection, 3, only(1))).toEqual([1, 1, 1]);
  });

  it('is exact over every full cycle, and never gives out more than the weight in a row', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), (weights) => {
        const cycle = weights.reduce((sum, weight) => sum + weight, 0);
        const taken = take(new WeightedRoundRobin(weights), cycle * 2);
        const second = taken.slice(cycle);
        expect(second).toEqual(taken.slice(0, cycle));
        expect(weights.map((_, child) => second.filter((one) => one === child).length)).toEqual(weights);
      }),
    );
  });
});

describe('failover', () => {
  it('dynamic takes the first that is ready', () => {
    const selection = new FirstReady(3);
    expect(take(selection, 2)).toEqual([0, 0]);
    expect(take(selection, 1, only(2))).toEqual([2]);
    expect(take(selection, 1)).toEqual([0]);
    expect(take(selection, 1, only())).toEqual([undefined]);
  });

  it('static stays with the one it has, then takes the next, and starts over after the last', () => {
    const selection = new StayWithOne(3);
    expect(take(selection, 2)).toEqual([0, 0]);
    expect(take(selection, 1, only(1, 2))).toEqual([1]);
    expect(take(selection, 2)).toEqual([1, 1]);
    expect(take(selection, 1, only(0))).toEqual([0]);
    expect(take(selection, 1, only())).toEqual([undefined]);
  });
});

describe('every algorithm', () => {
  it('finds a candidate whenever there is one, and only ever a candidate', () => {
    const makers: Array<(count: number) => ChildSelection> = [
      (count) => new RoundRobin(count),
      (count) => new FirstReady(count),
      (count) => new StayWithOne(count),
      (count) => new WeightedRoundRobin(Array.from({ length: count }, (_, index) => 1 + (index % 3))),
    ];
    const rounds = fc.array(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.constantFrom(...makers), fc.integer({ min: 1, max: 5 }), rounds, (make, count, script) => {
        const selection = make(count);
        for (const ready of script) {
          const child = selection.next((index) => ready[index] === true);
          const any = ready.slice(0, count).includes(true);
          expect(child === undefined).toBe(!any);
          if (child !== undefined) expect(ready[child] && child < count).toBe(true);
        }
      }),
    );
  });
});
