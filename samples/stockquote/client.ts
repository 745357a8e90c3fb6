/**
 * The sample client: sends what `ant stockquote` sends and reads the answer as it does (stockquote-samples 2). This module is its
 * programmatic face; `client-cli.ts` is the program.
 */
import type { Agent } from 'node:http';
import { average, findValue, readAcceptance, readAnswer } from './client/answer.ts';
import { CallbackPortError, openCallback } from './client/callback.ts';
import { CallFailure } from './client/failure.ts';
import { type Connection, type HttpReply, post } from './client/http.ts';
import {
  MODES,
  type Mode,
  NO_REPLY,
  type Payload,
  payloadOf,
  plainMessage,
  soapMessage,
  type WireMessage,
} from './client/request.ts';
import { UsageError } from './wire/arguments.ts';
import { doubleText } from './wire/java-text.ts';
import type { Order, Random } from './wire/quotes.ts';
import type { SoapVersion } from './wire/soap.ts';

export { CallbackPortError, CallFailure, MODES, type Mode, type Order, UsageError };

/** What to send and where; the names are those of the ant script where it has them. */
export interface StockQuoteOptions {
  /** WS-Addressing `To`; also where the request is sent when `trpurl` is not given. */
  readonly addurl?: string | undefined;
  /** Where the request is sent, whatever `addurl` says. */
  readonly trpurl?: string | undefined;
  /** HTTP proxy to send it through. */
  readonly prxurl?: string | undefined;
  /** `quote` by default. */
  readonly mode?: Mode | undefined;
  /** `IBM` by default. */
  readonly symbol?: string | undefined;
  /** `soap11` by default. */
  readonly soapver?: SoapVersion | undefined;
  /** How many `request` elements one quote has, 1 by default. */
  readonly itr?: number | undefined;
  /** Send plain XML without envelope and addressing. */
  readonly rest?: boolean | undefined;
  /** Deadline for the whole exchange, milliseconds; 30,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Port of the client's own listener in mode dualquote, 8200 by default, 0 for any free one. */
  readonly callbackPort?: number | undefined;
  /** PEM of the certificates to trust for HTTPS. */
  readonly ca?: string | undefined;
  /** Accept any certificate. */
  readonly insecure?: boolean | undefined;
  /** Connection pool; by default each request opens a connection of its own. */
  readonly agent?: Agent | undefined;
  /** Source of random orders and symbols, `Math.random` by default. */
  readonly random?: Random | undefined;
}

/** What came of it. */
export interface StockQuoteResult {
  readonly mode: Mode;
  readonly status: number;
  /** The lines that the program prints. */
  readonly lines: readonly string[];
  /** Text of the price in the modes quote, customquote and dualquote. */
  readonly price?: string;
  /** Mean price in the modes fullquote and marketactivity; NaN when the answer had none. */
  readonly average?: number;
  /** The order that was placed. */
  readonly order?: Order;
}

/** A request that can be sent more than once: same payload, new message id. */
export interface PreparedRequest {
  /** @throws CallFailure, CallbackPortError */
  send(): Promise<StockQuoteResult>;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_CALLBACK_PORT = 8200;

/**
 * Sends one request and reads its answer.
 *
 * @throws UsageError when there is nowhere to send it
 * @throws CallFailure when the call fails: fault, error status, no connection, no answer within the deadline
 * @throws CallbackPortError when the port of the second channel of dualquote is taken
 */
export async function sendStockQuote(options: StockQuoteOptions): Promise<StockQuoteResult> {
  return prepareStockQuote(options).send();
}

/** Checks the options and draws the payload. @throws UsageError */
export function prepareStockQuote(options: StockQuoteOptions): PreparedRequest {
  const { addurl, trpurl, prxurl, mode = 'quote', symbol = 'IBM', itr = 1, random = Math.random } = options;
  const target = trpurl ?? addurl;
  if (target === undefined) throw new UsageError('Give the address of the service: --addurl URL or --trpurl URL');
  const url = httpUrl(target, trpurl === undefined ? 'addurl' : 'trpurl');
  const proxy = prxurl === undefined ? undefined : httpUrl(prxurl, 'prxurl');
  if (proxy && url.protocol === 'https:') throw new UsageError('An https: address cannot be reached through --prxurl');
  if (mode === 'dualquote' && options.rest) throw new UsageError('The mode dualquote needs SOAP: leave out --rest');
  const payload = payloadOf(mode, symbol, itr, random);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, ca, insecure, agent } = options;
  const call: Call = { options, mode, url, payload, connection: { proxy, timeoutMs, ca, insecure, agent } };
  return { send: () => (mode === 'dualquote' ? sendDual(call) : sendSingle(call)) };
}

/** Reads an address. @throws UsageError naming the option unless it is an http: or https: URL */
export function httpUrl(text: string, option: string): URL {
  if (URL.canParse(text)) {
    const url = new URL(text);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  }
  throw new UsageError(`--${option} needs an http: or https: URL, not ${text}`);
}

interface Call {
  readonly options: StockQuoteOptions;
  readonly mode: Mode;
  readonly url: URL;
  readonly payload: Payload;
  readonly connection: Connection;
}

async function sendSingle({ options, mode, url, payload, connection }: Call): Promise<StockQuoteResult> {
  const replyTo = mode === 'placeorder' ? NO_REPLY : undefined;
  const message = options.rest ? plainMessage(payload) : addressed(options, payload, newMessageId(), replyTo);
  const reply = await post(url, message.headers, message.body, connection);
  return mode === 'placeorder' ? orderResult(reply, payload) : quoteResult(mode, reply);
}

async function sendDual({ options, mode, url, payload, connection }: Call): Promise<StockQuoteResult> {
  const messageId = newMessageId();
  const callback = await openCallback(options.callbackPort ?? DEFAULT_CALLBACK_PORT, messageId);
  try {
    const message = addressed(options, payload, messageId, callback.address);
    const acknowledgement = await post(url, message.headers, message.body, connection);
    // A service without addressing answers right away, on the first channel.
    const direct = acknowledgement.status !== 202 && acknowledgement.body.byteLength > 0;
    if (!direct) readAcceptance(acknowledgement);
    const reply = direct ? acknowledgement : await within(callback.answer, connection.timeoutMs);
    return quoteResult(mode, reply);
  } finally {
    await callback.close();
  }
}

async function within(answer: Promise<HttpReply>, timeoutMs: number): Promise<HttpReply> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const cause = `No answer on the second channel within ${timeoutMs} ms`;
    deadline.reject(new CallFailure('transport', 'Read timed out', { cause }));
  }, timeoutMs);
  try {
    return await Promise.race([answer, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function newMessageId(): string {
  return `urn:uuid:${crypto.randomUUID()}`;
}

function addressed(
  { addurl, soapver = 'soap11' }: StockQuoteOptions,
  payload: Payload,
  messageId: string,
  replyTo: string | undefined,
): WireMessage {
  return soapMessage(soapver, payload, { to: addurl, replyTo, messageId });
}

function orderResult(reply: HttpReply, { order }: Payload): StockQuoteResult {
  readAcceptance(reply);
  if (!order) throw new Error('A placeOrder without an order');
  const { quantity, symbol, price } = order;
  const line = `Order placed for ${quantity} shares of stock ${symbol} at a price of $ ${doubleText(price)}`;
  return { mode: 'placeorder', status: reply.status, lines: [line], order };
}

function quoteResult(mode: Mode, reply: HttpReply): StockQuoteResult {
  const answer = readAnswer(reply);
  const { status } = reply;
  if (mode === 'fullquote' || mode === 'marketactivity') {
    const mean = average(answer, 'last');
    const title = mode === 'fullquote' ? 'Full' : 'Activity';
    return { mode, status, lines: [`${title} :: Average price = $${doubleText(mean)}`], average: mean };
  }
  if (mode === 'customquote') {
    const price = findValue(answer, 'Price');
    return { mode, status, lines: [`Custom :: Stock price = $${price}`], price };
  }
  const price = findValue(answer, 'last');
  if (mode === 'quote') return { mode, status, lines: [`Standard :: Stock price = $${price}`], price };
  const lines = ['Response received to the callback', `Standard dual channel :: Stock price = $${price}`];
  return { mode, status, lines, price };
}
