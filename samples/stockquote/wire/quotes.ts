/** The made-up stock market of the samples (stockquote-samples 1.8): what a quote and an order look like and how they are drawn. */

/** A source of numbers in [0, 1), `Math.random` unless a test wants the same market again. */
export type Random = () => number;

/** One quote; the field names and their alphabetical order are those of the response on the wire. */
export interface Quote {
  readonly change: number;
  readonly earnings: number;
  readonly high: number;
  readonly last: number;
  readonly lastTradeTimestamp: string;
  readonly low: number;
  readonly marketCap: number;
  readonly name: string;
  readonly open: number;
  readonly peRatio: number;
  readonly percentageChange: number;
  readonly prevClose: number;
  /** null when the request had no symbol */
  readonly symbol: string | null;
  readonly volume: number;
}

/** An order as the client draws it. */
export interface Order {
  readonly price: number;
  readonly quantity: number;
  readonly symbol: string;
}

/**
 * A value around `base`. The direction of the variation also is the sign of the result unless `positiveOnly`, and no
 * value falls into the half of the variation next to the base on the upper side: both belong to the reference.
 */
export function around(random: Random, base: number, variation: number, positiveOnly: boolean): number {
  const draw = random();
  const sign = draw > 0.5 ? 1 : -1;
  return (base + sign * variation * base * draw) * (positiveOnly ? 1 : sign);
}

/** Draws a quote. @param timestamp the text for `lastTradeTimestamp` */
export function drawQuote(symbol: string | null, random: Random, timestamp: string): Quote {
  const last = around(random, 100, 0.9, true);
  const change = around(random, 3, 0.5, false);
  const prevClose = around(random, last, 0.15, false);
  return {
    change,
    earnings: around(random, 10, 0.4, false),
    high: around(random, last, 0.05, false),
    last,
    lastTradeTimestamp: timestamp,
    low: around(random, last, 0.05, false),
    marketCap: around(random, 10_000_000, 5.0, false),
    name: `${symbol} Company`,
    open: around(random, last, 0.05, false),
    peRatio: around(random, 20, 0.3, false),
    percentageChange: (change / prevClose) * 100,
    prevClose,
    symbol,
    volume: Math.trunc(around(random, 10_000, 1.0, true)),
  };
}

/** Draws an order as the sample client does. */
export function drawOrder(symbol: string, random: Random): Order {
  const price = around(random, 100, 0.9, true);
  return { price, quantity: Math.trunc(around(random, 10_000, 1.0, true)), symbol };
}

/** Three random capital letters: the symbols that the client's market activity asks for. */
export function drawSymbol(random: Random): string {
  const letter = () => String.fromCharCode(65 + Math.floor(random() * 26));
  return letter() + letter() + letter();
}
