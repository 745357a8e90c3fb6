import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type InProcess, proxy, serve } from '../support/in-process.ts';
import { runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';

/*
 * Bodies that nobody looks at are passed on while they come (REQ-23): both ways, with all that can go wrong in the middle. The back end is
 * told by each test what to do with its requests.
 */

const MIB = 1024 * 1024;
const NOBODY = (_: IncomingMessage, response: ServerResponse) => response.writeHead(500).end();

let backEnd: Server;
let target: string;
let handle: (request: IncomingMessage, response: ServerResponse) => unknown = NOBODY;
let server: InProcess;

const sendTo = (more = '') => `<send><endpoint><address uri="${target}">${more}</address></endpoint></send>`;
const suspends = '<suspendOnFailure><initialDuration>60000</initialDuration></suspendOnFailure>';

beforeAll(async () => {
  backEnd = createServer((incoming, outgoing) => {
    incoming.on('error', () => {});
    Promise.resolve(handle(incoming, outgoing)).catch(() => outgoing.destroy());
  });
  backEnd.listen(0, '127.0.0.1');
  await once(backEnd, 'listening');
  target = `http://127.0.0.1:${(backEnd.address() as AddressInfo).port}/`;
  const through = (name: string, inside: string, out = '<send/>') =>
    proxy(name, `<inSequence>${inside}</inSequence><outSequence>${out}</outSequence>`);
  server = await serve(
    {
      Through: through('Through', `<property name="seen" value="yes"/>${sendTo()}`),
      Reading: through(
        'Reading',
        `<property name="seen" expression="$body/*/a"/>${sendTo()}`,
        '<log level="full"/><send/>',
      ),
      Failing: through('Failing', sendTo()),
      Suspending: through('Suspending', sendTo(suspends)),
      Hasty: through(
        'Hasty',
        sendTo('<timeout><duration>700</duration><responseAction>fault</responseAction></timeout>'),
      ),
      Brief: through(
        'Brief',
        sendTo('<timeout><duration>700</duration><responseAction>fault</responseAction></timeout>'),
      ),
      Dropping: through('Dropping', '<drop/>'),
      Several: through(
        'Several',
        `<send><endpoint><recipientlist>${`<endpoint><address uri="${target}"/></endpoint>`.repeat(2)}</recipientlist></endpoint></send>`,
      ),
      Forgetting: through('Forgetting', sendTo(), '<drop/>'),
    },
    '[mini_synapse]\nmax_body_bytes = 33554432\n',
  );
});

afterEach(() => {
  handle = NOBODY;
});

afterAll(async () => {
  await server.stop();
  backEnd.closeAllConnections();
  await new Promise((resolve) => backEnd.close(resolve));
});

/** A request whose body is written by the test. */
function begin(service: string, headers: Readonly<Record<string, string | number>> = {}): ClientRequest {
  const started = request(server.service(service), {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream', ...headers },
    agent: false,
  });
  started.on('error', () => {});
  return started;
}

async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [answer] = await once(sent, 'response');
  (answer as IncomingMessage).on('error', () => {});
  return answer as IncomingMessage;
}

async function call(service: string, body: Buffer, headers: Readonly<Record<string, string | number>> = {}) {
  const sent = begin(service, headers);
  const answering = answerOf(sent);
  sent.end(body);
  const answer = await answering;
  return { status: answer.statusCode, headers: answer.headers, body: await buffer(answer) };
}

/** Nothing hangs. */
async function nothingInFlight(): Promise<void> {
  const inFlight = async () => /^messages_in_flight (\d+)$/m.exec(await metrics())?.[1];
  const metrics = async () => (await fetch(server.management('/metrics'))).text();
  await waitFor(async () => (await inFlight()) === '0', { what: 'no message in flight' });
}

const echo = (incoming: IncomingMessage, outgoing: ServerResponse) => {
  const { 'content-type': type = '', 'content-length': length, 'content-encoding': encoding } = incoming.headers;
  outgoing.writeHead(200, {
    'Content-Type': type,
    ...(length && { 'Content-Length': length }),
    ...(encoding && { 'Content-Encoding': encoding }),
  });
  return pipeline(incoming, outgoing);
};

describe('a large body that nobody reads', () => {
  const body = randomBytes(2 * MIB);

  it('arrives as it was sent, with its length, both ways', async () => {
    let seen: IncomingMessage['headers'] = {};
    handle = (incoming, outgoing) => {
      seen = incoming.headers;
      return echo(incoming, outgoing);
    };
    const answer = await call('Through', body, { 'Content-Length': body.length });
    expect(answer.status).toBe(200);
    expect(answer.body.equals(body)).toBe(true);
    expect(answer.headers['content-length']).toBe(String(body.length));
    expect(seen['content-length']).toBe(String(body.length));
    expect(seen['transfer-encoding']).toBeUndefined();
  });

  it('has no length when the client says none: chunks come, chunks go', async () => {
    let seen: IncomingMessage['headers'] = {};
    handle = (incoming, outgoing) => {
      seen = incoming.headers;
      return echo(incoming, outgoing);
    };
    const answer = await call('Through', body, { 'Transfer-Encoding': 'chunked' });
    expect(answer.body.equals(body)).toBe(true);
    expect(answer.headers['transfer-encoding']).toBe('chunked');
    expect(seen['transfer-encoding']).toBe('chunked');
  });

  it.each([
    ['compressed', { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }],
    ['a form with files', { 'Content-Type': 'multipart/form-data; boundary=x' }],
    ['an envelope with attachments', { 'Content-Type': 'multipart/related; type="text/xml"; boundary=x' }],
  ])('is not looked at: %s', async (_, headers) => {
    let seen: IncomingMessage['headers'] = {};
    handle = (incoming, outgoing) => {
      seen = incoming.headers;
      return echo(incoming, outgoing);
    };
    const answer = await call('Through', body, headers);
    expect(answer.body.equals(body)).toBe(true);
    expect(seen).toMatchObject(Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v])));
  });

  it('reaches the back end before the client has sent the end of it, and the client before the back end has', async () => {
    const half = body.subarray(0, MIB);
    let arrived = 0;
    const rest = Promise.withResolvers<void>();
    handle = async (incoming, outgoing) => {
      incoming.on('data', (chunk: Buffer) => {
        arrived += chunk.length;
      });
      await once(incoming, 'end');
      outgoing.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
      outgoing.write(half);
      await rest.promise;
      outgoing.end(body.subarray(MIB));
    };
    const sent = begin('Through', { 'Content-Length': body.length });
    const answering = answerOf(sent);
    sent.write(half);
    await waitFor(() => arrived === MIB, { what: () => `the first half at the back end; ${arrived} bytes are there` });
    sent.end(body.subarray(MIB));
    const answer = await answering;
    let received = 0;
    answer.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await waitFor(() => received === MIB, { what: () => `the first half at the client; ${received} bytes are there` });
    rest.resolve();
    await once(answer, 'end');
    expect(received).toBe(body.length);
  });

  it('keeps the connections of client and back end for the next request', async () => {
    const ports = new Set<number | undefined>();
    const clients = new Set<number | undefined>();
    handle = (incoming, outgoing) => {
      ports.add(incoming.socket.remotePort);
      return echo(incoming, outgoing);
    };
    const { Agent } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let turn = 0; turn < 3; turn += 1) {
        const sent = request(server.service('Through'), { method: 'POST', agent });
        const answering = answerOf(sent);
        sent.end(body);
        const answer = await answering;
        clients.add(answer.socket.localPort);
        expect((await buffer(answer)).equals(body)).toBe(true);
      }
    } finally {
      agent.destroy();
    }
    expect(clients.size).toBe(1);
    expect(ports.size).toBe(1);
  });

  it('is held where a mediator reads it, and is the same then', async () => {
    const xml = Buffer.from(`<order><a>1</a>${'<b>x</b>'.repeat(MIB / 8)}</order>`);
    let seen: Buffer | undefined;
    handle = async (incoming, outgoing) => {
      seen = await buffer(incoming);
      outgoing.writeHead(200, { 'Content-Type': 'application/xml' }).end(seen);
    };
    const answer = await call('Reading', xml, { 'Content-Type': 'application/xml' });
    expect(answer.status).toBe(200);
    expect(seen?.equals(xml)).toBe(true);
    expect(answer.body.equals(xml)).toBe(true);
  });

  it('is read and forgotten when the flow does not want it, and the connection goes on', async () => {
    const answer = await call('Dropping', body);
    expect(answer.status).toBe(202);
    await nothingInFlight();
  });

  it('frees the back end when the flow does not want the answer', async () => {
    const closed = Promise.withResolvers<void>();
    handle = async (incoming, outgoing) => {
      incoming.resume();
      await once(incoming, 'end');
      outgoing.once('close', closed.resolve);
      outgoing.writeHead(200, { 'Content-Length': 64 * MIB });
      outgoing.write(body);
    };
    const answer = await call('Forgetting', body);
    expect(answer.status).toBe(202);
    await closed.promise;
  });
});

describe('of several large answers', () => {
  it('each is taken from its back end, and one goes to the client', async () => {
    const answers: Array<Promise<unknown>> = [];
    handle = async (incoming, outgoing) => {
      answers.push(once(outgoing, 'finish'));
      await buffer(incoming);
      outgoing.writeHead(200, { 'Content-Type': 'application/octet-stream' });
      await pipeline(Readable.from(chunks(15 * MIB)), outgoing);
    };
    const answer = await call('Several', Buffer.from('a'));
    expect(answer.body.length).toBe(15 * MIB);
    expect(answers).toHaveLength(2);
    await Promise.all(answers);
    await nothingInFlight();
  });
});

describe('when something goes wrong in the middle', () => {
  const body = randomBytes(2 * MIB);

  it('a body beyond the limit is refused, and the back end’s request broken off', async () => {
    const broken = Promise.withResolvers<void>();
    handle = (incoming) => {
      incoming.once('close', () => !incoming.complete && broken.resolve()).resume();
    };
    const sent = begin('Through', { 'Transfer-Encoding': 'chunked' });
    const answering = answerOf(sent);
    Readable.from(chunks(40 * MIB)).pipe(sent);
    expect((await answering).statusCode).toBe(413);
    sent.destroy();
    await broken.promise;
    await nothingInFlight();
  });

  it('a client that goes away ends the back end’s request, and is no fault of the endpoint', async () => {
    const begun = Promise.withResolvers<void>();
    const broken = Promise.withResolvers<void>();
    handle = (incoming) => {
      incoming.once('data', () => begun.resolve());
      incoming.once('close', () => !incoming.complete && broken.resolve()).resume();
    };
    const sent = begin('Suspending', { 'Content-Length': body.length });
    sent.write(body.subarray(0, MIB));
    await begun.promise;
    sent.destroy();
    await broken.promise;
    handle = echo;
    expect((await call('Suspending', body)).status).toBe(200);
    await nothingInFlight();
  });

  it('a client that goes away while it gets its answer ends that, too', async () => {
    const broken = Promise.withResolvers<void>();
    handle = async (incoming, outgoing) => {
      incoming.resume();
      outgoing.once('close', () => !outgoing.writableFinished && broken.resolve());
      outgoing.writeHead(200, { 'Content-Length': 64 * MIB });
      outgoing.write(body);
    };
    const sent = begin('Suspending', { 'Content-Length': body.length });
    const answering = answerOf(sent);
    sent.end(body);
    const answer = await answering;
    await once(answer, 'data');
    answer.destroy();
    await broken.promise;
    handle = echo;
    expect((await call('Suspending', body)).status).toBe(200);
  });

  it('an answer that comes before the back end has read the body goes to the client', async () => {
    handle = (_, outgoing) => outgoing.writeHead(401, { 'Content-Type': 'text/plain' }).end('who are you?');
    const sent = begin('Through', { 'Content-Length': 30 * MIB });
    const answering = answerOf(sent);
    sent.write(body);
    const answer = await answering;
    expect(answer.statusCode).toBe(401);
    expect((await buffer(answer)).toString()).toBe('who are you?');
    sent.destroy();
    await nothingInFlight();
  });

  it('a back end that resets in the middle of the request is a fault', async () => {
    handle = (incoming) => incoming.once('data', () => incoming.socket.resetAndDestroy());
    const answer = await call('Failing', body);
    expect(answer.status).toBe(500);
    await nothingInFlight();
  });

  it('a back end that resets in the middle of its answer breaks the client’s off, and is suspended for it', async () => {
    const seen = Promise.withResolvers<void>();
    handle = async (incoming, outgoing) => {
      incoming.resume();
      await once(incoming, 'end');
      outgoing.writeHead(200, { 'Content-Length': 4 * MIB });
      outgoing.write(body);
      await seen.promise;
      outgoing.socket?.resetAndDestroy();
    };
    const sent = begin('Suspending', { 'Content-Length': body.length });
    const answering = answerOf(sent);
    sent.end(body);
    const answer = await answering;
    expect(answer.statusCode).toBe(200);
    seen.resolve();
    await expect(buffer(answer)).rejects.toThrow('aborted');
    expect((await call('Suspending', body)).status).toBe(503);
  });

  it('a back end that takes the body and says nothing meets the time-out of the endpoint', async () => {
    handle = (incoming) => incoming.resume();
    const answer = await call('Hasty', body);
    expect([500, 504]).toContain(answer.status);
    expect(server.lines().join('\n')).toMatch(/ENDPOINT_TIMEOUT of : 0.7 seconds/);
    await nothingInFlight();
  });

  it('the time of a slow client is none of the back end', async () => {
    handle = echo;
    const sent = begin('Brief', { 'Content-Length': body.length });
    const answering = answerOf(sent);
    const received = answering.then((answer) => buffer(answer));
    sent.write(body.subarray(0, MIB));
    // Longer than the endpoint waits for its back end.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    sent.end(body.subarray(MIB));
    const echoed = await received;
    expect(echoed.length, echoed.toString('latin1', 0, 300)).toBe(body.length);
  });

  it('neither a back end nor a client that takes nothing has the runtime collect what the other side sends', async () => {
    let written = 0;
    handle = async (incoming, outgoing) => {
      incoming.resume();
      outgoing.writeHead(200, { 'Content-Type': 'text/plain' });
      const source = Readable.from(chunks(512 * MIB));
      source.on('data', (chunk: Buffer) => {
        written += chunk.length;
      });
      await pipeline(source, outgoing).catch(() => {});
    };
    const sent = begin('Through', { 'Content-Length': body.length });
    const answering = answerOf(sent);
    sent.end(body);
    const answer = await answering;
    expect(answer.statusCode).toBe(200);
    answer.pause();
    let before = -1;
    await waitFor(
      async () => {
        const still = written > 0 && written === before;
        before = written;
        return still;
      },
      { what: () => `the back end to stop writing; it has written ${written} bytes`, everyMs: 500 },
    );
    expect(written).toBeLessThan(128 * MIB);
    answer.destroy();
    await nothingInFlight();
  });
});

describe('the memory of the runtime', () => {
  it.skipIf(!existsSync('/proc/self/status'))(
    'does not grow with the body',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-large-'));
      const config = join(folder, 'deployment.toml');
      writeFileSync(config, `[mini_synapse]\nmax_body_bytes = ${256 * MIB}\n`);
      const artifact =
        '<proxy xmlns="http://ws.apache.org/ns/synapse" name="Through"><target>' +
        `<inSequence><property name="seen" value="yes"/>${sendTo()}</inSequence><outSequence><send/></outSequence></target></proxy>`;
      writeFileSync(join(folder, 'Through.xml'), artifact);
      const runtime = await runMiniSynapse({ artifacts: folder, dataDirectory: join(folder, 'data'), config });
      try {
        handle = echo;
        await exchanged(runtime.service('Through'), 4 * MIB);
        const before = peakMib(runtime.pid);
        expect(await exchanged(runtime.service('Through'), 100 * MIB)).toEqual(hashOf(100 * MIB));
        expect(peakMib(runtime.pid) - before).toBeLessThan(64);
      } finally {
        await runtime.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    240_000,
  );
});

const CHUNK = randomBytes(64 * 1024);

function* chunks(bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) yield CHUNK;
}

function hashOf(bytes: number): string {
  const hash = createHash('sha256');
  for (const chunk of chunks(bytes)) hash.update(chunk);
  return hash.digest('hex');
}

/** Sends so many bytes and hashes what comes back. */
async function exchanged(url: string, bytes: number): Promise<string> {
  const sent = request(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes },
    agent: false,
  });
  const answering = answerOf(sent);
  const sending = pipeline(Readable.from(chunks(bytes)), sent);
  const hash = createHash('sha256');
  for await (const chunk of await answering) hash.update(chunk as Buffer);
  await sending;
  return hash.digest('hex');
}

/** The most memory that a process ever had. */
function peakMib(pid: number | undefined): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
