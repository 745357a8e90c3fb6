import { request as httpRequest } from 'node:http';
import { connect as tlsConnect } from 'node:tls';
import { Agent, fetch } from 'undici';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Payload } from '../../src/message/payload.ts';
import { createSelfSignedCertificate } from '../../src/transport/certificate.ts';
import type { ClientExchange } from '../../src/transport/client-exchange.ts';
import { textAnswer } from '../../src/transport/http-answer.ts';
import {
  type Dispatcher,
  type HttpListener,
  type ListenerLimits,
  startHttpListener,
} from '../../src/transport/http-listener.ts';
import { inboundMessage } from '../../src/transport/inbound-message.ts';
import type { IncomingRequest } from '../../src/transport/incoming-request.ts';
import { PortTakenError } from '../../src/transport/listening.ts';
import { NO_ARTIFACTS } from './messages.ts';
import { RawClient, statuses } from './raw-client.ts';

const KIB = 1024;
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const listeners: HttpListener[] = [];
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(listeners.splice(0).map((listener) => listener.close(100)));
});

type Handle = (request: IncomingRequest, exchange: ClientExchange) => void | Promise<void>;

/** Sends every request back with its body. */
const echo: Handle = (request, exchange) => {
  const message = inboundMessage(request, NO_ARTIFACTS, exchange, '');
  exchange.respond(message);
  exchange.inFlowEnded(message);
};

async function start(dispatch: Handle = echo, limits: Partial<ListenerLimits> = {}, more: Partial<Dispatcher> = {}) {
  const seen: IncomingRequest[] = [];
  const dispatcher: Dispatcher = {
    ...more,
    dispatch(request, exchange) {
      seen.push(request);
      return dispatch(request, exchange);
    },
  };
  const listener = await startHttpListener({ host: '127.0.0.1', port: 0, dispatcher, limits });
  listeners.push(listener);
  return { listener, seen, url: `http://127.0.0.1:${listener.port}` };
}

async function raw(listener: HttpListener): Promise<RawClient> {
  const client = await RawClient.open(listener.port);
  clients.push(client);
  return client;
}

const get = (path: string, ...headers: string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: h\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
const post = (body: string, ...headers: string[]) =>
  `POST /services/P HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n${body}`;

describe('an accepted request', () => {
  it('is handed over with everything as received', async () => {
    const { seen, url, listener } = await start();
    const response = await fetch(`${url}/services/P/a%20b?x=1`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'X-Case': 'Kept', activityid: 'corr-7' },
      body: '{ "a": 1 }',
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('{ "a": 1 }');
    const [request] = seen;
    expect(request).toMatchObject({
      scheme: 'http',
      method: 'PUT',
      target: '/services/P/a%20b?x=1',
      path: '/services/P/a%20b',
      query: 'x=1',
      client: 'rest',
      remoteAddress: '127.0.0.1',
      authority: `127.0.0.1:${listener.port}`,
      correlationId: 'corr-7',
    });
    expect(Buffer.from(request?.body ?? []).toString()).toBe('{ "a": 1 }');
  });

  it('keeps every value of a repeated header, and the case of its name', async () => {
    const { seen, listener } = await start();
    const client = await raw(listener);
    client.send(get('/', 'X-Many: 1', 'x-many: 2', 'Connection: close'));
    await client.untilClosed();
    expect([...(seen[0]?.headers.pairs() ?? [])].filter(([name]) => name === 'X-Many')).toEqual([
      ['X-Many', '1'],
      ['X-Many', '2'],
    ]);
  });

  it('may be chunked, and may be HEAD', async () => {
    const { listener } = await start();
    const client = await raw(listener);
    client.send(
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n',
    );
    expect(await client.until(/abcdefg$/)).toContain('Content-Length: 7');
    client.send('HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    const all = await client.untilClosed();
    expect(statuses(all)).toEqual([200, 200]);
    expect(all.endsWith('\r\n\r\n')).toBe(true);
  });

  it('does not trust a Host header that is no host', async () => {
    const { seen, listener } = await start();
    const client = await raw(listener);
    client.send('GET / HTTP/1.1\r\nHost: a/b"><x\r\nConnection: close\r\n\r\n');
    await client.untilClosed();
    expect(seen[0]?.authority).toBe(`127.0.0.1:${listener.port}`);
  });

  it('has more headers than node counts by default', async () => {
    const { seen, listener } = await start();
    const client = await raw(listener);
    client.send(get('/', ...Array.from({ length: 3000 }, (_, index) => `h${index}: 1`), 'Connection: close'));
    await client.untilClosed();
    expect(seen[0]?.headers.get('h2999')).toBe('1');
  });

  it('gets 100 Continue when its body may come, and not when it may not', async () => {
    const { listener } = await start(echo, { maxBodyBytes: 10 });
    const client = await raw(listener);
    client.send(
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    );
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.send('hello');
    await client.until(/hello$/);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n');
    expect(statuses(await client.untilClosed())).toEqual([100, 200, 413]);
  });
});

describe('what is no acceptable request', () => {
  const refusals: Array<[string, string, number]> = [
    ['garbage', 'this is not http\r\n\r\n', 400],
    ['binary', '\u0000\u0001\u0002\u0003\r\n\r\n', 400],
    ['a bad header', 'GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n', 400],
    [
      'a folded smuggle',
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['a bad chunk', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
    ['an unknown method', 'BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n', 501],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: h\r\n\r\n', 501],
    ['CONNECT', 'CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n', 501],
    ['PROPFIND', 'PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n', 501],
    ['a header line over 8 KiB', get('/', `X: ${'x'.repeat(9 * KIB)}`), 431],
    [
      'headers over 64 KiB',
      get('/', ...Array.from({ length: 20 }, (_, index) => `X${index}: ${'x'.repeat(4 * KIB)}`)),
      431,
    ],
    ['a long target', get(`/${'x'.repeat(9 * KIB)}`), 414],
    ['an unknown expectation', get('/', 'Expect: miracles'), 417],
  ];

  it.each(refusals)('%s', async (_name, text, status) => {
    const { listener, seen, url } = await start();
    const client = await raw(listener);
    client.send(text);
    await client.until(/HTTP\/1\.1 \d{3} /);
    expect(statuses(client.received)).toEqual([status]);
    if (status !== 417) await client.untilClosed();
    expect(seen).toEqual([]);
    expect((await fetch(url)).status).toBe(200);
  });

  it('says 400 "Bad request" to malformed HTTP', async () => {
    const { listener } = await start();
    const client = await raw(listener);
    client.send('nonsense\r\n\r\n');
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\r\n\r\nBad request$/);
    expect(listener.counts()).toMatchObject({ refused: 1, requests: 0 });
  });

  it('is a body larger than 16 MiB, said at once when it is announced', async () => {
    const { listener, seen } = await start();
    const client = await raw(listener);
    client.send('POST /services/P HTTP/1.1\r\nHost: h\r\nContent-Length: 20971520\r\n\r\n');
    await client.until(/^HTTP\/1\.1 413 /);
    await client.untilClosed();
    expect(seen).toEqual([]);
  });

  it('is a chunked body that grows over the limit, and the client that sends all 20 MB still sees the answer', async () => {
    const { listener, seen } = await start();
    const client = await raw(listener);
    client.send('POST /services/P HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(64 * KIB, 'x'), Buffer.from('\r\n')]);
    await client.sendAll(chunk, 320);
    client.send('0\r\n\r\n');
    expect(statuses(await client.untilClosed())).toEqual([413]);
    expect(seen).toEqual([]);
    expect(listener.counts()).toMatchObject({ refused: 1, heldBytes: 0, inFlight: 0 });
  });

  it('is a body over the limit of its own path', async () => {
    const { url, seen } = await start(echo, {}, { bodyLimit: (path) => (path === '/services/Small' ? 4 : undefined) });
    const send = (path: string) => fetch(`${url}${path}`, { method: 'POST', body: 'hello' });
    expect((await send('/services/Small')).status).toBe(413);
    expect((await send('/services/Other')).status).toBe(200);
    expect(seen.map(({ path }) => path)).toEqual(['/services/Other']);
  });

  it('exactly at the limit is accepted', async () => {
    const { url } = await start(echo, { maxBodyBytes: 1000 });
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(1000) })).status).toBe(200);
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(1001) })).status).toBe(413);
  });

  it('is one more than the memory for waiting bodies holds: 503 with Retry-After, then room again', async () => {
    const waiting: ClientExchange[] = [];
    const { url, listener } = await start((_request, exchange) => void waiting.push(exchange), { maxHeldBytes: 1500 });
    const first = fetch(url, { method: 'POST', body: 'x'.repeat(1000) });
    await eventually(() => expect(waiting).toHaveLength(1));
    const second = await fetch(url, { method: 'POST', body: 'x'.repeat(1000) });
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1']);
    waiting[0]?.answerWith(textAnswer(200, 'text/plain', 'ok'));
    expect((await first).status).toBe(200);
    await eventually(() => expect(listener.counts().heldBytes).toBe(0));
  });
});

describe('half a request, then silence', () => {
  const limits = { headersTimeoutMs: 300, bodyIdleMs: 200, bodyTotalMs: 600 };

  it.each([
    ['nothing', ''],
    ['half a request line', 'POST /serv'],
    ['half the headers', 'POST /services/P HTTP/1.1\r\nHost: h\r\nContent-Le'],
    ['half a body', 'POST /services/P HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello'],
    ['half a chunk', 'POST /services/P HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhel'],
  ])('%s: 408 and closed', async (_name, text) => {
    const { listener, seen } = await start(echo, limits);
    const client = await raw(listener);
    client.send(text);
    expect(statuses(await client.untilClosed())).toEqual([408]);
    expect(seen).toEqual([]);
  });

  it('a body that drips for ever', async () => {
    const { listener, seen } = await start(echo, limits);
    const client = await raw(listener);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n');
    const drip = setInterval(() => client.send('x'), 50);
    try {
      expect(statuses(await client.untilClosed())).toEqual([408]);
    } finally {
      clearInterval(drip);
    }
    expect(seen).toEqual([]);
  });

  it('a slow body that arrives in time', async () => {
    const { listener } = await start(echo, { bodyIdleMs: 5_000, bodyTotalMs: 20_000 });
    const client = await raw(listener);
    client.send(
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\n',
    );
    for (const letter of 'hello') {
      await new Promise((resolve) => setTimeout(resolve, 20));
      client.send(letter);
    }
    expect(await client.untilClosed()).toMatch(/hello$/);
  });

  it('a client that goes away in the middle of its body leaves nothing behind', async () => {
    const { listener, seen } = await start();
    const client = await raw(listener);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello');
    await eventually(() => expect(listener.counts().heldBytes).toBe(5));
    client.destroy();
    await eventually(() => expect(listener.counts()).toMatchObject({ inFlight: 0, heldBytes: 0 }));
    expect(seen).toEqual([]);
  });
});

describe('one connection, many requests', () => {
  it('answers pipelined requests in order, whatever the order in which they are ready', async () => {
    const waiting: Array<() => void> = [];
    const { listener } = await start((request, exchange) => {
      waiting.push(() => exchange.answerWith(textAnswer(200, 'text/plain', request.path)));
    });
    const client = await raw(listener);
    client.send(['/1', '/2', '/3'].map((path) => get(path)).join(''));
    await eventually(() => expect(waiting).toHaveLength(3));
    for (const answer of waiting.reverse()) answer();
    const all = await client.until(/\/3$/);
    expect([...all.matchAll(/\r\n\r\n(\/\d)/g)].map((match) => match[1])).toEqual(['/1', '/2', '/3']);
  });

  it('answers 200 pipelined requests, and cuts off a client that never stops', async () => {
    const { listener } = await start((request, exchange) => {
      if (request.path !== '/held') exchange.answerWith(textAnswer(200, 'text/plain', `${request.path};`));
    });
    const client = await raw(listener);
    client.send(Array.from({ length: 200 }, (_, index) => get(`/${index}`)).join(''));
    await client.until(/\/199;$/);
    expect(statuses(client.received)).toHaveLength(200);
    const endless = await raw(listener);
    await endless.sendAll(Buffer.from(get('/held').repeat(1000)), 200);
    await endless.untilClosed();
    await eventually(() => expect(listener.counts().inFlight).toBe(0));
  });

  it('still answers a good request when what follows is no HTTP, then closes', async () => {
    const waiting: ClientExchange[] = [];
    const { listener } = await start((_request, exchange) => void waiting.push(exchange));
    const client = await raw(listener);
    client.send(`${get('/good')}garbage garbage\r\n\r\n`);
    await eventually(() => expect(waiting).toHaveLength(1));
    waiting[0]?.answerWith(textAnswer(200, 'text/plain', 'good'));
    const all = await client.untilClosed();
    expect(statuses(all)).toEqual([200]);
    expect(all).toContain('Connection: close');
  });

  it('answers the request whose chunked body turns out to be no HTTP', async () => {
    const { listener, seen } = await start();
    const client = await raw(listener);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await eventually(() => expect(listener.counts().heldBytes).toBe(3));
    client.send('not a chunk\r\n');
    expect(statuses(await client.untilClosed())).toEqual([400]);
    expect(seen).toEqual([]);
    expect(listener.counts()).toMatchObject({ heldBytes: 0, inFlight: 0 });
  });

  it('keeps alive, and closes for NO_KEEPALIVE', async () => {
    const { listener } = await start((request, exchange) => {
      const message = inboundMessage(request, NO_ARTIFACTS, exchange, '');
      if (request.path === '/last') message.axis2.set('NO_KEEPALIVE', 'true');
      exchange.respond(message);
    });
    const client = await raw(listener);
    client.send(post('one'));
    await client.until(/one$/);
    client.send(post('two'));
    await client.until(/two$/);
    client.send(get('/last'));
    expect(statuses(await client.untilClosed())).toEqual([200, 200, 200]);
  });
});

describe('the client’s answer', () => {
  it('200 concurrent requests get exactly one answer each, their own', async () => {
    const { listener, url } = await start(async (request, exchange) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      const message = inboundMessage(request, NO_ARTIFACTS, exchange, '');
      exchange.respond(message);
      exchange.respond(message);
      exchange.inFlowEnded(message);
    });
    const agent = new Agent({ connections: 50 });
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'Content-Type': 'text/plain' },
          body: `order ${index}`,
          dispatcher: agent,
        });
        return `${response.status} ${await response.text()}`;
      }),
    );
    await agent.close();
    expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `200 order ${index}`));
    expect(listener.counts()).toMatchObject({ requests: 200, responses: 200, lateAnswers: 200 });
  });

  it('is a 500 fault when the dispatcher throws, and a 504 when nobody ever answers', async () => {
    const { url, listener } = await start(
      (request) => {
        if (request.path === '/throw') throw new Error('dispatch broke');
        return Promise.resolve();
      },
      { answerMs: 100 },
    );
    const thrown = await fetch(`${url}/throw`);
    expect([thrown.status, await thrown.text()]).toEqual([500, 'dispatch broke']);
    expect((await fetch(`${url}/silent`)).status).toBe(504);
    expect(listener.counts()).toMatchObject({ failures: 1, expired: 1 });
  });

  it('is not written to a client that went away', async () => {
    const waiting: ClientExchange[] = [];
    const { listener } = await start((_request, exchange) => void waiting.push(exchange));
    const client = await raw(listener);
    client.send(get('/1') + get('/2'));
    await eventually(() => expect(waiting).toHaveLength(2));
    client.destroy();
    await eventually(() => expect(waiting.map(({ gone }) => gone)).toEqual([true, true]));
    waiting[0]?.answerWith(textAnswer(200, 'text/plain', 'nobody'));
    expect(listener.counts()).toMatchObject({ clientsGone: 2, inFlight: 0, responses: 0 });
  });

  it('leaves out headers that HTTP cannot carry', async () => {
    const { url } = await start((request, exchange) => {
      const message = inboundMessage(request, NO_ARTIFACTS, exchange, '');
      message.headers.set('X-Good', 'yes');
      message.headers.set('X-Evil', 'a\r\nSet-Cookie: b=c');
      message.headers.set('Bad Name', 'x');
      message.axis2.set('HTTP_SC_DESC', 'Fine\r\nSet-Cookie: d=e');
      message.payload = Payload.ofText('ok');
      message.axis2.delete('NO_ENTITY_BODY');
      exchange.respond(message);
    });
    const response = await fetch(url);
    expect(response.headers.get('x-good')).toBe('yes');
    expect(response.headers.get('x-evil')).toBeNull();
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.statusText).toBe('OK');
  });
});

describe('close', () => {
  it('lets requests in flight finish, refuses new connections and closes idle ones', async () => {
    const waiting: ClientExchange[] = [];
    const { listener } = await start((request, exchange) => {
      if (request.path === '/slow') waiting.push(exchange);
      else exchange.answerWith(textAnswer(200, 'text/plain', 'quick'));
    });
    const idle = await raw(listener);
    idle.send(get('/quick'));
    await idle.until(/quick$/);
    const busy = await raw(listener);
    busy.send(get('/slow'));
    await eventually(() => expect(waiting).toHaveLength(1));
    const closed = listener.close(10_000);
    await idle.untilClosed();
    await expect(RawClient.open(listener.port)).rejects.toThrow();
    expect(busy.closed).toBe(false);
    waiting[0]?.answerWith(textAnswer(200, 'text/plain', 'done'));
    expect(await busy.untilClosed()).toMatch(/Connection: close[\s\S]*done$/);
    await closed;
  });

  it('gives up on what does not finish by its deadline', async () => {
    const waiting: ClientExchange[] = [];
    const { listener } = await start((_request, exchange) => void waiting.push(exchange), { answerMs: 60_000 });
    const client = await raw(listener);
    client.send(get('/never'));
    await eventually(() => expect(waiting).toHaveLength(1));
    await listener.close(50);
    await client.untilClosed();
    await eventually(() => expect(waiting[0]?.gone).toBe(true));
  });
});

describe('the port', () => {
  it('that is taken is told with its number', async () => {
    const { listener } = await start();
    const again = startHttpListener({ host: '127.0.0.1', port: listener.port, dispatcher: { dispatch: echo } });
    await expect(again).rejects.toThrow(PortTakenError);
    await expect(again).rejects.toMatchObject({
      port: listener.port,
      message: expect.stringContaining(String(listener.port)),
    });
  });
});

describe('https', () => {
  it('serves TLS 1.2 and later, and survives those who speak plain HTTP to it', async () => {
    const tls = await createSelfSignedCertificate({
      commonName: 'localhost',
      altNames: ['localhost', '127.0.0.1'],
      days: 1,
    });
    const listener = await startHttpListener({ host: '127.0.0.1', port: 0, tls, dispatcher: { dispatch: echo } });
    listeners.push(listener);
    const plain = await raw(listener);
    plain.send(get('/'));
    expect(statuses(await plain.untilClosed())).toEqual([]);
    const body = await new Promise<string>((resolve, reject) => {
      const request = httpRequest(
        {
          method: 'POST',
          headers: { 'Content-Type': 'text/plain', Connection: 'close' },
          createConnection: () => tlsConnect({ port: listener.port, host: '127.0.0.1', ca: tls.cert }),
        },
        (response) => {
          response.setEncoding('utf8').on('data', resolve);
        },
      );
      request.on('error', reject).end('over TLS');
    });
    expect(body).toBe('over TLS');
    const old = tlsConnect({
      port: listener.port,
      host: '127.0.0.1',
      ca: tls.cert,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    });
    await expect(new Promise((_, reject) => old.once('error', reject))).rejects.toThrow();
    old.destroy();
  });
});
