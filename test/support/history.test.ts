import { describe, expect, it } from 'vitest';
import { OrderHistory } from './history.ts';

describe('a history', () => {
  it('tells what was lost, invented and duplicated', () => {
    const history = new OrderHistory();
    for (const order of ['a', 'b', 'c', 'd', 'e']) history.add({ kind: 'sent', order, at: 1 });
    for (const order of ['a', 'b', 'c']) history.add({ kind: 'confirmed', order, at: 2 });
    history.add({ kind: 'refused', order: 'd', at: 3, status: 500 });
    history.add({ kind: 'unanswered', order: 'e', at: 3, reason: 'Connection reset' });
    const accept = (order: string, backEnd: string) => history.add({ kind: 'accepted', order, backEnd, at: 4 });
    accept('a', '1');
    accept('a', '2');
    accept('a', '1');
    accept('e', '2');
    accept('x', '2');
    expect(history.undelivered).toBe(2);
    expect(history.hasAccepted('e')).toBe(true);
    expect(history.verdict(['c'])).toEqual({
      sent: 5,
      confirmed: 3,
      refused: 1,
      unanswered: 1,
      delivered: 3,
      acceptedBy: { 1: 2, 2: 3 },
      lost: ['b'],
      invented: ['x'],
      unansweredButAccepted: ['e'],
      duplicated: { a: 3 },
      duplicates: 2,
    });
  });

  it('counts an order that is accepted before its sender has the answer', () => {
    const history = new OrderHistory();
    history.add({ kind: 'accepted', order: 'a', backEnd: '1', at: 1 });
    history.add({ kind: 'confirmed', order: 'a', at: 2 });
    expect(history.undelivered).toBe(0);
    expect(history.count('accepted')).toBe(1);
    expect(history.firstSince('confirmed', 1)).toEqual({ kind: 'confirmed', order: 'a', at: 2 });
    expect(history.firstSince('accepted', 2)).toBeUndefined();
  });
});
