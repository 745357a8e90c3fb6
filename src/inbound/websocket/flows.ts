import type { IncomingMessage } from 'node:http';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { enterSequence } from '../../mediation/main-flow.ts';
import type { Configuration } from '../../message/configuration.ts';
import { TransportHeaders } from '../../message/headers.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { type MessageEntry, markInbound } from '../entry.ts';
import { rawMessage } from '../raw-message.ts';
import type { WebSocketClient } from './client.ts';
import { WebSocketExchange } from './exchange.ts';
import { contentTypeOfFrame, type Frame } from './frame.ts';

const log = logger('InboundWebSocket');

export interface FlowOptions {
  /** Of the endpoint. */
  readonly name: string;
  readonly entry: MessageEntry;
  configuration(): Configuration;
  /** `ws`, `wss`. */
  readonly transport: string;
  /** The sequence for frames of back ends; undefined: they go to the client as they are. */
  readonly outflow: string | undefined;
  readonly outflowFault: string | undefined;
}

/** Headers of the request that became a WebSocket, which say nothing about its frames. */
const HANDSHAKE = /^(connection|upgrade|host|content-|transfer-encoding|sec-websocket-)/i;

/**
 * Takes what happens on WebSocket connections through sequences:
 *
 * | what                                  | the sequence                    | its default-scope properties                              |
 * |---------------------------------------|---------------------------------|-----------------------------------------------------------|
 * | a client has connected                | that of the endpoint            | `websocket.source.handshake.present` = true, no body      |
 * | a client has sent a frame             | that of the endpoint            | `websocket.text.frame.present` or `….binary.…` = true     |
 * | a back end has sent a frame           | `ws.outflow.dispatch.sequence`  | the same; the direction is response                       |
 *
 * `respond` sends the message to the client, as often as a sequence does so.
 */
export class WebSocketFlows {
  readonly #options: FlowOptions;
  /** The headers that clients connected with, for their frames. */
  readonly #headers = new WeakMap<WebSocketClient, ReadonlyArray<readonly [string, string]>>();

  constructor(options: FlowOptions) {
    this.#options = options;
  }

  connected(client: WebSocketClient, request: IncomingMessage): Promise<void> {
    this.#headers.set(client, forwarded(request));
    const message = this.#message(client, { bytes: Buffer.alloc(0), binary: false });
    message.properties.set('websocket.source.handshake.present', true);
    message.axis2.set('NO_ENTITY_BODY', true);
    return this.#track(message, this.#options.entry.enter(message));
  }

  received(client: WebSocketClient, frame: Frame): Promise<void> {
    const message = this.#message(client, frame);
    return this.#track(message, this.#options.entry.enter(message));
  }

  fromBackEnd(client: WebSocketClient, frame: Frame): Promise<void> {
    const { outflow, outflowFault, name } = this.#options;
    if (client.gone) return Promise.resolve();
    if (outflow === undefined) {
      client.send(frame);
      return Promise.resolve();
    }
    const message = this.#message(client, frame);
    message.direction = 'response';
    markInbound(message, name);
    const sequence = message.configuration.find('sequence', outflow);
    if (!sequence)
      log.error(
        `${client.label}: there is no sequence '${outflow}' for a frame of a back end; it is dropped`,
        aboutMessage(message),
      );
    return this.#track(message, enterSequence(message, sequence, { onError: outflowFault ?? false }));
  }

  #message(client: WebSocketClient, frame: Frame): MessageContext {
    const { transport } = this.#options;
    const contentType = contentTypeOfFrame(frame, client.contentType);
    const message = rawMessage({
      configuration: this.#options.configuration(),
      bytes: frame.bytes,
      contentType,
      transport,
      to: client.path,
    });
    const { headers, properties } = message;
    message.headers = TransportHeaders.from([...(this.#headers.get(client) ?? []), ...headers.pairs()]);
    if (frame.bytes.length > 0)
      properties.set(frame.binary ? 'websocket.binary.frame.present' : 'websocket.text.frame.present', true);
    properties.set('websocket.subscriber.path', client.path);
    properties.set('websocket.source.channel.identifier', client.id);
    message.exchange = new WebSocketExchange(client, message);
    return message;
  }

  /** To the end of all that it starts. Never rejects. */
  #track(message: MessageContext, work: Promise<void>): Promise<void> {
    const { exchange, configuration } = message;
    const whole = work.then(() => (exchange instanceof WebSocketExchange ? exchange.quiet() : undefined));
    const safe = whole.catch((error: unknown) =>
      log.error(`${this.#options.entry.label}: ${String(error)}`, aboutMessage(message)),
    );
    configuration.services.flows.track(safe);
    return safe;
  }
}

function forwarded({ rawHeaders }: IncomingMessage): ReadonlyArray<readonly [string, string]> {
  const pairs: Array<readonly [string, string]> = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    if (!HANDSHAKE.test(name)) pairs.push([name, value]);
  }
  return pairs;
}
