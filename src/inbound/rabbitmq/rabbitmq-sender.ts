import { randomUUID } from 'node:crypto';
import type { OutgoingTransport, TransportRequest } from '../../endpoints/outgoing-transport.ts';
import { logger } from '../../logging/index.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import { type FormattedRequest, formatRequest } from '../../message/formatter.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { integerOf } from '../../message/property-value.ts';
import { type AmqpAddress, formatAddress } from '../../stores/amqp/address.ts';
import { decodeAmqpMessage } from '../../stores/amqp/amqp-message.ts';
import { messageOf, openAmqpConnection } from '../../stores/amqp/connection.ts';
import { ConnectError } from '../../stores/broker/back-off.ts';
import { within } from '../../stores/broker/deadline.ts';
import { isForwardable } from '../../stores/broker/foreign-body.ts';
import { ConnectionSupervisor } from '../../stores/broker/supervisor.ts';
import type { StoreServices } from '../../stores/component.ts';
import { ConnectionLog } from '../connection-log.ts';
import { acceptedAnswer, answerFrom } from '../queue-answer.ts';
import { parseRabbitMqAddress, type RabbitMqAddress } from './rabbitmq-address.ts';
import { type Outgoing, SendingChannel } from './sending-channel.ts';

const log = logger('RabbitMQSender');
/** Addresses that were taken apart, and brokers that are connected to; more are forgotten and closed, the oldest first. */
const MAX_ADDRESSES = 1_000;
const MAX_BROKERS = 32;
const MAX_SHORT_STRING_BYTES = 255;
/** The axis2 property that says the correlation id. */
const CORRELATION_ID = 'rabbitmq.message.correlation.id';

type Link = ConnectionSupervisor<AmqpAddress, SendingChannel>;

/**
 * Sends messages to `rabbitmq:` addresses: one-way ones are safe when the broker has confirmed them and a queue has them; others wait for an
 * answer with their correlation id, which comes to the sender itself (direct reply-to) or to the queue that `rabbitmq.replyto.name` names.
 */
export class RabbitMqSender implements OutgoingTransport {
  readonly #services: StoreServices;
  readonly #addresses = new Map<string, RabbitMqAddress>();
  readonly #links = new Map<string, Link>();

  constructor(services: StoreServices) {
    this.#services = services;
  }

  async exchange(message: MessageContext, request: TransportRequest): Promise<MessageContext> {
    const address = this.#address(request.address);
    const { format, encoding, optimize } = request;
    const outgoing = outgoingOf(message, formatRequest(message, format, encoding, 'POST', optimize));
    try {
      const channel = await this.#connected(this.#link(address), request.signal);
      if (request.outOnly) {
        await within(channel.publish(outgoing), this.#services.putDeadlineMs, 'the broker to confirm a message');
        return acceptedAnswer(message);
      }
      const correlationId = textOf(message, CORRELATION_ID) ?? outgoing.properties.messageId;
      const { timeoutMs, signal } = request;
      const answer = await channel.ask(outgoing, correlationId, { timeoutMs, signal });
      const { message: stored, reason } = decodeAmqpMessage(answer);
      if (!stored && answer.content.length > 0) throw new MediationError(`The answer cannot be read: ${reason ?? ''}`);
      const response = answerFrom(message, stored);
      response.headers.set('RABBITMQ_CORRELATION_ID', correlationId);
      return response;
    } catch (error) {
      throw error instanceof MediationError ? error : sendFailed(address, error);
    }
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  /** @throws an error when there is none within the deadline */
  async #connected(link: Link, signal: AbortSignal | undefined): Promise<SendingChannel> {
    const deadline = AbortSignal.timeout(this.#services.putDeadlineMs);
    const channel = link.connection ?? (await link.connected(signal ? AbortSignal.any([signal, deadline]) : deadline));
    if (channel) return channel;
    throw new Error(`there is no connection to the broker${link.lastError === undefined ? '' : `: ${link.lastError}`}`);
  }

  #address(text: string): RabbitMqAddress {
    const known = this.#addresses.get(text);
    if (known) return known;
    let address: RabbitMqAddress;
    try {
      address = parseRabbitMqAddress(text, this.#services);
    } catch (cause) {
      throw new MediationError(`The RabbitMQ address cannot be used: ${(cause as Error).message}`, { cause });
    }
    this.#addresses.set(text, address);
    for (const oldest of this.#addresses.keys()) {
      if (this.#addresses.size <= MAX_ADDRESSES) break;
      this.#addresses.delete(oldest);
    }
    return address;
  }

  #link(address: RabbitMqAddress): Link {
    const known = this.#links.get(address.key);
    if (known) return known;
    const { access } = address;
    const told = new ConnectionLog('RabbitMQ sender', log);
    const link: Link = new ConnectionSupervisor<AmqpAddress, SendingChannel>({
      endpoints: access.addresses,
      open: (endpoint, signal) => connect(endpoint, address, signal),
      onConnected: (_, generation) =>
        told.connected(
          access.addresses.map((each) => formatAddress(each, access.tls !== undefined)).join(', '),
          generation,
        ),
      onFailure: ({ message }, phase) => told.failed(message, phase),
    });
    link.start();
    this.#links.set(address.key, link);
    for (const [key, oldest] of this.#links) {
      if (this.#links.size <= MAX_BROKERS) break;
      this.#links.delete(key);
      void oldest.close();
    }
    return link;
  }
}

/** @throws ConnectError */
async function connect(endpoint: AmqpAddress, address: RabbitMqAddress, signal: AbortSignal): Promise<SendingChannel> {
  const connection = await openAmqpConnection(
    { ...address.access, address: endpoint, connectionName: 'mini-synapse RabbitMQ sender' },
    signal,
  );
  const giveUp = () => connection.destroy('closed');
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await SendingChannel.open(connection, address);
  } catch (cause) {
    await connection.close();
    throw new ConnectError('dropped', messageOf(cause), { cause });
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function outgoingOf(
  message: MessageContext,
  { bytes, contentType, contentEncoding, soapAction }: FormattedRequest,
): Outgoing {
  const body = bytes ?? new Uint8Array(0);
  const headers: Record<string, string> = {};
  for (const [name, value] of message.headers.pairs())
    if (isForwardable(name, value) && !Object.hasOwn(headers, name)) headers[name] = value;
  if (soapAction !== undefined) headers.SOAP_ACTION = soapAction.replaceAll('"', '');
  const priority = integerOf(message.axis2.get('rabbitmq.message.priority'));
  return {
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    properties: {
      messageId: `mini-synapse-${randomUUID()}`,
      headers,
      timestamp: Math.floor(Date.now() / 1000),
      ...short('correlationId', textOf(message, CORRELATION_ID) ?? textOf(message, 'correlation_id')),
      ...short('contentType', contentType),
      ...short('contentEncoding', contentEncoding),
      ...(priority !== undefined && priority >= 0 && priority <= 255 && { priority }),
    },
  };
}

/** AMQP has place for 255 bytes. */
function short<N extends string>(name: N, value: string | undefined): { readonly [K in N]?: string } {
  const fits = value !== undefined && Buffer.byteLength(value) <= MAX_SHORT_STRING_BYTES;
  return (fits ? { [name]: value } : {}) as { readonly [K in N]?: string };
}

function textOf({ axis2 }: MessageContext, name: string): string | undefined {
  const value = axis2.get(name);
  return value === undefined || value === '' ? undefined : String(value);
}

function sendFailed({ queue, exchange, routingKey }: RabbitMqAddress, cause: unknown): MediationError {
  const where = exchange === undefined ? `queue ${queue ?? routingKey}` : `exchange ${exchange}`;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MediationError(`Unable to send to the RabbitMQ ${where}: ${reason}`, {
    code: ERROR_CODES.connectionFailed,
    status: 503,
    cause,
  });
}
