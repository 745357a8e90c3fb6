/** The JMS client, `ant jmsclient` (stockquote-samples 2.8): puts messages without any JMS property on a queue of an ActiveMQ. */
import { readFileSync } from 'node:fs';
import { AddressError, parseProviderUrl, stompEndpoints } from '../../../src/stores/stomp/address.ts';
import { openStompConnection } from '../../../src/stores/stomp/connection.ts';
import { UsageError } from '../wire/arguments.ts';
import { drawOrder, type Random } from '../wire/quotes.ts';
import { CallFailure } from './failure.ts';
import { payloadOf } from './request.ts';

export interface JmsMessages {
  /** `text`, `binary` or `pox`. */
  readonly type: string;
  /** `dynamicQueues/NAME`, or the name itself. */
  readonly destination: string;
  /** The text; the path of a file for `binary`; the symbol for `pox`. */
  readonly payload: string | undefined;
  readonly count: number;
  /** The broker, as artifacts say it. */
  readonly providerUrl: string;
  /** ms, for the connection and for each confirmation. */
  readonly timeoutMs: number;
  readonly random?: Random;
}

const QUEUE_PREFIX = 'dynamicQueues/';
const HEART_BEAT_MS = 10_000;

/**
 * Sends the messages one by one; resolves when the broker has confirmed the last one.
 * @throws UsageError for an unknown type, an unreadable file or a broker's address that is none
 * @throws CallFailure when the broker cannot be reached or does not take a message in time
 */
export async function sendJmsMessages(messages: JmsMessages): Promise<void> {
  const { destination, count, timeoutMs } = messages;
  const queue = destination.startsWith(QUEUE_PREFIX) ? destination.slice(QUEUE_PREFIX.length) : destination;
  const endpoint = brokerEndpoint(messages.providerUrl);
  const body = content(messages);
  // With a content-length a STOMP message is a BytesMessage, without one a TextMessage.
  const kind: Record<string, string> = messages.type === 'binary' ? { 'content-length': String(body.length) } : {};
  const headers = { destination: `/queue/${queue}`, persistent: 'true', ...kind };
  try {
    const connection = await openStompConnection({ endpoint, heartBeatMs: HEART_BEAT_MS, deadlineMs: timeoutMs });
    const deadline = setTimeout(
      () => connection.destroy(`the broker took longer than ${timeoutMs} ms`),
      timeoutMs * count,
    );
    try {
      for (let number = 0; number < count; number += 1) await connection.request('SEND', headers, body);
    } finally {
      clearTimeout(deadline);
      await connection.close();
    }
  } catch (cause) {
    throw new CallFailure('transport', `The messages could not be put on the queue ${queue}`, { cause });
  }
}

function content({ type, payload, random = Math.random }: JmsMessages): Uint8Array {
  switch (type) {
    case 'text':
      return Buffer.from(payload ?? randomOrder(random), 'utf8');
    case 'pox':
      return Buffer.from(payloadOf('placeorder', payload ?? 'IBM', 1, random).xml, 'utf8');
    case 'binary':
      return fileContent(payload);
    default:
      throw new UsageError('Unknown JMS message type');
  }
}

/** `PRICE QTY IBM`. */
function randomOrder(random: Random): string {
  const { price, quantity, symbol } = drawOrder('IBM', random);
  return `${price} ${quantity} ${symbol}`;
}

function fileContent(path: string | undefined): Uint8Array {
  if (path === undefined) throw new UsageError('A binary message needs --jms_payload FILE');
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UsageError(`--jms_payload: cannot read ${path}`, { cause });
  }
}

function brokerEndpoint(providerUrl: string) {
  try {
    const [endpoint] = stompEndpoints(parseProviderUrl(providerUrl), { overrides: new Map(), artemis: false });
    if (endpoint) return endpoint;
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new UsageError(`--jms_url: ${cause.message}`, { cause });
  }
  throw new UsageError(`--jms_url: ${providerUrl} names no broker`);
}
