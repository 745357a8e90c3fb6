import type { OutgoingTransport, TransportRequest } from '../../endpoints/outgoing-transport.ts';
import { logger } from '../../logging/index.ts';
import { maskSecrets } from '../../logging/secrets.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { Payload } from '../../message/payload.ts';
import { requirePackage } from '../../optional-package.ts';
import { DeadlineError, within } from '../../stores/broker/deadline.ts';
import { trustedBy } from '../../stores/broker/trust.ts';
import type { StoreServices } from '../../stores/component.ts';
import { rawMessage } from '../raw-message.ts';
import { WebSocketExchange } from './exchange.ts';
import { contentTypeOfFrame, type Frame, frameOf } from './frame.ts';
import type { LinkOptions, WebSocketLink } from './link.ts';

const log = logger('WebSocketSender');
/** Connections of messages that no client waits for; more are closed, the oldest first. */
const MAX_SHARED = 100;

export interface WebSocketSenderOptions {
  readonly stores: StoreServices;
  readonly maxFrameBytes: number;
}

/**
 * Sends messages to `ws:` and `wss:` addresses:
 *
 * | the message                                        | its connection                    | frames that come back                       |
 * |----------------------------------------------------|-----------------------------------|---------------------------------------------|
 * | came in a frame of a WebSocket inbound endpoint    | one for each client and address   | go through the endpoint's outflow sequence  |
 * | came otherwise, and nobody waits for an answer     | one for each address              | are dropped                                 |
 * | came otherwise, and its answer is waited for       | one for itself                    | the first one is the answer                 |
 *
 * The connect event of a client (`websocket.source.handshake.present`) connects, and sends no frame.
 */
export class WebSocketSender implements OutgoingTransport {
  readonly #options: WebSocketSenderOptions;
  readonly #shared = new Map<string, WebSocketLink>();

  constructor(options: WebSocketSenderOptions) {
    this.#options = options;
  }

  async exchange(message: MessageContext, request: TransportRequest): Promise<MessageContext> {
    const { exchange } = message;
    try {
      if (exchange instanceof WebSocketExchange) return await this.#forClient(message, exchange, request);
      if (request.outOnly) return await this.#oneWay(message, request);
      return await this.#ask(message, request);
    } catch (error) {
      if (error instanceof MediationError) throw error;
      const reason = maskSecrets(error instanceof Error ? error.message : String(error));
      throw new MediationError(`Unable to send to ${maskSecrets(request.address)}: ${reason}`, {
        code: ERROR_CODES.connectionFailed,
        status: 503,
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    const links = [...this.#shared.values()];
    this.#shared.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  async #forClient(
    message: MessageContext,
    { client }: WebSocketExchange,
    { address }: TransportRequest,
  ): Promise<MessageContext> {
    const link = await this.#link(client.links, address, (frame) => void client.fromBackEnd(frame));
    if (client.gone) {
      client.links.delete(address);
      await link.close();
      throw new MediationError('the client is gone');
    }
    const frame = message.properties.get('websocket.source.handshake.present') === true ? undefined : frameOf(message);
    await (frame ? link.send(frame) : link.connected());
    return accepted(message);
  }

  async #oneWay(message: MessageContext, { address }: TransportRequest): Promise<MessageContext> {
    const frame = frameOf(message);
    const link = await this.#link(this.#shared, address, () => {
      log.debug(`A frame of ${maskSecrets(address)} is dropped: nobody waits for it`);
    });
    for (const [key, oldest] of this.#shared) {
      if (this.#shared.size <= MAX_SHARED) break;
      this.#shared.delete(key);
      void oldest.close();
    }
    await (frame ? link.send(frame) : link.connected());
    return accepted(message);
  }

  async #ask(message: MessageContext, { address, timeoutMs }: TransportRequest): Promise<MessageContext> {
    const frame = frameOf(message);
    const answer = Promise.withResolvers<Frame>();
    answer.promise.catch(() => undefined);
    const link = await this.#open(address, {
      onFrame: answer.resolve,
      onEnd: () => answer.reject(new Error('the back end closed the connection before it answered')),
    });
    try {
      await (frame ? link.send(frame) : link.connected());
      return answerOf(message, await answerWithin(answer.promise, timeoutMs), address);
    } finally {
      void link.close();
    }
  }

  async #link(
    links: Map<string, WebSocketLink>,
    address: string,
    onFrame: (frame: Frame) => void,
  ): Promise<WebSocketLink> {
    const known = links.get(address);
    if (known && !known.ended) return known;
    const link = await this.#open(address, {
      onFrame,
      onEnd: () => {
        if (links.get(address) === link) links.delete(address);
      },
    });
    const meanwhile = links.get(address);
    if (meanwhile && !meanwhile.ended) {
      void link.close();
      return meanwhile;
    }
    links.set(address, link);
    return link;
  }

  async #open(address: string, events: Pick<LinkOptions, 'onFrame' | 'onEnd'>): Promise<WebSocketLink> {
    const { stores, maxFrameBytes } = this.#options;
    // The library is loaded when the first message is sent.
    requirePackage('ws', 'A WebSocket address');
    const { WebSocketLink: Link } = await import('./link.ts');
    return new Link({
      address,
      deadlineMs: stores.putDeadlineMs,
      maxFrameBytes,
      trusted: trustedBy(undefined, stores.trustedCertificates),
      ...events,
    });
  }
}

/** @throws MediationError when there is none by then */
async function answerWithin(answer: Promise<Frame>, timeoutMs: number): Promise<Frame> {
  try {
    return await within(answer, timeoutMs, 'an answer');
  } catch (cause) {
    if (!(cause instanceof DeadlineError)) throw cause;
    throw new MediationError(cause.message, { code: ERROR_CODES.sendTimeout, status: 504, cause });
  }
}

function answerOf(request: MessageContext, frame: Frame, address: string): MessageContext {
  const { configuration } = request;
  const { bytes } = frame;
  const contentType = contentTypeOfFrame(frame, undefined);
  const read = rawMessage({ configuration, bytes, contentType, transport: 'ws', to: address });
  const response = request.responseContext(read.payload);
  response.doingRest = read.doingRest;
  response.headers = read.headers;
  for (const name of ['ContentType', 'messageType', 'CHARACTER_SET_ENCODING'])
    response.axis2.set(name, read.axis2.get(name) ?? '');
  return response;
}

function accepted(request: MessageContext): MessageContext {
  const response = request.responseContext(Payload.empty());
  response.axis2.set('SC_ACCEPTED', true);
  response.axis2.set('NO_ENTITY_BODY', true);
  return response;
}
