import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { around, drawOrder, drawQuote, drawSymbol } from '../../../samples/stockquote/wire/quotes.ts';

/** What Math.random can give, less the last few numbers below 1, with which 19999.99… rounds up to 20000. */
const draws = fc.double({ min: 0, max: 1 - 1e-9, noNaN: true });

/** A random source that gives the listed numbers in turn, again and again. */
function turning(values: readonly number[]) {
  let at = 0;
  return () => values[at++ % values.length] ?? 0;
}

function inside(value: number, ...ranges: Array<readonly [number, number]>): boolean {
  return ranges.some(([from, to]) => value >= from - 1e-9 * Math.abs(from) && value <= to + 1e-9 * Math.abs(to));
}

describe('made-up prices', () => {
  it('vary around the base, the sign following the direction unless only positive values are wanted', () => {
    expect(around(() => 0.5, 100, 0.9, true)).toBe(55);
    expect(around(() => 0.75, 100, 0.9, true)).toBe(167.5);
    expect(around(() => 0, 100, 0.9, true)).toBe(100);
    expect(around(() => 0.5, 3, 0.5, false)).toBe(-2.25);
    expect(around(() => 0.75, 3, 0.5, false)).toBe(4.125);
  });

  it('stay in the ranges of the reference', () => {
    fc.assert(
      fc.property(fc.array(draws, { minLength: 10, maxLength: 10 }), (values) => {
        const quote = drawQuote('IBM', turning(values), 'now');
        const { last } = quote;
        expect(inside(last, [55, 100], [145, 190])).toBe(true);
        expect(inside(quote.change, [-3, -2.25], [3.75, 4.5])).toBe(true);
        for (const value of [quote.open, quote.high, quote.low]) {
          expect(inside(value, [-last, -0.975 * last], [1.025 * last, 1.05 * last])).toBe(true);
        }
        expect(inside(quote.volume, [5000, 10_000], [15_000, 19_999])).toBe(true);
        expect(Number.isInteger(quote.volume)).toBe(true);
        expect(inside(quote.marketCap, [-1e7, 1.5e7], [3.5e7, 6e7])).toBe(true);
        expect(inside(quote.prevClose, [-last, -0.925 * last], [1.075 * last, 1.15 * last])).toBe(true);
        expect(quote.percentageChange).toBe((quote.change / quote.prevClose) * 100);
        expect(inside(quote.earnings, [-10, -8], [12, 14])).toBe(true);
        expect(inside(quote.peRatio, [-20, -17], [23, 26])).toBe(true);
      }),
    );
  });

  it('name the company after its symbol, also after none', () => {
    expect(drawQuote('MSFT', Math.random, 'now')).toMatchObject({ symbol: 'MSFT', name: 'MSFT Company' });
    expect(drawQuote(null, Math.random, 'now')).toMatchObject({ symbol: null, name: 'null Company' });
  });

  it('make up orders and symbols', () => {
    fc.assert(
      fc.property(fc.array(draws, { minLength: 3, maxLength: 3 }), (values) => {
        const order = drawOrder('SUN', turning(values));
        expect(order.symbol).toBe('SUN');
        expect(inside(order.price, [55, 100], [145, 190])).toBe(true);
        expect(inside(order.quantity, [5000, 10_000], [15_000, 19_999])).toBe(true);
        expect(drawSymbol(turning(values))).toMatch(/^[A-Z]{3}$/);
      }),
    );
  });
});
