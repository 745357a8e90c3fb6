import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { afterTheTest } from '../support/clean-up.ts';
import { echoBackEnd } from '../support/echo-back-end.ts';
import { freePort } from '../support/free-ports.ts';
import { call } from '../support/http-call.ts';
import { type InProcess, inOnly, serve } from '../support/in-process.ts';
import { testAuthority } from '../support/servers/certificates.ts';
import { waitFor } from '../support/wait-for.ts';

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const onCleanUp = afterTheTest();

interface Inbound {
  readonly protocol?: string;
  readonly attributes?: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

function inbound({ protocol = 'ws', attributes = 'sequence="s" onError="f"', parameters = {} }: Inbound = {}): string {
  const port = protocol.startsWith('http') ? { port: '0' } : { 'inbound.ws.port': '0' };
  const written = Object.entries({ ...port, ...parameters }).map(
    ([key, value]) => `<parameter name="${key}">${value}</parameter>`,
  );
  return `<inboundEndpoint ${SYNAPSE} name="in" protocol="${protocol}" ${attributes}><parameters>${written.join('')}</parameters></inboundEndpoint>`;
}

const sequence = (name: string, mediators: string) => `<sequence ${SYNAPSE} name="${name}">${mediators}</sequence>`;
/** Nothing is done about a client that connects. */
const frames = (mediators: string) =>
  `<filter source="get-property('websocket.source.handshake.present')" regex="true"><then><log level="custom"><property name="connected" expression="get-property('websocket.subscriber.path')"/></log></then><else>${mediators}</else></filter>`;
const FAULT = sequence(
  'f',
  '<log level="custom"><property name="fault" expression="get-property(\'ERROR_MESSAGE\')"/></log>',
);

async function running(
  artifacts: Readonly<Record<string, string>>,
  { toml = '', watch = false } = {},
): Promise<InProcess> {
  const served = await serve({ f: FAULT, ...artifacts }, toml, { watch });
  onCleanUp('the server', () => served.stop());
  return served;
}

async function portOf(server: InProcess, after = 0): Promise<number> {
  const line = await server.logged(/Inbound endpoint \[in\] (listens|goes on listening) on/, after);
  return Number(/:(\d+)$/.exec(line)?.[1]);
}

/** A client that remembers what it is sent. */
interface Client {
  readonly socket: WebSocket;
  /** Text frames as text, binary ones as bytes. */
  readonly got: Array<string | Buffer>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

function connecting(url: string, protocols: string[] = [], options: ClientOptions = {}): Client {
  const socket = new WebSocket(url, protocols, options);
  const got: Array<string | Buffer> = [];
  socket.on('message', (data, binary) => got.push(binary ? (data as Buffer) : String(data)));
  socket.on('error', () => undefined);
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  onCleanUp('a client', () => socket.terminate());
  return { socket, got, closed };
}

async function connected(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<Client> {
  const client = connecting(url, protocols, options);
  await once(client.socket, 'open');
  return client;
}

/** The HTTP status that a client is refused with. */
function refusal(url: string): Promise<number> {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('open', () => reject(new Error('it was accepted')));
    socket.on('error', () => undefined);
  });
}

const frame = (client: Client, count = 1) =>
  waitFor(() => client.got.length >= count, { what: () => `${count} frames; ${client.got.length} came` });

describe('a ws inbound endpoint', () => {
  it('takes a connect and then each frame through its sequence, in order; respond sends a frame back', async () => {
    const server = await running({
      i: inbound(),
      s: sequence(
        's',
        frames(`<property name="kind" expression="concat(get-property('websocket.text.frame.present'), '/', get-property('websocket.binary.frame.present'), '/', get-property('axis2','messageType'), '/', get-property('inbound.endpoint.name'), '/', $trp:X-Token)"/>
          <log level="custom"><property name="kind" expression="get-property('kind')"/></log><respond/>`),
      ),
    });
    const client = await connected(`ws://127.0.0.1:${await portOf(server)}/chat?room=1`, [], {
      headers: { 'X-Token': 't' },
    });
    for (const text of ['{"n":1}', '<a/>', 'plain']) client.socket.send(text);
    client.socket.send(Buffer.from([1, 2, 255]));
    await frame(client, 4);
    expect(client.got).toEqual(['{"n":1}', '<a/>', 'plain', Buffer.from([1, 2, 255])]);
    const own = server
      .lines()
      .flatMap((line) => /INFO \{inboundendpoint:in\} (?:kind|connected) = (.*)/.exec(line)?.[1] ?? []);
    expect(own).toEqual([
      '/chat?room=1',
      'true//application/json/in/t',
      'true//application/xml/in/t',
      'true//text/plain/in/t',
      '/true/application/octet-stream/in/t',
    ]);
  });

  it('clients get the sub-protocol that they and the artifact know, and the media type that the artifact says', async () => {
    const server = await running({
      i: inbound({ parameters: { 'x.subprotocols': 'chat, superchat', 'ws.default.content.type': 'text/plain' } }),
      s: sequence(
        's',
        frames(
          '<log level="custom"><property name="type" expression="get-property(\'axis2\',\'messageType\')"/></log>',
        ),
      ),
    });
    const url = `ws://127.0.0.1:${await portOf(server)}/`;
    const chat = await connected(url, ['other', 'superchat', 'chat']);
    expect(chat.socket.protocol).toBe('superchat');
    chat.socket.send('{}');
    await server.logged(/type = text\/plain/);
    // A client that asked for one and got none does not go on.
    expect((await connecting(url, ['unknown']).closed).code).toBe(1006);
  });

  it.each([
    ['0', ['a']],
    ['1', ['a', 'b']],
    ['2', ['b']],
  ])('broadcast level %s sends to %j', async (level, expected) => {
    const server = await running({
      i: inbound({ parameters: { 'ws.client.side.broadcast.level': level } }),
      s: sequence('s', frames('<respond/>')),
    });
    const base = `ws://127.0.0.1:${await portOf(server)}`;
    const clients = {
      a: await connected(`${base}/room`),
      b: await connected(`${base}/room`),
      c: await connected(`${base}/other`),
    };
    clients.a.socket.send('hello');
    await waitFor(() => Object.values(clients).filter(({ got }) => got.length > 0).length === expected.length, {
      what: 'frames',
    });
    const reached = Object.entries(clients)
      .filter(([, { got }]) => got.includes('hello'))
      .map(([name]) => name);
    expect(reached).toEqual(expected);
  });

  it('an unhandled fault and a handled one leave the connection as it is', async () => {
    const server = await running({
      i: inbound(),
      s: sequence(
        's',
        frames(
          '<filter source="$body//text()" regex="bad"><then><sequence key="nowhere"/></then><else><respond/></else></filter>',
        ),
      ),
    });
    const client = await connected(`ws://127.0.0.1:${await portOf(server)}/`);
    client.socket.send('bad');
    client.socket.send('good');
    await frame(client);
    expect(client.got).toEqual(['good']);
    await server.logged(/fault = Sequence named 'nowhere' cannot be found/);
  });

  it('a fault that nobody handles is told with the message, its endpoint, place and cause (OP-70)', async () => {
    const fails = '<log/><sequence key="nowhere"/>';
    const server = await running({
      i: inbound().replace('onError="', 'onError="none'),
      s: sequence('s', frames(fails)),
    });
    const client = await connected(`ws://127.0.0.1:${await portOf(server)}/`);
    client.socket.send('bad');
    await server.logged(/the flow of a frame failed/);
    const told = server.records.find(({ message }) => message.includes('the flow of a frame failed'));
    expect(told?.details).toMatchObject({
      messageId: expect.stringMatching(/^urn:uuid:/),
      artifactKind: 'inboundEndpoint',
      artifact: 'in',
      file: expect.stringMatching(/s\.xml$/),
      line: expect.any(Number),
      cause: expect.stringContaining("'nowhere'"),
    });
  });

  it('frames of a client wait for their turn, unless it is not sequential; too many are not read', async () => {
    const target = await echoBackEnd();
    onCleanUp('the back end', () => target.close());
    let inHand = 0;
    let most = 0;
    target.answer = () => {
      inHand += 1;
      most = Math.max(most, inHand);
      setTimeout(() => {
        inHand -= 1;
      }, 15);
      return { delayMs: 20 };
    };
    const calls = frames(`<call><endpoint><address uri="${target.url}/x"/></endpoint></call><respond/>`);
    for (const [parameters, limit] of [
      [{}, 1],
      [{ sequential: 'false', 'x.concurrency': '3' }, 3],
    ] as const) {
      most = 0;
      const server = await running({ i: inbound({ parameters }), s: sequence('s', calls) });
      const client = await connected(`ws://127.0.0.1:${await portOf(server)}/`);
      const sent = Array.from({ length: 40 }, (_, index) => `frame ${index}`);
      for (const text of sent) client.socket.send(text);
      await frame(client, sent.length);
      expect(most).toBe(limit);
      if (limit === 1) expect(client.got).toEqual(sent);
      else expect([...client.got].sort()).toEqual([...sent].sort());
    }
  });

  it('bounds: frames that are too large, clients that are too many, plain requests', async () => {
    const server = await running(
      { i: inbound({ parameters: { 'x.max.connections': '2' } }), s: sequence('s', frames('<respond/>')) },
      { toml: '[mini_synapse]\nmax_body_bytes = 1000' },
    );
    const port = await portOf(server);
    const url = `ws://127.0.0.1:${port}/`;
    const first = await connected(url);
    const large = await connected(url);
    expect(await refusal(url)).toBe(503);
    expect((await call(`http://127.0.0.1:${port}/`)).status).toBe(426);
    large.socket.send('x'.repeat(1001));
    expect((await large.closed).code).toBe(1009);
    first.socket.send('still here');
    await frame(first);
  });

  it('cuts off a client that gives no sign of life', async () => {
    const server = await running({
      i: inbound({ parameters: { 'x.ping.interval': '100' } }),
      s: sequence('s', frames('<respond/>')),
    });
    const silent = await connected(`ws://127.0.0.1:${await portOf(server)}/`, [], { autoPong: false });
    expect((await silent.closed).code).toBe(1006);
    await server.logged(/gave no sign of life for 100 ms/);
  });

  it('a stop says good-bye with the status of the artifact, when the flows in hand have ended', async () => {
    const target = await echoBackEnd();
    onCleanUp('the back end', () => target.close());
    target.answer = () => ({ delayMs: 200 });
    const server = await running({
      i: inbound({ parameters: { 'ws.shutdown.status.code': '4001', 'ws.shutdown.status.message': 'see you' } }),
      s: sequence('s', frames(`<call><endpoint><address uri="${target.url}/x"/></endpoint></call><respond/>`)),
    });
    const client = await connected(`ws://127.0.0.1:${await portOf(server)}/`);
    client.socket.send('last');
    await waitFor(() => target.received.length === 1, { what: 'the call' });
    await server.server.stop();
    expect(await client.closed).toEqual({ code: 4001, reason: 'see you' });
    expect(client.got).toEqual(['last']);
  });

  it('a new version keeps the port and closes its clients; an undeployed one lets the port go', async () => {
    const port = String(await freePort());
    const answering = (text: string) =>
      sequence(
        's',
        frames(`<payloadFactory media-type="json"><format>{"v":"${text}"}</format><args/></payloadFactory><respond/>`),
      );
    const server = await running(
      { i: inbound({ parameters: { 'inbound.ws.port': port } }), s: answering('1') },
      { watch: true },
    );
    await portOf(server);
    const url = `ws://127.0.0.1:${port}/`;
    const old = await connected(url);
    const before = server.records.length;
    const file = join(server.directory, 'i.xml');
    writeFileSync(file, inbound({ parameters: { 'inbound.ws.port': port, 'x.max.connections': '9' } }));
    await server.logged(/goes on listening/, before);
    expect((await old.closed).code).toBe(1001);
    const next = await connected(url);
    next.socket.send('x');
    await frame(next);
    rmSync(file);
    expect((await next.closed).code).toBe(1001);
    await waitFor(async () => (await connecting(url).closed).code === 1006, { what: 'a closed port' });
  });

  it('wss: with the certificate of the artifact', async () => {
    const authority = testAuthority();
    const pair = authority.issue({ names: ['localhost'] });
    const server = await running({ s: sequence('s', frames('<respond/>')) }, { watch: true });
    const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(server.directory, '..', name));
    writeFileSync(key ?? '', pair.key);
    writeFileSync(certificate ?? '', pair.certificate);
    const parameters = { 'x.tls.key': key ?? '', 'x.tls.certificate': certificate ?? '' };
    writeFileSync(join(server.directory, 'i.xml'), inbound({ protocol: 'wss', parameters }));
    const client = await connected(`wss://localhost:${await portOf(server)}/`, [], { ca: authority.certificate });
    client.socket.send('secret');
    await frame(client);
    expect(client.got).toEqual(['secret']);
  });
});

/** A back end that speaks WebSocket and sends back what it gets, with a mark. */
async function webSocketBackEnd(tls?: { key: string; certificate: string }) {
  const http = tls ? createTlsServer({ key: tls.key, cert: tls.certificate }) : createServer();
  const server = new WebSocketServer({ server: http });
  const got: string[] = [];
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data, binary) => {
      got.push(String(data));
      socket.send(binary ? data : `echo ${String(data)}`, { binary });
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onCleanUp('the back end', () => {
    for (const client of server.clients) client.terminate();
    server.close();
    http.close();
  });
  return { server, got, port: (http.address() as AddressInfo).port };
}

describe('ws: addresses', () => {
  const CORPUS = '../shared/corpus/open/definitions/synapse-websocket-inbound-6156e5.xml';
  it.skipIf(!existsSync(CORPUS))(
    'an artifact of the corpus: frames go to the back end, and its frames to the client that caused them',
    async () => {
      const backEnd = await webSocketBackEnd();
      const port = await freePort();
      const xml = readFileSync(CORPUS, 'utf8').replace('7474', String(backEnd.port)).replace('9078', String(port));
      const server = await running({ a: xml.slice(xml.indexOf('<definitions')) });
      await server.logged(/listens on http:/);
      const [one, two] = [await connected(`ws://127.0.0.1:${port}/x`), await connected(`ws://127.0.0.1:${port}/x`)];
      one.socket.send('{"from":"one"}');
      two.socket.send('{"from":"two"}');
      await Promise.all([frame(one), frame(two)]);
      expect([one.got, two.got]).toEqual([['echo {"from":"one"}'], ['echo {"from":"two"}']]);
      // Each client has a connection of its own, which the connect event opened without sending a frame.
      expect(backEnd.got.sort()).toEqual(['{"from":"one"}', '{"from":"two"}']);
      expect(backEnd.server.clients.size).toBe(2);
      one.socket.close();
      await waitFor(() => backEnd.server.clients.size === 1, { what: 'the end of the first connection' });
    },
  );

  it('frames of back ends go through the outflow sequence, its faults through the other; without one as they are', async () => {
    const backEnd = await webSocketBackEnd();
    const send = frames(
      `<property name="OUT_ONLY" value="true"/><send><endpoint><address uri="ws://127.0.0.1:${backEnd.port}/"/></endpoint></send>`,
    );
    const outflow = { 'ws.outflow.dispatch.sequence': 'out', 'ws.outflow.dispatch.fault.sequence': 'outFault' };
    const through = await running({
      i: inbound({ parameters: outflow }),
      s: sequence('s', send),
      out: sequence(
        'out',
        '<filter source="$body//text()" regex=".*bad.*"><then><sequence key="nowhere"/></then><else><payloadFactory media-type="json"><format>{"from":"back end"}</format><args/></payloadFactory><property name="messageType" value="application/json" scope="axis2"/><respond/></else></filter>',
      ),
      outFault: sequence(
        'outFault',
        '<log level="custom"><property name="out fault" expression="get-property(\'ERROR_MESSAGE\')"/></log>',
      ),
    });
    const client = await connected(`ws://127.0.0.1:${await portOf(through)}/`);
    client.socket.send('bad');
    await through.logged(/out fault = .*nowhere/);
    client.socket.send('good');
    await frame(client);
    expect(client.got).toEqual(['{"from":"back end"}']);
    const direct = await running({ i: inbound(), s: sequence('s', send) });
    const other = await connected(`ws://127.0.0.1:${await portOf(direct)}/`);
    other.socket.send(Buffer.from([0, 255]));
    await frame(other);
    expect(other.got).toEqual([Buffer.from([0, 255])]);
  });

  it('from HTTP: the first frame is the answer; a one-way message is answered when it is written', async () => {
    const backEnd = await webSocketBackEnd();
    const uri = `ws://127.0.0.1:${backEnd.port}/x`;
    const server = await running({
      ask: inOnly('Ask', `<call><endpoint><address uri="${uri}"/></endpoint></call><respond/>`),
      tell: inOnly(
        'Tell',
        `<property name="OUT_ONLY" value="true"/><send><endpoint><address uri="${uri}"/></endpoint></send>`,
      ),
    });
    const options = { headers: { 'Content-Type': 'text/plain' }, body: 'hello' };
    const answer = await call(server.service('Ask'), options);
    expect([answer.status, answer.text]).toEqual([200, 'echo hello']);
    expect((await call(server.service('Tell'), { ...options, body: 'told' })).status).toBe(202);
    await waitFor(() => backEnd.got.includes('told'), { what: 'the frame' });
    await waitFor(() => backEnd.server.clients.size === 1, { what: 'the shared connection alone' });
  });

  it('a back end that is not there, silent, closes, or shows a wrong certificate is a fault', async () => {
    const backEnd = await webSocketBackEnd();
    backEnd.server.removeAllListeners('connection');
    backEnd.server.on('connection', (socket, request) => {
      if (request.url === '/close') socket.close();
    });
    const secure = await webSocketBackEnd(testAuthority().issue({ names: ['localhost'] }));
    const endpoint = (uri: string) =>
      `<call><endpoint><address uri="${uri}"><timeout><duration>200</duration><responseAction>fault</responseAction></timeout></address></endpoint></call><respond/>`;
    const told =
      '<faultSequence><payloadFactory media-type="json"><format>{"code":"$1","detail":"$2"}</format><args><arg evaluator="xml" expression="get-property(\'ERROR_CODE\')"/><arg evaluator="xml" expression="get-property(\'ERROR_MESSAGE\')"/></args></payloadFactory><property name="messageType" value="application/json" scope="axis2"/><respond/></faultSequence>';
    const server = await running({
      a: inOnly('Nobody', endpoint('ws://127.0.0.1:1/'), told),
      b: inOnly('Silent', endpoint(`ws://127.0.0.1:${backEnd.port}/silent`), told),
      c: inOnly('Closes', endpoint(`ws://127.0.0.1:${backEnd.port}/close`), told),
      d: inOnly('Untrusted', endpoint(`wss://localhost:${secure.port}/`), told),
    });
    const fault = async (name: string) => {
      const { text } = await call(server.service(name), { headers: { 'Content-Type': 'text/plain' }, body: 'x' });
      return JSON.parse(text) as { code: string; detail: string };
    };
    expect(await fault('Nobody')).toEqual({ code: '101503', detail: expect.stringMatching(/ECONNREFUSED/) });
    expect((await fault('Silent')).code).toBe('101504');
    expect((await fault('Closes')).detail).toMatch(/closed|CLOSING/);
    expect((await fault('Untrusted')).detail).toMatch(/certificate/);
  });
});

describe('an httpws inbound endpoint', () => {
  const api = `<api ${SYNAPSE} name="A" context="/noBackendCall"><resource methods="POST GET" uri-template="/{who}"><inSequence><payloadFactory media-type="json"><format>{"hello":"$1"}</format><args><arg evaluator="xml" expression="get-property('uri.var.who')"/></args></payloadFactory><property name="messageType" value="application/json" scope="axis2"/><respond/></inSequence></resource></api>`;

  it('takes requests and frames to APIs', async () => {
    const server = await running({
      i: inbound({
        protocol: 'httpws',
        attributes: '',
        parameters: { 'dispatch.filter.pattern': '/noBackendCall.*', protocolVersion: '2.0' },
      }),
      a: api,
    });
    const port = await portOf(server);
    expect((await call(`http://127.0.0.1:${port}/noBackendCall/http`)).text).toBe('{"hello":"http"}');
    const client = await connected(`ws://127.0.0.1:${port}/noBackendCall/frame`);
    client.socket.send('{"any":1}');
    client.socket.send('{"any":2}');
    await frame(client, 2);
    expect(client.got).toEqual(['{"hello":"frame"}', '{"hello":"frame"}']);
    const lost = await connected(`ws://127.0.0.1:${port}/elsewhere`);
    lost.socket.send('{}');
    await frame(lost);
    expect(String(lost.got[0])).toMatch(/fault|Fault|not found/i);
  });

  it.each(['httpswss-7f2e12', 'httpwsWithBackendCall-9a82da'])('%s of the corpus is deployed', async (name) => {
    const file = `../shared/corpus/open/inboundEndpoint/${name}.xml`;
    if (!existsSync(file)) return;
    const port = await freePort();
    const xml = readFileSync(file, 'utf8').replace(/>5\d{3}</, `>${port}<`);
    const pattern = /dispatch.filter.pattern">([^<]+)</.exec(xml)?.[1] ?? '';
    const server = await running({
      i: xml.slice(xml.indexOf('<inboundEndpoint')),
      a: api.replace('/noBackendCall', pattern).replace('uri-template="/{who}"', ''),
    });
    await server.logged(/listens on https?:/);
    const scheme = name.startsWith('https') ? 'wss' : 'ws';
    const client = await connected(`${scheme}://127.0.0.1:${port}${pattern}`, [], { rejectUnauthorized: false });
    client.socket.send('{"any":1}');
    await frame(client);
    expect(client.got).toEqual(['{"hello":""}']);
  });
});
