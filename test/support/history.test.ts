import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fault, OrderHistory } from './history.ts';
import { laneOf, type Simulated, simulatedHistory } from './history-simulation.ts';

describe('a history', () => {
  it('tells what was lost, invented, put aside and duplicated', () => {
    const history = new OrderHistory();
    for (const order of ['a', 'b', 'c', 'd', 'e', 'f']) history.add({ kind: 'sent', order, at: 1 });
    for (const order of ['a', 'b', 'c', 'f']) history.add({ kind: 'confirmed', order, at: 2 });
    history.add({ kind: 'refused', order: 'd', at: 3, status: 500 });
    history.add({ kind: 'unanswered', order: 'e', at: 3, reason: 'Connection reset' });
    accept(history, 'a', '1', 4);
    accept(history, 'a', '2', 4);
    accept(history, 'a', '1', 4);
    accept(history, 'e', '2', 4);
    accept(history, 'x', '2', 4);
    history.add({ kind: 'found', order: 'f', at: 5, where: 'dead letters' });
    expect(history.undelivered).toBe(2);
    expect(history.someUndelivered(1)).toEqual(['b']);
    expect(history.hasAccepted('e')).toBe(true);
    expect(history.verdict(['c'])).toEqual({
      sent: 6,
      confirmed: 4,
      refused: 1,
      unanswered: 1,
      delivered: 3,
      acceptedBy: { 1: 2, 2: 3 },
      lost: ['b'],
      invented: ['x'],
      putAside: { store: 1, 'dead letters': 1 },
      unansweredButAccepted: ['e'],
      duplicated: { a: 3 },
      duplicates: 2,
      unexplained: ['a'],
      outOfOrder: [],
      unidentified: [],
      sharedIds: [],
      miscounted: [],
    });
  });

  describe('of what came to back ends', () => {
    const fault: Fault = { what: 'kill', from: 20, to: 30, window: 1 };

    function judged(
      arrivals: ReadonlyArray<readonly [order: string, at: number, id?: string | undefined, attempt?: number]>,
      happened: Fault = fault,
    ) {
      const history = new OrderHistory();
      for (const order of ['a', 'b', 'b']) history.add({ kind: 'sent', order, at: 0 });
      for (const [order, at, messageId, attempt] of arrivals)
        history.add({ kind: 'arrived', order, at, backEnd: '1', messageId, attempt });
      history.addFault(happened);
      const { unidentified, sharedIds, miscounted, sent, refused, unanswered } = history.verdict();
      expect({ sent, refused, unanswered }).toEqual({ sent: 2, refused: 0, unanswered: 0 });
      return { unidentified, sharedIds, miscounted };
    }

    const none = { unidentified: [], sharedIds: [], miscounted: [] };

    it('finds nothing wrong when each came under one id, and attempts rose', () => {
      const came = [
        ['a', 1, 'A', 1],
        ['a', 2, 'A', 3],
        ['b', 5, 'B', 1],
      ] as const;
      expect(judged(came)).toEqual(none);
    });

    it('finds one that came without an id, or under another one', () => {
      expect(judged([['a', 1, undefined, 1]])).toEqual({ ...none, unidentified: ['a'] });
      const twoIds = [
        ['a', 1, 'A', 1],
        ['a', 25, 'A2', 1],
      ] as const;
      expect(judged(twoIds)).toEqual({ ...none, unidentified: ['a'] });
    });

    it('lets one that was sent twice come under two ids, but not under three', () => {
      const came = ['B1', 'B2', 'B3'].map((id, at) => ['b', at, id, 1] as const);
      expect(judged(came.slice(0, 2))).toEqual(none);
      expect(judged(came)).toEqual({ ...none, unidentified: ['b'] });
    });

    it('finds two that came under the same id', () => {
      const came = [
        ['a', 1, 'A', 1],
        ['b', 2, 'A', 1],
      ] as const;
      expect(judged(came)).toEqual({ ...none, sharedIds: ['A'] });
    });

    it('finds attempts that are not counted, or not counted up but after a fault', () => {
      expect(judged([['a', 1, 'A']])).toEqual({ ...none, miscounted: ['a'] });
      expect(judged([['a', 1, 'A', Number.NaN]])).toEqual({ ...none, miscounted: ['a'] });
      const again = (at: number) => [['a', 1, 'A', 2] as const, ['a', at, 'A', 1] as const];
      expect(judged(again(2))).toEqual({ ...none, miscounted: ['a'] });
      expect(judged(again(40))).toEqual(none);
    });

    it('lets each copy that a fault has left be counted for itself, once there was the fault', () => {
      const copies = [
        ['a', 35, 'A', 1],
        ['a', 36, 'A', 1],
      ] as const;
      expect(judged(copies)).toEqual({ ...none, miscounted: ['a'] });
      expect(judged(copies, { ...fault, movedTwice: 2 })).toEqual(none);
      const sooner = copies.map(([order, at, id, attempt]) => [order, at - 30, id, attempt] as const);
      expect(judged(sooner, { ...fault, movedTwice: 2 })).toEqual({ ...none, miscounted: ['a'] });
    });

    it('lets no more copies be counted for themselves than a fault can have left, and none of what was sent after it', () => {
      const many = [35, 36, 37, 38].map((at) => ['a', at, 'A', 1] as const);
      expect(judged(many, { ...fault, movedTwice: 2 })).toEqual({ ...none, miscounted: ['a'] });
      expect(judged(many, { ...fault, movedTwice: 2, storedTwice: 1 })).toEqual(none);
      const sentLater = { ...fault, from: -20, to: -10, movedTwice: 9 };
      expect(judged(many, sentLater)).toEqual({ ...none, miscounted: ['a'] });
    });
  });

  it('counts an order that is accepted before its sender has the answer', () => {
    const history = new OrderHistory();
    accept(history, 'a', '1', 1);
    history.add({ kind: 'confirmed', order: 'a', at: 2 });
    expect(history.undelivered).toBe(0);
    expect(history.count('accepted')).toBe(1);
    expect(history.firstSince('confirmed', 1)).toEqual({ kind: 'confirmed', order: 'a', at: 2 });
    expect(history.firstSince('accepted', 2)).toBeUndefined();
  });

  describe('with a fault', () => {
    const kill: Fault = { what: 'kill', from: 100, to: 110, window: 1 };

    /** `a` and `b` are accepted one after the other; the fault comes; some come again. */
    function judged(fault: Fault, repeats: readonly string[], firstAt: Readonly<Record<string, number>> = {}) {
      const history = new OrderHistory();
      for (const [index, order] of ['a', 'b'].entries()) {
        history.add({ kind: 'sent', order, at: index });
        history.add({ kind: 'confirmed', order, at: index + 0.5 });
        accept(history, order, '1', firstAt[order] ?? 50 + index);
      }
      history.addFault(fault);
      for (const order of repeats) accept(history, order, '1', 200);
      return history.verdict();
    }

    it('lets the last one of a back end come again, once', () => {
      expect(judged(kill, ['b']).unexplained).toEqual([]);
      expect(judged(kill, ['b', 'b']).unexplained).toEqual(['b']);
      expect(judged(kill, ['a']).unexplained).toEqual(['a']);
    });

    it('lets one that was accepted meanwhile come again, but not two', () => {
      expect(judged(kill, ['b'], { b: 105 }).unexplained).toEqual([]);
      expect(judged(kill, ['a', 'b'], { b: 105 }).unexplained).toEqual(['b']);
      expect(judged({ ...kill, window: 2 }, ['a', 'b']).unexplained).toEqual([]);
    });

    it('accounts for a duplicate that the next one could account for as well only when no other needs it', () => {
      const history = new OrderHistory();
      for (const order of ['b', 'a']) history.add({ kind: 'sent', order, at: 0 });
      accept(history, 'a', '1', 95);
      // Killed at 100 and at 150, when what the first kill had left in flight was still waited for.
      accept(history, 'a', '1', 140);
      accept(history, 'b', '1', 145);
      accept(history, 'b', '1', 190);
      for (const from of [100, 150]) history.addFault({ ...kill, from, to: from + 60 });
      expect(history.verdict().unexplained).toEqual([]);
      accept(history, 'b', '1', 195);
      expect(history.verdict().unexplained).toHaveLength(1);
    });

    it('does not account for what came twice before it, nor without a window', () => {
      expect(judged({ ...kill, from: 300, to: 310 }, ['b']).unexplained).toEqual(['b']);
      expect(judged({ ...kill, window: 0 }, ['b']).unexplained).toEqual(['b']);
    });

    it('may have left in two stores what was moving', () => {
      const moving = { ...kill, window: 0, movedTwice: 1 };
      expect(judged(moving, ['a']).unexplained).toEqual([]);
      expect(judged(moving, ['a', 'b']).unexplained).toEqual(['b']);
    });

    it('may have let the server forget what was removed right before it', () => {
      const forgetful = { ...kill, window: 0, forgetsMs: 50 };
      expect(judged(forgetful, ['a', 'b']).unexplained).toEqual([]);
      expect(judged({ ...forgetful, forgetsMs: 49 }, ['a', 'b']).unexplained).toEqual(['a']);
    });

    it('may have stored twice what was being stored', () => {
      const outage: Fault = { what: 'broker killed', from: 0.2, to: 0.8, window: 0, storedTwice: 1 };
      expect(judged(outage, ['a']).unexplained).toEqual([]);
      expect(judged(outage, ['a', 'a']).unexplained).toEqual(['a']);
      expect(judged(outage, ['b']).unexplained).toEqual(['b']);
    });
  });
});

describe('of a simulated flow with faults, the checker', () => {
  it('finds nothing wrong', () => {
    fc.assert(
      fc.property(simulatedHistory({ workers: 3 }), ({ history }) => {
        const verdict = history.verdict();
        expect(verdict).toMatchObject({ lost: [], invented: [], unexplained: [] });
        expect(verdict).toMatchObject({ unidentified: [], sharedIds: [], miscounted: [] });
        expect(verdict.duplicates).toBeLessThanOrEqual(history.faults.length * 3);
      }),
    );
  });

  it('finds the order kept when one worker delivers', () => {
    fc.assert(
      fc.property(simulatedHistory({ workers: 1 }), ({ history }) => {
        expect(history.verdict([], laneOf).outOfOrder).toEqual([]);
      }),
    );
  });

  it('finds a message that is lost, unless it is found elsewhere', () => {
    planted({ workers: 2 }, ({ history, delivered }, pick) => {
      const order = pick(
        delivered.filter((one) => history.events.some((e) => e.kind === 'confirmed' && e.order === one)),
      );
      if (order === undefined) return;
      const without = rebuilt(history, (event) => event.kind !== 'accepted' || event.order !== order);
      expect(without.verdict().lost).toEqual([order]);
      expect(without.undelivered).toBe(1);
      expect(without.verdict([order])).toMatchObject({ lost: [], putAside: { store: 1 } });
      without.add({ kind: 'found', order, at: 1e9, where: 'fail store' });
      expect(without.verdict()).toMatchObject({ lost: [], putAside: { 'fail store': 1 } });
      expect(without.undelivered).toBe(0);
    });
  });

  it('finds a message that nobody sent', () => {
    planted({ workers: 2 }, ({ history }, pick) => {
      const order = `X${pick([1, 2, 3])}`;
      accept(history, order, '1', 1e9);
      expect(history.verdict().invented).toEqual([order]);
    });
  });

  it('finds duplicates beyond the window', () => {
    planted({ workers: 2 }, ({ history, delivered }, pick) => {
      const order = pick(delivered);
      if (order === undefined) return;
      for (let repeat = 0; repeat <= history.faults.length; repeat += 1) accept(history, order, '1', 1e9 + repeat);
      expect(history.verdict().unexplained).toContain(order);
    });
  });

  it('finds a message whose id has changed on its way, and two that share one', () => {
    planted({ workers: 2 }, ({ history, delivered }, pick) => {
      const order = pick(delivered);
      const other = delivered.find((one) => one !== order);
      if (order === undefined || other === undefined) return;
      const last = history.events.findLastIndex((event) => event.kind === 'arrived' && event.order === order);
      const repeated = history.events.filter((event) => event.kind === 'arrived' && event.order === order).length > 1;
      const renamed = (messageId: string | undefined) => {
        const copy = new OrderHistory();
        for (const [index, event] of history.events.entries())
          copy.add(index === last && event.kind === 'arrived' ? { ...event, messageId } : event);
        return copy.verdict();
      };
      expect(renamed('another').unidentified).toEqual(repeated ? [order] : []);
      expect(renamed(undefined).unidentified).toEqual([order]);
      expect(renamed(`id of ${other}`).sharedIds).toEqual([`id of ${other}`]);
    });
  });

  it('finds one that comes again long after it was settled', () => {
    planted({ workers: 1 }, ({ history, delivered }) => {
      const [order] = delivered;
      // It is the last one of its back end at no fault when two others followed before the first fault.
      const accepted = history.events.filter((event) => event.kind === 'accepted').map(({ at }) => at);
      if (order === undefined || (accepted[2] ?? 1e9) > (history.faults[0]?.from ?? 1e8)) return;
      accept(history, order, '1', 1e9);
      expect(history.verdict().unexplained).toEqual([order]);
    });
  });

  it('finds two messages of a lane that have changed places', () => {
    planted({ workers: 1 }, ({ history, delivered }, pick) => {
      const confirmedAt = new Map(history.events.flatMap((e) => (e.kind === 'confirmed' ? [[e.order, e.at]] : [])));
      const sentAt = new Map(history.events.flatMap((e) => (e.kind === 'sent' ? [[e.order, e.at]] : [])));
      const pairs = delivered.flatMap((first) =>
        delivered
          .filter(
            (second) => laneOf(first) === laneOf(second) && (confirmedAt.get(first) ?? 1e9) < (sentAt.get(second) ?? 0),
          )
          .map((second) => [first, second] as const),
      );
      const pair = pick(pairs);
      if (!pair) return;
      const [first, second] = pair;
      const other: Record<string, string> = { [first]: second, [second]: first };
      const swapped = new OrderHistory();
      for (const event of history.events)
        swapped.add(event.kind === 'accepted' ? { ...event, order: other[event.order] ?? event.order } : event);
      expect(swapped.verdict([], laneOf).outOfOrder).toContain(first);
    });
  });
});

function accept(history: OrderHistory, order: string, backEnd: string, at: number): void {
  history.add({ kind: 'accepted', order, backEnd, at });
}

function rebuilt(history: OrderHistory, keep: (event: OrderHistory['events'][number]) => boolean): OrderHistory {
  const copy = new OrderHistory();
  for (const event of history.events.filter(keep)) copy.add(event);
  for (const fault of history.faults) copy.addFault(fault);
  return copy;
}

function planted(
  options: { readonly workers: number },
  plant: (simulated: Simulated, pick: <T>(from: readonly T[]) => T | undefined) => void,
): void {
  fc.assert(
    fc.property(simulatedHistory(options), fc.nat(), (simulated, number) =>
      plant(simulated, (from) => (from.length === 0 ? undefined : from[number % from.length])),
    ),
  );
}
