/**
 * The back end's JMS side (stockquote-samples 1.10; samples 251 and 264): takes the messages of a queue of an ActiveMQ, has the HTTP side
 * answer them, and sends answers to the `JMSReplyTo` of the request.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  AddressError,
  parseProviderUrl,
  type StompEndpoint,
  stompEndpoints,
} from '../../../src/stores/stomp/address.ts';
import { openStompConnection, type StompConnection, type StompMessage } from '../../../src/stores/stomp/connection.ts';
import { UsageError } from '../wire/arguments.ts';

export interface JmsSide {
  /** The broker, as artifacts say it; or where it speaks STOMP. */
  readonly providerUrl: string;
  /** Default `SimpleStockQuoteService`. */
  readonly queue?: string;
  /** Where the HTTP side serves the same operations. */
  readonly serviceUrl: string;
  readonly reportError: (text: string) => void;
}

const HEART_BEAT_MS = 10_000;
const RETRY_MS = 1_000;
const CALL_MS = 30_000;
/** How long messages in hand may take once it is to end. */
const LEAVE_MS = 5_000;
const DEFAULT_CONTENT_TYPE = 'text/xml; charset=UTF-8';

/**
 * Serves until the signal is aborted, over as many connections as it takes. A message is acknowledged after it was answered.
 * @throws UsageError when the address names no broker
 */
export async function serveJms(side: JmsSide, signal: AbortSignal): Promise<void> {
  const endpoint = brokerEndpoint(side.providerUrl);
  while (!signal.aborted) {
    try {
      const connection = await openStompConnection({ endpoint, heartBeatMs: HEART_BEAT_MS, signal });
      await serveOver(connection, side, signal);
    } catch (error) {
      if (!signal.aborted) side.reportError(`JMS: ${error instanceof Error ? error.message : String(error)}`);
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function serveOver(connection: StompConnection, side: JmsSide, signal: AbortSignal): Promise<void> {
  const inHand = new Set<Promise<void>>();
  const leave = () => void leaveAfter(inHand, connection);
  signal.addEventListener('abort', leave, { once: true });
  try {
    const queue = side.queue ?? 'SimpleStockQuoteService';
    const headers = { destination: `/queue/${queue}`, ack: 'client-individual', 'activemq.prefetchSize': '1' };
    const subscription = connection.subscribe(headers, (message) => {
      if (signal.aborted) return;
      const answered = answerMessage(connection, message, side.serviceUrl)
        .catch((error: unknown) => connection.destroy(error instanceof Error ? error.message : String(error)))
        .finally(() => inHand.delete(answered));
      inHand.add(answered);
    });
    await subscription.confirmed;
    const reason = await connection.ended;
    if (!signal.aborted) throw reason;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** What was taken is acknowledged first: an order that was accepted would come again. */
async function leaveAfter(inHand: ReadonlySet<Promise<void>>, connection: StompConnection): Promise<void> {
  await Promise.race([Promise.all(inHand), delay(LEAVE_MS, undefined, { ref: false })]);
  await connection.close();
}

async function answerMessage(connection: StompConnection, message: StompMessage, serviceUrl: string): Promise<void> {
  const { headers, body } = message;
  const action = headers.SOAPAction ?? headers.soapaction;
  const response = await fetch(serviceUrl, {
    method: 'POST',
    headers: {
      'Content-Type': headers['content-type'] ?? headers.contentType ?? DEFAULT_CONTENT_TYPE,
      ...(action !== undefined && { SOAPAction: action }),
    },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(CALL_MS),
  });
  const answer = new Uint8Array(await response.arrayBuffer());
  const replyTo = headers['reply-to'];
  if (replyTo !== undefined && answer.byteLength > 0) {
    const correlationId = headers['correlation-id'] ?? headers['message-id'] ?? '';
    const contentType = response.headers.get('Content-Type') ?? DEFAULT_CONTENT_TYPE;
    const reply = { destination: replyTo, 'correlation-id': correlationId, 'content-type': contentType };
    await connection.request('SEND', { ...reply, 'amq-msg-type': 'text', persistent: 'true' }, answer);
  }
  await connection.request('ACK', { id: headers.ack ?? '' });
}

function brokerEndpoint(providerUrl: string): StompEndpoint {
  try {
    const [endpoint] = stompEndpoints(parseProviderUrl(providerUrl), { overrides: new Map(), artemis: false });
    if (endpoint) return endpoint;
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new UsageError(`--jms: ${cause.message}`, { cause });
  }
  throw new UsageError(`--jms: ${providerUrl} names no broker`);
}
