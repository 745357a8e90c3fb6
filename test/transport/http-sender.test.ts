import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { onLogRecord } from '../../src/logging/index.ts';
import { MediationError } from '../../src/message/errors.ts';
import { createSelfSignedCertificate } from '../../src/transport/certificate.ts';
import { type HttpRequest, HttpSender, type HttpSenderOptions } from '../../src/transport/http-sender.ts';

const senders: HttpSender[] = [];
const servers: TcpServer[] = [];
const sockets = new Set<Socket>();
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 });

afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.close(50)));
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function sender(options: HttpSenderOptions = {}): HttpSender {
  const made = new HttpSender(options);
  senders.push(made);
  return made;
}

async function listen<S extends TcpServer | Server>(server: S): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A back end that speaks HTTP. */
async function backend(handle: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(handle))}`;
}

/** A back end that does what it likes with each connection; told the bytes of every request. */
async function rawBackend(onData: (socket: Socket, request: number, text: string) => void): Promise<string> {
  const server = createTcpServer((socket) => {
    let requests = 0;
    socket.on('data', (bytes) => {
      requests += 1;
      onData(socket, requests, bytes.toString('latin1'));
    });
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const post = (url: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  url,
  headers: [['Content-Type', 'text/plain']],
  body: Buffer.from('order'),
  ...more,
});

async function failureOf(sending: Promise<unknown>): Promise<MediationError> {
  const outcome = await sending.then(
    (value) => new Error(`no failure but ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(MediationError);
  return outcome as MediationError;
}

async function logOf(run: () => Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const stop = onLogRecord((record) => lines.push(`${record.level} ${record.message}`));
  try {
    await run();
  } finally {
    stop();
  }
  return lines.join('\n');
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('send', () => {
  it('carries method, path, headers and body, and brings back status, reason, headers and body', async () => {
    let received: { line: string; headers: string[]; body: string } | undefined;
    const url = await backend(async (request, response) => {
      received = {
        line: `${request.method} ${request.url}`,
        headers: request.rawHeaders,
        body: (await bodyOf(request)).toString(),
      };
      response.writeHead(418, 'Short And Stout', { 'X-Pot': 'tea', 'Set-Cookie': ['a=1', 'b=2'] });
      response.end('brewed');
    });
    const answer = await sender().send(
      post(`${url}/a%20b?x=1#gone`, {
        headers: [
          ['Content-Type', 'text/plain'],
          ['X-Many', '1'],
          ['X-Many', '2'],
          ['Host', 'virtual.example'],
          ['Content-Length', '999'],
          ['Transfer-Encoding', 'chunked'],
          ['Expect', '100-continue'],
          ['Keep-Alive', 'timeout=1'],
        ],
      }),
    );
    expect([answer.status, answer.reason, Buffer.from(answer.body).toString()]).toEqual([
      418,
      'Short And Stout',
      'brewed',
    ]);
    expect(answer.headers.get('x-pot')).toBe('tea');
    expect([...answer.headers.pairs()].filter(([name]) => name === 'Set-Cookie')).toEqual([
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
    expect(received?.line).toBe('POST /a%20b?x=1');
    expect(received?.body).toBe('order');
    const sent = received?.headers.join('|') ?? '';
    expect(sent).toContain('X-Many|1|X-Many|2');
    expect(sent.toLowerCase()).toContain('host|virtual.example');
    expect(sent.toLowerCase()).toContain('content-length|5');
    expect(sent).not.toMatch(/transfer-encoding|expect|timeout=1/i);
  });

  it('keeps connections alive, closes them on request, and opens no more than allowed', async () => {
    const connections = new Set<Socket>();
    const url = await backend((request, response) => {
      connections.add(request.socket);
      setTimeout(() => response.end('ok'), 5);
    });
    const limited = sender({ connectionsPerOrigin: 3 });
    const answers = await Promise.all(Array.from({ length: 60 }, () => limited.send(post(url))));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(connections.size).toBeLessThanOrEqual(3);
    const single = sender();
    connections.clear();
    for (let count = 0; count < 5; count += 1) await single.send(post(url));
    expect(connections.size).toBe(1);
    const close: Array<[string, string]> = [['Connection', 'close']];
    for (let count = 0; count < 3; count += 1) await single.send(post(url, { headers: close }));
    expect(connections.size).toBe(3);
  });

  it('drains what is not wanted, and the connection goes on', async () => {
    const connections = new Set<Socket>();
    const url = await backend((request, response) => {
      connections.add(request.socket);
      response.end(Buffer.alloc(3_000_000));
    });
    const one = sender({ maxResponseBytes: 1000 });
    for (let count = 0; count < 3; count += 1) {
      expect((await one.send(post(url, { discardBody: true }))).body.byteLength).toBe(0);
    }
    expect(connections.size).toBe(1);
  });

  it('sends HEAD and empty bodies, and ignores 103', async () => {
    const url = await backend((request, response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' });
      response.setHeader('X-Length', request.headers['content-length'] ?? 'none');
      response.end(request.method === 'HEAD' ? undefined : 'ok');
    });
    expect((await sender().send({ method: 'HEAD', url, headers: [] })).status).toBe(200);
    const empty = await sender().send(post(url, { body: new Uint8Array(0) }));
    expect([empty.headers.get('x-length'), Buffer.from(empty.body).toString()]).toEqual(['0', 'ok']);
  });

  it('uses the absolute form and the credentials of the address when asked', async () => {
    const url = await backend((request, response) => response.end(`${request.url} ${request.headers.authorization}`));
    const answer = await sender().send(post(url.replace('//', '//me:p%40ss@').concat('/x?y'), { absoluteForm: true }));
    expect(Buffer.from(answer.body).toString()).toBe(`${url}/x?y Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  });
});

describe('a failed send', () => {
  it('refused: 101503', async () => {
    const port = await listen(createTcpServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    let failure: MediationError | undefined;
    const log = await logOf(async () => {
      failure = await failureOf(sender().send(post(`http://127.0.0.1:${port}/x`)));
    });
    expect(failure).toMatchObject({
      message: 'Error connecting to the back end',
      code: 101503,
      baseCode: 101503,
      errorCause: 'refused',
    });
    expect(log).toContain(`warn Connection refused or failed for : 127.0.0.1:${port}`);
  });

  it('unknown host: 101503, dns', async () => {
    const failure = await failureOf(sender().send(post('http://no-such-host.invalid/')));
    expect(failure).toMatchObject({ code: 101503, errorCause: 'dns' });
  });

  it('no connection in time: 101508, connect-timeout', async () => {
    // One connection, and it is busy: the second request cannot get one.
    const url = await rawBackend(() => {});
    const one = sender({ connectionsPerOrigin: 1 });
    const busy = failureOf(one.send(post(url, { responseTimeoutMs: 600 })));
    let failure: MediationError | undefined;
    const log = await logOf(async () => {
      failure = await failureOf(one.send(post(url, { connectTimeoutMs: 50 })));
    });
    expect(failure).toMatchObject({
      message: 'Error connecting to the back end',
      code: 101508,
      baseCode: 101508,
      errorCause: 'connect-timeout',
    });
    expect(log).toContain('warn Timeout connecting to : 127.0.0.1:');
    expect(await busy).toMatchObject({ code: 101504 });
  });

  it('closed while waiting: 101508 with base 101505, closed-waiting', async () => {
    const url = await rawBackend((socket) => socket.end());
    let failure: MediationError | undefined;
    const log = await logOf(async () => {
      failure = await failureOf(sender().send(post(`${url}/x?secret=1`, { correlationId: 'c-9' })));
    });
    expect(failure).toMatchObject({
      message: 'Error in Sender',
      code: 101508,
      baseCode: 101505,
      errorCause: 'closed-waiting',
    });
    expect(log).toMatch(
      /ERROR_CODE = 101505, STATE_DESCRIPTION = Connection closed by target host while waiting to receive the response, INTERNAL_STATE = REQUEST_DONE, .*CORRELATION_ID = c-9/,
    );
    expect(log).not.toContain('secret');
  });

  it('reset while waiting is the same', async () => {
    const url = await rawBackend((socket) => socket.resetAndDestroy());
    expect(await failureOf(sender().send(post(url)))).toMatchObject({ code: 101508, errorCause: 'closed-waiting' });
  });

  it('closed before the request was written: 101507 with base 101505, closed-writing', async () => {
    const url = await rawBackend((socket) => {
      socket.pause();
      setTimeout(() => socket.resetAndDestroy(), 50);
    });
    const failure = await failureOf(sender().send(post(url, { body: Buffer.alloc(32 * 1024 * 1024) })));
    expect(failure).toMatchObject({ code: 101507, baseCode: 101505, errorCause: 'closed-writing' });
  });

  it('closed in the middle of the response: base 101505, closed-reading', async () => {
    const url = await rawBackend((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
    expect(await failureOf(sender().send(post(url)))).toMatchObject({
      code: 101510,
      baseCode: 101505,
      errorCause: 'closed-reading',
    });
  });

  it('a silent back end: 101507 with base 101504, read-timeout', async () => {
    const url = await rawBackend(() => {});
    const failure = await failureOf(sender({ socketTimeoutMs: 300 }).send(post(url)));
    expect(failure).toMatchObject({
      message: 'Error in Sender',
      code: 101507,
      baseCode: 101504,
      errorCause: 'read-timeout',
      status: 504,
    });
  });

  it('the endpoint’s deadline: 101504 "Send timeout", also when the response drips', async () => {
    let closed = false;
    const url = await rawBackend((socket) => {
      socket.once('close', () => {
        closed = true;
      });
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
      const drip = setInterval(() => socket.write('x'), 20);
      socket.once('close', () => clearInterval(drip));
    });
    const begun = performance.now();
    const failure = await failureOf(sender().send(post(url, { responseTimeoutMs: 200 })));
    expect(failure).toMatchObject({ message: 'Send timeout', code: 101504, baseCode: 101504, status: 504 });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(195);
    await eventually(() => expect(closed).toBe(true));
  });

  it('no HTTP in the answer: 101506 and state, protocol', async () => {
    const url = await rawBackend((socket) => socket.write('SSH-2.0-nope\r\n\r\n'));
    expect(await failureOf(sender().send(post(url)))).toMatchObject({ baseCode: 101506, errorCause: 'protocol' });
  });

  it('too large a response: Response Entity Too Large, announced or not', async () => {
    const url = await backend((request, response) => {
      if (request.url === '/announced') response.setHeader('Content-Length', 2000);
      response.write(Buffer.alloc(1000));
      response.end(Buffer.alloc(1000));
    });
    const one = sender({ maxResponseBytes: 1500 });
    for (const path of ['/announced', '/chunked']) {
      expect(await failureOf(one.send(post(url + path)))).toMatchObject({
        message: 'Response Entity Too Large',
        status: 502,
      });
    }
  });

  it('aborted by its signal, before and during', async () => {
    const seen: Socket[] = [];
    const url = await rawBackend((socket) => seen.push(socket));
    const before = sender().send(post(url, { signal: AbortSignal.abort(new Error('stopping')) }));
    expect(await failureOf(before)).toMatchObject({ message: 'Send aborted', code: 101509, errorCause: 'aborted' });
    const controller = new AbortController();
    const during = failureOf(sender().send(post(url, { signal: controller.signal })));
    await eventually(() => expect(seen).toHaveLength(1));
    controller.abort();
    expect(await during).toMatchObject({ code: 101509 });
    await eventually(() => expect(seen[0]?.destroyed).toBe(true));
  });

  it.each(['ftp://host/x', 'not a url', '/relative', 'http://'])('no HTTP address: %s', async (url) => {
    expect(await failureOf(sender().send(post(url)))).toMatchObject({ code: 101503, errorCause: 'protocol' });
  });

  it('a header that would smuggle in another: nothing is sent', async () => {
    let requests = 0;
    const url = await rawBackend(() => (requests += 1));
    const failure = await failureOf(sender().send(post(url, { headers: [['X', 'a\r\nY: b']] })));
    expect(failure).toMatchObject({ errorCause: 'protocol' });
    expect(requests).toBe(0);
  });

  it('one too many waiting for a connection', async () => {
    let started = 0;
    const url = await rawBackend(() => {
      started += 1;
    });
    const small = sender({ connectionsPerOrigin: 1, waitingPerOrigin: 2 });
    const stuck = [failureOf(small.send(post(url, { responseTimeoutMs: 900 })))];
    await eventually(() => expect(started).toBe(1));
    for (let count = 0; count < 2; count += 1) stuck.push(failureOf(small.send(post(url, { responseTimeoutMs: 500 }))));
    expect(await failureOf(small.send(post(url)))).toMatchObject({ code: 101503, status: 503 });
    expect((await Promise.all(stuck)).map(({ code }) => code)).toEqual([101504, 101504, 101504]);
  });
});

describe('a stale connection', () => {
  /** Answers the first request of every connection, then closes on the second without a word. */
  const staleBackend = (seen: string[]) =>
    rawBackend((socket, request, text) => {
      seen.push(text.split('\r\n')[0] ?? '');
      if (request === 1) socket.write(OK);
      else socket.destroy();
    });

  it('is replaced once, without the caller noticing', async () => {
    const seen: string[] = [];
    const url = await staleBackend(seen);
    const one = sender();
    for (let count = 0; count < 2; count += 1) expect((await one.send(post(`${url}/${count}`))).status).toBe(200);
    expect(seen).toEqual(['POST /0 HTTP/1.1', 'POST /1 HTTP/1.1', 'POST /1 HTTP/1.1']);
  });

  it('is a failure where a duplicate is worse', async () => {
    const seen: string[] = [];
    const url = await staleBackend(seen);
    const one = sender();
    await one.send(post(url));
    expect(await failureOf(one.send(post(url, { retryStale: false })))).toMatchObject({ code: 101508 });
    expect(seen).toHaveLength(2);
  });

  it('is not assumed of a fresh connection, nor after the first byte of an answer', async () => {
    let requests = 0;
    const fresh = await rawBackend((socket) => {
      requests += 1;
      socket.destroy();
    });
    await failureOf(sender().send(post(fresh)));
    expect(requests).toBe(1);
    requests = 0;
    const halfAnswer = await rawBackend((socket, request) => {
      requests += 1;
      if (request === 1) socket.write(OK);
      else socket.end('HTTP/1.1 2');
    });
    const one = sender();
    await one.send(post(halfAnswer));
    await failureOf(one.send(post(halfAnswer)));
    expect(requests).toBe(2);
  });
});

describe('https', () => {
  async function secureBackend(altNames: string[]) {
    const tls = await createSelfSignedCertificate({ commonName: 'backend', altNames, days: 1 });
    const server = createHttpsServer({ key: tls.key, cert: tls.cert }, (_request, response) => response.end('secret'));
    const port = await listen(server as unknown as Server);
    return { url: `https://127.0.0.1:${port}/`, ca: [tls.cert] };
  }

  it('trusts nobody unknown, whom it is told to, and everybody only when told so', async () => {
    const { url, ca } = await secureBackend(['127.0.0.1']);
    expect(await failureOf(sender().send(post(url)))).toMatchObject({ code: 101503, errorCause: 'tls' });
    expect((await sender({ tls: { ca } }).send(post(url))).status).toBe(200);
    const log = await logOf(async () => {
      expect((await sender({ tls: { trustAnyCertificate: true } }).send(post(url))).status).toBe(200);
    });
    expect(log).toContain('warn Certificates of back ends are not verified');
  });

  it('compares host names unless told otherwise', async () => {
    const { url, ca } = await secureBackend(['other.example']);
    expect(await failureOf(sender({ tls: { ca } }).send(post(url)))).toMatchObject({ errorCause: 'tls' });
    for (const hostnameVerifier of ['AllowAll', 'DefaultAndLocalhost'] as const) {
      expect((await sender({ tls: { ca, hostnameVerifier } }).send(post(url))).status).toBe(200);
    }
  });
});

describe('close', () => {
  it('waits for what is under way, then refuses', async () => {
    const url = await backend((_request, response) => void setTimeout(() => response.end('late'), 100));
    const one = sender();
    const sending = one.send(post(url));
    await eventually(() => expect(sockets.size).toBe(1));
    await one.close(10_000);
    expect((await sending).status).toBe(200);
    expect(await failureOf(one.send(post(url)))).toMatchObject({ code: 101509 });
    await eventually(() => expect(sockets.size).toBe(0));
  });

  it('cuts off what takes longer than its deadline', async () => {
    const url = await rawBackend(() => {});
    const one = sender();
    const sending = failureOf(one.send(post(url)));
    await eventually(() => expect(sockets.size).toBe(1));
    await one.close(50);
    expect(await sending).toMatchObject({ code: 101509, errorCause: 'aborted' });
  });

  it('forgets back ends that are not used any more', async () => {
    const small = sender({ origins: 2 });
    for (let count = 0; count < 4; count += 1) {
      const url = await backend((_request, response) => response.end('ok'));
      expect((await small.send(post(url))).status).toBe(200);
    }
    await eventually(() => expect(sockets.size).toBe(2));
  });
});
