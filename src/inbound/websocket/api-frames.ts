import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { bodyKind, usualContentType } from '../../stores/broker/foreign-body.ts';
import { ClientExchange, newExchangeCounts } from '../../transport/client-exchange.ts';
import type { Dispatcher } from '../../transport/http-listener.ts';
import {
  clientStyle,
  type HttpScheme,
  type IncomingRequest,
  incomingRequest,
} from '../../transport/incoming-request.ts';
import type { WebSocketClient } from './client.ts';
import { contentTypeOfFrame, type Frame } from './frame.ts';

export interface ApiFrameOptions {
  readonly dispatcher: Dispatcher;
  readonly scheme: HttpScheme;
  /** How long an answer may take, ms. */
  readonly answerMs: number;
}

/**
 * Takes frames to where an HTTP request to the path of the connection would go: each is a POST with the headers that the client connected
 * with, and the body of the answer, if it has one, is a frame back.
 */
export class ApiFrames {
  readonly #options: ApiFrameOptions;
  readonly #requests = new WeakMap<WebSocketClient, IncomingRequest>();
  readonly #counts = newExchangeCounts();

  constructor(options: ApiFrameOptions) {
    this.#options = options;
  }

  async connected(client: WebSocketClient, request: IncomingMessage): Promise<void> {
    const opening = incomingRequest(request, new Uint8Array(0), this.#options.scheme);
    for (const name of ['Connection', 'Upgrade', 'Content-Length', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version'])
      opening.headers.delete(name);
    this.#requests.set(client, opening);
  }

  async received(client: WebSocketClient, frame: Frame): Promise<void> {
    const opening = this.#requests.get(client);
    if (!opening) return;
    const { dispatcher, answerMs } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const exchange = new ClientExchange({
      request: requestOf(opening, frame, client.contentType),
      deadlineMs: answerMs,
      counts: this.#counts,
      deliver: ({ body }) => {
        if (body && body.length > 0) {
          const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
          client.send({ bytes, binary: !isUtf8(bytes) });
        }
        resolve();
      },
    });
    try {
      await dispatcher.dispatch(exchange.request, exchange);
    } catch (error) {
      exchange.broke(error);
    }
    await promise;
  }
}

function requestOf(opening: IncomingRequest, frame: Frame, named: string | undefined): IncomingRequest {
  const headers = opening.headers.clone();
  const type = contentTypeOfFrame(frame, named) ?? usualContentType(bodyKind(undefined, frame.bytes));
  headers.set('Content-Type', type);
  const client = clientStyle(headers);
  return { ...opening, method: 'POST', headers, body: frame.bytes, client, correlationId: randomUUID() };
}
