import { randomUUID } from 'node:crypto';
import type { OutgoingTransport, TransportRequest } from '../../endpoints/outgoing-transport.ts';
import { logger } from '../../logging/index.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import { formatRequest } from '../../message/formatter.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { within } from '../../stores/broker/deadline.ts';
import type { StoreServices } from '../../stores/component.ts';
import type { StompConnection, StompMessage } from '../../stores/stomp/connection.ts';
import { decodeJmsMessage } from '../../stores/stomp/jms-message.ts';
import { isArtemis, queueHeaders, subscribedQueue } from '../../stores/stomp/queue-name.ts';
import { acceptedAnswer, answerFrom } from '../queue-answer.ts';
import { JmsBrokerLink } from './broker-link.ts';
import { type JmsAddress, parseJmsAddress } from './jms-address.ts';
import { jmsFrame } from './outgoing.ts';

const log = logger('JMSSender');
/** Addresses that were taken apart, and brokers that are connected to; more are forgotten and closed, the oldest first. */
const MAX_ADDRESSES = 1_000;
const MAX_BROKERS = 32;

/**
 * Sends messages to `jms:` addresses (spec proxies 5, samples 251 and 264): one-way ones are safe when the broker has confirmed them;
 * others wait for an answer with their correlation id, on a temporary queue or on the one that the address names. What is sent to a
 * topic is safe when the broker has it: who has subscribed to it is the broker's business.
 */
export class JmsSender implements OutgoingTransport {
  readonly #services: StoreServices;
  readonly #addresses = new Map<string, JmsAddress>();
  readonly #links = new Map<string, JmsBrokerLink>();
  readonly #answers = new WeakMap<StompConnection, Answers>();

  constructor(services: StoreServices) {
    this.#services = services;
  }

  async exchange(message: MessageContext, request: TransportRequest): Promise<MessageContext> {
    const address = this.#address(request.address);
    const formatted = formatRequest(message, request.format, request.encoding, 'POST', request.optimize);
    const property = address.contentTypeProperty ?? propertyOf(message);
    const { headers, body } = jmsFrame(message, formatted, property);
    const correlationId =
      message.headers.get('JMS_COORELATION_ID') ??
      textOf(message, 'JMS_COORELATION_ID') ??
      `mini-synapse-${randomUUID()}`;
    const link = this.#link(address);
    try {
      if (request.outOnly) {
        const frame = { ...headers, 'correlation-id': correlationId };
        await link.send((server) => destinationOf(address, server), frame, body, request.signal);
        return acceptedAnswer(message);
      }
      const connection = await link.connected(request.signal);
      const answer = await this.#ask(connection, address, { headers, body, correlationId, request });
      return answerOf(message, answer);
    } catch (error) {
      throw error instanceof MediationError ? error : sendFailed(address, error);
    }
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  async #ask(
    connection: StompConnection,
    address: JmsAddress,
    what: { headers: Record<string, string>; body: Uint8Array; correlationId: string; request: TransportRequest },
  ): Promise<StompMessage> {
    const { headers, body, correlationId, request } = what;
    const { replyQueue } = address;
    const answers = this.#answers.get(connection) ?? new Answers(connection);
    this.#answers.set(connection, answers);
    const waiting = await answers.expect(correlationId, replyQueue, request);
    try {
      const frame = { ...headers, 'correlation-id': correlationId, 'reply-to': waiting.replyTo };
      const sent = connection.request('SEND', { ...frame, ...destinationOf(address, connection.server) }, body);
      await within(sent, this.#services.putDeadlineMs, 'the broker to confirm a message');
      return await waiting.answer;
    } finally {
      waiting.end();
    }
  }

  #address(text: string): JmsAddress {
    const known = this.#addresses.get(text);
    if (known) return known;
    let address: JmsAddress;
    try {
      address = parseJmsAddress(text, this.#services);
    } catch (cause) {
      throw new MediationError(`The JMS address cannot be used: ${(cause as Error).message}`, { cause });
    }
    this.#addresses.set(text, address);
    for (const oldest of this.#addresses.keys()) {
      if (this.#addresses.size <= MAX_ADDRESSES) break;
      this.#addresses.delete(oldest);
    }
    return address;
  }

  #link({ access }: JmsAddress): JmsBrokerLink {
    const known = this.#links.get(access.key);
    if (known) return known;
    const link = new JmsBrokerLink({ label: 'JMS sender', access, deadlineMs: this.#services.putDeadlineMs, log });
    link.start();
    this.#links.set(access.key, link);
    for (const [key, oldest] of this.#links) {
      if (this.#links.size <= MAX_BROKERS) break;
      this.#links.delete(key);
      void oldest.close();
    }
    return link;
  }
}

/** Artemis takes the name alone and is told which of the two it is. */
function destinationOf({ queue, topic }: JmsAddress, server: string): Record<string, string> {
  if (!topic) return { ...queueHeaders(queue, server) };
  return isArtemis(server)
    ? { destination: queue, 'destination-type': 'MULTICAST' }
    : { destination: `/topic/${queue}` };
}

interface Waiting {
  readonly replyTo: string;
  readonly answer: Promise<StompMessage>;
  /** Waits no longer. */
  end(): void;
}

/** Who waits for answers on one connection; a connection has one temporary queue for all of them. */
class Answers {
  readonly #connection: StompConnection;
  readonly #waiters = new Map<string, PromiseWithResolvers<StompMessage>>();
  readonly #subscriptions = new Map<string, Promise<void>>();

  constructor(connection: StompConnection) {
    this.#connection = connection;
    // Once for all: a listener for each request would stay as long as the connection.
    void connection.ended.then((reason) => {
      for (const { reject } of this.#waiters.values()) reject(reason);
    });
  }

  /** @throws MediationError when answers cannot be received */
  async expect(correlationId: string, replyQueue: string | undefined, request: TransportRequest): Promise<Waiting> {
    const { server } = this.#connection;
    if (replyQueue === undefined && isArtemis(server))
      throw new MediationError(
        'Artemis has no temporary queues over STOMP: name a queue with transport.jms.ReplyDestination',
      );
    const waiter = Promise.withResolvers<StompMessage>();
    const { promise, reject } = waiter;
    promise.catch(() => undefined);
    const giveUp = () => reject(new MediationError('the send was given up', { code: ERROR_CODES.connectionClosed }));
    const expire = () =>
      reject(
        new MediationError(`no answer within ${request.timeoutMs} ms`, { code: ERROR_CODES.sendTimeout, status: 504 }),
      );
    const timer = setTimeout(expire, request.timeoutMs);
    request.signal?.addEventListener('abort', giveUp, { once: true });
    this.#waiters.set(correlationId, waiter);
    const end = () => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', giveUp);
      this.#waiters.delete(correlationId);
    };
    try {
      await this.#subscribed(replyQueue);
    } catch (error) {
      end();
      throw error;
    }
    const destination = replyQueue === undefined ? TEMPORARY : queueHeaders(replyQueue, server).destination;
    return { replyTo: destination, answer: promise, end };
  }

  #subscribed(replyQueue: string | undefined): Promise<void> {
    const name = replyQueue ?? TEMPORARY;
    const known = this.#subscriptions.get(name);
    if (known) return known;
    const destination =
      replyQueue === undefined
        ? { destination: TEMPORARY }
        : { ...subscribedQueue(replyQueue, this.#connection.server) };
    const { confirmed } = this.#connection.subscribe({ ...destination, ack: 'auto' }, (message) =>
      this.#onAnswer(message),
    );
    this.#subscriptions.set(name, confirmed);
    confirmed.catch(() => this.#subscriptions.delete(name));
    return confirmed;
  }

  #onAnswer(message: StompMessage): void {
    const correlationId = message.headers['correlation-id'] ?? '';
    const waiter = this.#waiters.get(correlationId);
    if (waiter) waiter.resolve(message);
    else log.warn(`An answer with the correlation id ${correlationId} is dropped: nobody waits for it any more`);
  }
}

const TEMPORARY = '/temp-queue/mini-synapse-answers';

function answerOf(request: MessageContext, answer: StompMessage): MessageContext {
  const { message: stored, reason } = decodeJmsMessage(answer);
  if (!stored && answer.body.length > 0) throw new MediationError(`The answer cannot be read: ${reason ?? ''}`);
  const response = answerFrom(request, stored);
  if (stored?.correlationId !== undefined) response.headers.set('JMS_COORELATION_ID', stored.correlationId);
  return response;
}

function sendFailed({ queue, topic }: JmsAddress, cause: unknown): MediationError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MediationError(`Unable to send to the JMS ${topic ? 'topic' : 'queue'} ${queue}: ${reason}`, {
    code: ERROR_CODES.connectionFailed,
    status: 503,
    cause,
  });
}

function propertyOf(message: MessageContext): string | undefined {
  return textOf(message, 'transport.jms.ContentTypeProperty');
}

function textOf({ axis2 }: MessageContext, name: string): string | undefined {
  const value = axis2.get(name);
  return value === undefined || value === '' ? undefined : String(value);
}
