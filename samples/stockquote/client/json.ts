/** The JSON client, `ant jsonclient` (stockquote-samples 2.8): a quote asked for and answered in JSON. */
import { readAcceptance, unexpected } from './answer.ts';
import { type Connection, post } from './http.ts';

/** Sends one getQuote. @returns the price as the answer writes it @throws CallFailure */
export async function sendJsonQuote(url: URL, symbol: string, connection: Connection): Promise<string> {
  const body = JSON.stringify({ getQuote: { request: { symbol } } });
  const reply = await post(url, { 'Content-Type': 'application/json; charset=UTF-8' }, body, connection);
  readAcceptance(reply);
  const text = new TextDecoder().decode(reply.body);
  const price = dig(parse(text), ['getQuoteResponse', 'return', 'last']);
  if (typeof price !== 'number' && typeof price !== 'string') throw unexpected(text, reply.status);
  return String(price);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON has no price in it; the caller shows the text.
    return undefined;
  }
}

function dig(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}
