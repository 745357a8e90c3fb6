import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TransportHeaders } from '../../src/message/headers.ts';
import { StreamedBody } from '../../src/message/streamed-body.ts';
import type { ClientExchange } from '../../src/transport/client-exchange.ts';
import { textAnswer } from '../../src/transport/http-answer.ts';
import { type Dispatcher, type HttpListener, startHttpListener } from '../../src/transport/http-listener.ts';
import type { IncomingRequest } from '../../src/transport/incoming-request.ts';
import { waitFor } from '../support/wait-for.ts';

const MIB = 1024 * 1024;
const listeners: HttpListener[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(listeners.splice(0).map((listener) => listener.close(100)));
});

async function start(dispatch: (request: IncomingRequest, exchange: ClientExchange) => void): Promise<HttpListener> {
  const dispatcher: Dispatcher = { dispatch, passesBody: () => true };
  const listener = await startHttpListener({ host: '127.0.0.1', port: 0, dispatcher });
  listeners.push(listener);
  return listener;
}

async function opened({ port }: HttpListener): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'connect');
  return { socket, received: () => text };
}

/** An answer of a back end that has begun. */
function begun(headers = new TransportHeaders()) {
  const cancelled = Promise.withResolvers<void>();
  const source = { pause: () => {}, resume: () => {}, cancel: () => cancelled.resolve() };
  const stream = new StreamedBody(Buffer.alloc(256 * 1024, 'x'), undefined, source);
  return { answer: { status: 200, headers, body: undefined, stream }, stream, cancelled: cancelled.promise };
}

describe('an answer that still comes', () => {
  it('is given up with its connection, also when it waits for the answer to an earlier request', async () => {
    const { answer, cancelled } = begun();
    const answered = Promise.withResolvers<void>();
    const listener = await start((request, exchange) => {
      // The first one never gets an answer.
      if (request.path !== '/second') return;
      exchange.answerWith(answer);
      answered.resolve();
    });
    const { socket } = await opened(listener);
    socket.write('GET /first HTTP/1.1\r\nHost: h\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\n\r\n');
    await answered.promise;
    socket.destroy();
    await cancelled;
  });

  it('has no other length than its own', async () => {
    const { answer, stream } = begun(TransportHeaders.from([['Content-Length', '5']]));
    const listener = await start((_, exchange) => exchange.answerWith(answer));
    const { socket, received } = await opened(listener);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await waitFor(() => received().includes('\r\n\r\n'), { what: 'the head of the answer' });
    expect(received()).not.toMatch(/content-length/i);
    expect(received()).toMatch(/transfer-encoding: chunked/i);
    stream.end();
    await waitFor(() => received().endsWith('\r\n0\r\n\r\n'), { what: 'the end of the answer' });
  });
});

describe('a request that still comes', () => {
  it('may go on after an early answer, though its connection is to be closed after that', async () => {
    const listener = await start((_, exchange) => exchange.answerWith(textAnswer(401, 'text/plain', 'who are you?')));
    const { socket, received } = await opened(listener);
    const closed = once(socket, 'close');
    const body = Buffer.alloc(MIB, 'x');
    const began = performance.now();
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body.subarray(1));
    await waitFor(() => received().includes('who are you?'), { what: 'the answer' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    // A client that says nothing more is not waited for longer than a second.
    if (performance.now() - began < 900) expect(socket.readableEnded).toBe(false);
    socket.write(body.subarray(0, 1));
    await closed;
    expect(received()).toMatch(/^HTTP\/1\.1 401 /);
  });
});
