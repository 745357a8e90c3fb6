/**
 * What a `Retry-After` header asks for, ms from now: a number of seconds or an HTTP date (RFC 9110, 10.2.3). Undefined when there is
 * none or it cannot be read; never negative. Who waits for it sets a bound (OP-28).
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  // Dates have a weekday; what else Date.parse understands is no Retry-After.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
