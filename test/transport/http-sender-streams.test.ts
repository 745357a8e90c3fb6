import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { MediationError } from '../../src/message/errors.ts';
import { StreamedBody } from '../../src/message/streamed-body.ts';
import { type HttpRequest, HttpSender, type HttpSenderOptions } from '../../src/transport/http-sender.ts';

/* Bodies that come and go while they are sent. */

const KIB = 1024;
const servers: Server[] = [];
const sockets = new Set<Socket>();
const senders: HttpSender[] = [];

afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.close(50)));
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const backEnd = (handle: RequestListener) => listening(createServer(handle));

function sender(options: HttpSenderOptions = {}): HttpSender {
  const made = new HttpSender({ maxResponseBytes: 512 * KIB, ...options });
  senders.push(made);
  return made;
}

/** A client that sends when the test says so. */
function client(head = 'head', length?: number) {
  const heard: string[] = [];
  const stream = new StreamedBody(Buffer.from(head), length, {
    pause: () => heard.push('pause'),
    resume: () => heard.push('resume'),
    cancel: () => heard.push('cancel'),
  });
  return { stream, heard };
}

const post = (url: string, more: Partial<HttpRequest>): HttpRequest => ({
  method: 'POST',
  url,
  headers: [['Content-Type', 'text/plain']],
  ...more,
});

const failureOf = (sending: Promise<unknown>) =>
  sending.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error as MediationError,
  );

describe('a request that still comes', () => {
  it.each([
    [9, { 'content-length': '9' }],
    [undefined, { 'transfer-encoding': 'chunked' }],
  ])('goes out as it comes, with the length %s', async (length, headers) => {
    let seen = {};
    const begun = Promise.withResolvers<void>();
    const url = await backEnd(async (request, response) => {
      seen = request.headers;
      begun.resolve();
      response.end(await buffer(request));
    });
    const { stream } = client('head', length);
    const sending = sender().send(post(url, { stream }));
    await begun.promise;
    stream.push(Buffer.from('-tail'));
    stream.end();
    expect(Buffer.from((await sending).body).toString()).toBe('head-tail');
    expect(seen).toMatchObject(headers);
  });

  it('goes out once more when a kept connection had been closed', async () => {
    const seen: string[] = [];
    const server = createTcpServer((socket) => {
      let requests = 0;
      socket.on('data', (bytes) => {
        requests += 1;
        seen.push(bytes.toString('latin1').slice(-4));
        if (requests > 1) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const url = await listening(server);
    const sends = sender();
    await sends.send(post(url, { body: Buffer.from('once') }));
    const { stream, heard } = client('head', 4);
    stream.end();
    const answer = await sends.send(post(url, { stream }));
    expect(Buffer.from(answer.body).toString()).toBe('ok');
    expect(seen.filter((text) => text === 'head').length).toBeGreaterThan(0);
    expect(heard).not.toContain('cancel');
  });

  it('that is broken off fails the send, and runs no fault handlers', async () => {
    const [begun, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const url = await backEnd((request) => {
      begun.resolve();
      request
        .on('error', () => {})
        .once('close', gone.resolve)
        .resume();
    });
    const { stream } = client('head', 100);
    const sending = failureOf(sender().send(post(url, { stream })));
    await begun.promise;
    const cutOff = new Error('the client has gone');
    stream.fail(cutOff);
    expect(await sending).toMatchObject({ code: 101509, skipsFaultHandlers: true, cause: cutOff });
    await gone.promise;
  });

  it('is not wanted any more after the answer, or after a failure', async () => {
    const url = await backEnd((_, response) => response.writeHead(401).end('no'));
    const early = client('head', 100);
    expect((await sender().send(post(url, { stream: early.stream }))).status).toBe(401);
    expect(early.heard).toContain('cancel');
    const nowhere = client();
    await failureOf(sender().send(post('ftp://nowhere/', { stream: nowhere.stream })));
    expect(nowhere.heard).toContain('cancel');
    const silent = client('head', 4);
    silent.stream.end();
    const mute = await backEnd((request) => request.resume());
    const failure = await failureOf(sender().send(post(mute, { stream: silent.stream, responseTimeoutMs: 100 })));
    expect(failure).toMatchObject({ code: 101504 });
  });

  it('that was given up while it waited for a connection fails the send, and the next one finds a connection', async () => {
    const first = Promise.withResolvers<() => void>();
    const url = await backEnd((request, response) => {
      request.resume();
      if (request.url === '/first') first.resolve(() => response.end());
      else response.end('next');
    });
    const sends = sender({ connectionsPerOrigin: 1 });
    const before = sends.send(post(`${url}first`, { body: Buffer.from('a') }));
    const answer = await first.promise;
    const { stream } = client();
    const waiting = failureOf(sends.send(post(url, { stream })));
    stream.cancel();
    answer();
    expect((await before).status).toBe(200);
    expect((await waiting).cause).toEqual(new Error('The body has been passed on already'));
    expect((await sends.send(post(url, {}))).status).toBe(200);
  });

  it('does not use up the time of the back end while it does not come', async () => {
    const url = await backEnd(async (request, response) => response.end(await buffer(request)));
    const { stream } = client('head', 8);
    const sending = sender().send(post(url, { stream, responseTimeoutMs: 2_000 }));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    stream.push(Buffer.from('tail'));
    stream.end();
    expect(Buffer.from((await sending).body).toString()).toBe('headtail');
  });
});

describe('an answer with more bytes than are waited for', () => {
  const large = Buffer.alloc(1024 * KIB, 'x');

  it('is given out while it still comes, whatever its size', async () => {
    const rest = Promise.withResolvers<void>();
    const url = await backEnd(async (_, response) => {
      response.writeHead(200, { 'Content-Length': large.length });
      response.write(large.subarray(0, 200 * KIB));
      await rest.promise;
      response.end(large.subarray(200 * KIB));
    });
    const { stream, body } = await sender().send(post(url, { passFrom: 100 * KIB }));
    expect(stream?.length).toBe(large.length);
    expect(body.byteLength).toBeGreaterThan(16 * KIB);
    rest.resolve();
    let received = 0;
    const ended = Promise.withResolvers<void>();
    stream?.pipe({
      accept: (chunk) => {
        received += chunk.byteLength;
        return true;
      },
      end: ended.resolve,
      fail: ended.reject,
    });
    await ended.promise;
    expect(received).toBe(large.length);
  });

  it('is limited where it is held all the same', async () => {
    const url = await backEnd((_, response) => response.end(large));
    const { stream } = await sender().send(post(url, { passFrom: 100 * KIB }));
    expect(await failureOf(stream?.whole() ?? Promise.resolve())).toMatchObject({
      message: 'Response Entity Too Large',
      status: 502,
    });
  });

  it('breaks off with the failure that the send would have had', async () => {
    const url = await backEnd((_, response) => {
      response.writeHead(200, { 'Content-Length': large.length });
      response.write(large.subarray(0, 200 * KIB));
    });
    const { stream } = await sender().send(post(url, { passFrom: 100 * KIB, responseTimeoutMs: 3_000 }));
    expect(await failureOf(stream?.whole() ?? Promise.resolve())).toMatchObject({ code: 101504, status: 504 });
  });

  it('ends the connection of a back end when nobody wants it', async () => {
    const closed = Promise.withResolvers<void>();
    const url = await backEnd((_, response) => {
      response.once('close', closed.resolve);
      response.writeHead(200, { 'Content-Length': large.length });
      response.write(large.subarray(0, 200 * KIB));
    });
    const { stream } = await sender().send(post(url, { passFrom: 100 * KIB }));
    stream?.cancel();
    await closed.promise;
    expect(stream?.outcome).toBe('cancelled');
  });

  it('is held when it is small', async () => {
    const url = await backEnd((_, response) => response.end('small'));
    const { stream, body } = await sender().send(post(url, { passFrom: 100 * KIB }));
    expect([stream, Buffer.from(body).toString()]).toEqual([undefined, 'small']);
  });
});
