/** The second channel of dualquote: a listener of the client's own to which the service sends the answer. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { elementChildren, parseXml, textOf, type XmlElement } from '../../../src/xml/index.ts';
import { openEnvelope } from '../wire/soap.ts';
import type { HttpReply } from './http.ts';

export interface CallbackListener {
  /** What goes into `wsa:ReplyTo`. */
  readonly address: string;
  /** The answer that relates to the message; other messages are acknowledged and ignored. */
  readonly answer: Promise<HttpReply>;
  close(): Promise<void>;
}

/** The port for the second channel cannot be had. */
export class CallbackPortError extends Error {
  override readonly name = 'CallbackPortError';
}

const MAX_CALLBACK_BYTES = 64 * 1024 * 1024;

/**
 * Opens the listener on the loopback address.
 *
 * @param port 8200 in the Java client; 0 takes any free port
 * @throws CallbackPortError when the port is taken
 */
export async function openCallback(port: number, messageId: string): Promise<CallbackListener> {
  const arrival = Promise.withResolvers<HttpReply>();
  const server = createServer((request, response) => {
    readBounded(request)
      .then((body) => {
        response.writeHead(202, { 'Content-Length': 0 }).end();
        const reply: HttpReply = { status: 200, statusText: 'OK', headers: request.headers, body };
        if (relatesTo(body) === messageId) arrival.resolve(reply);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new CallbackPortError(`Cannot listen for the reply on port ${port}: ${cause.message}`, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}/axis2/services/StockQuoteCallback`,
    answer: arrival.promise,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBounded(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_CALLBACK_BYTES) throw new Error('The reply is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function relatesTo(body: Uint8Array): string | undefined {
  let root: XmlElement | null;
  try {
    root = parseXml(body).documentElement;
  } catch {
    // Whatever it is, it is no answer to our message.
    return undefined;
  }
  const header = root ? openEnvelope(root)?.header : undefined;
  const block = header && elementChildren(header).find(({ localName }) => localName === 'RelatesTo');
  return block && textOf(block).trim();
}
