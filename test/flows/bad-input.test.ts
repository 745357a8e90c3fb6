import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call, envelope, type Reply, soap11 } from '../support/http-call.ts';
import { inOnly } from '../support/in-process.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { RawClient } from '../transport/raw-client.ts';

/*
 * What must be shown, 7: each bad input gets a clear answer, the process lives, nothing is stored. A process of its own, so
 * that its life can be told; every proxy here stores what it is given after looking at it.
 */

const AT_ONCE_MS = 5_000;
const MEBIBYTE = 1024 * 1024;
/** Text that a hostile file inclusion would bring to light. */
const SECRET = 'the-secret-of-this-machine';

let folder: string;
let runtime: MiniSynapse;
let pid: number | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-bad-input-'));
  const artifacts = join(folder, 'artifacts');
  mkdirSync(artifacts);
  const write = (name: string, xml: string) =>
    writeFileSync(
      join(artifacts, `${name}.xml`),
      xml.replace(/^<(\w+)/, '<$1 xmlns="http://ws.apache.org/ns/synapse"'),
    );
  const look = '<property name="seen" expression="string($body/*)"/><store messageStore="S"/>';
  write('S', '<messageStore name="S"/>');
  write('Looks', inOnly('Looks', look));
  write('Shows', inOnly('Shows', '<log level="full"/><store messageStore="S"/>'));
  write(
    'Tells',
    inOnly(
      'Tells',
      look,
      `<faultSequence>
    <property name="X-Code" expression="get-property('ERROR_CODE')" scope="transport"/>
    <property name="HTTP_SC" value="422" scope="axis2"/><respond/></faultSequence>`,
    ),
  );
  writeFileSync(join(folder, 'secret.txt'), SECRET);
  runtime = await runMiniSynapse({ artifacts, dataDirectory: join(folder, 'data') });
  pid = runtime.pid;
});

afterAll(async () => {
  const end = await runtime?.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(end?.code).toBe(0);
});

interface StoreNumbers {
  readonly size: number;
  readonly enqueued: number;
}

async function storeNumbers(): Promise<StoreNumbers> {
  const { size, enqueued } = JSON.parse((await call(runtime.management('/management/message-stores?name=S'))).text);
  return { size, enqueued };
}

let before: StoreNumbers;

beforeEach(async () => {
  before = await storeNumbers();
});

/** After each input: the same process, healthy, serving, and nothing was stored. */
afterEach(async () => {
  expect(runtime.pid).toBe(pid);
  expect((await call(runtime.management('/healthz'))).status).toBe(200);
  expect(await storeNumbers()).toEqual(before);
});

const XML = { 'Content-Type': 'application/xml' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

function expectClear(reply: Reply, status: number, text: string | RegExp): void {
  expect(reply.status).toBe(status);
  expect(reply.text).toMatch(text);
  expect(reply.elapsedMs).toBeLessThan(AT_ONCE_MS);
}

describe('malformed bodies, to a proxy that looks', () => {
  it.each([
    ['a start tag that never ends', '<order><symbol>IBM</symbol'],
    ['tags that cross', '<a><b></a></b>'],
    ['two roots', '<a/><b/>'],
    ['an undeclared prefix', '<p:a/>'],
    ['a character that XML cannot hold', '<a>\u0001</a>'],
    ['an undefined entity', '<a>&nowhere;</a>'],
    ['no XML at all', 'hello'],
    ['only a declaration', '<?xml version="1.0"?>'],
    ['bytes that are no UTF-8', Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xfe, 0x3c, 0x2f, 0x61, 0x3e])],
    ['two attributes of one name', '<a b="1" b="2"/>'],
  ])('%s: 400 with the reason, as XML', async (_, body) => {
    expectClear(
      await call(runtime.service('Looks'), { body, headers: XML }),
      400,
      /<Exception>.*Error while building message/s,
    );
  });

  it('in SOAP: 400 with a SOAP fault', async () => {
    const headers = { 'Content-Type': 'text/xml', SOAPAction: '"urn:q"' };
    const broken = await call(runtime.service('Looks'), { body: envelope('<q>').slice(0, -20), headers });
    expectClear(broken, 400, /:Fault>.*Error while building message/s);
    expect(broken.headers['content-type']).toMatch(/^text\/xml/);
  });

  it('JSON: 400 with the reason, as JSON', async () => {
    for (const body of ['{"a":', '{"a":1}}', '[1,]', 'a', '{"a":1} trailing']) {
      const reply = await call(runtime.service('Looks'), { body, headers: JSON_TYPE });
      expect(reply.status, body).toBe(400);
      expect(JSON.parse(reply.text)).toMatchObject({ Fault: { faultstring: expect.any(String) } });
    }
  });

  it('the fault sequence sees 601000 and may answer itself', async () => {
    const reply = await call(runtime.service('Tells'), { body: '<a', headers: XML });
    expect(reply.status).toBe(422);
    expect(reply.headers['x-code']).toBe('601000');
  });

  it('a log that shows the body fails as the fault it is', async () => {
    expectClear(
      await call(runtime.service('Shows'), { body: '<a', headers: XML }),
      400,
      'Could not build full log message',
    );
  });
});

describe('a wrong content type', () => {
  const lies: Array<[string, string, string, Record<string, string>?]> = [
    ['XML that says JSON', '<a/>', 'application/json'],
    ['JSON that says XML', '{"a":1}', 'application/xml'],
    ['JSON that says SOAP', '{"a":1}', 'application/soap+xml'],
    ['bytes that say gzip', '<a/>', 'application/xml', { 'Content-Encoding': 'gzip' }],
    ['a charset that nobody knows', '<a>\u00e4</a>', 'application/xml; charset=klingon'],
    ['a multipart without boundary', 'x', 'multipart/form-data'],
    ['a multipart that is none', 'x', 'multipart/related; boundary=b; type="text/xml"', { SOAPAction: '""' }],
  ];

  it.each(lies)('%s: 400 with a reason', async (_, body, type, more = {}) => {
    const reply = await call(runtime.service('Looks'), { body, headers: { 'Content-Type': type, ...more } });
    expectClear(reply, 400, /./);
  });
});

describe('a body that is too large (OP-82, OP-91)', () => {
  it('20 MiB announced: 413 before it is sent', async () => {
    const raw = await RawClient.open(runtime.ports.http ?? 0);
    raw.send(
      `POST /services/Looks HTTP/1.1\r\nHost: h\r\nContent-Type: application/xml\r\nContent-Length: ${20 * MEBIBYTE}\r\n\r\n`,
    );
    expect(await raw.until(/^HTTP\/1\.1 413 /)).toMatch(/Connection: close/i);
    raw.destroy();
  });

  it('20 MiB sent: 413, and the client sees it', async () => {
    expectClear(
      await call(runtime.service('Looks'), { body: Buffer.alloc(20 * MEBIBYTE, 0x20), headers: XML }),
      413,
      /larger than 16777216 bytes/,
    );
  });

  it('20 MiB in chunks: 413', async () => {
    const raw = await RawClient.open(runtime.ports.http ?? 0);
    raw.send(
      'POST /services/Looks HTTP/1.1\r\nHost: h\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 0x20), Buffer.from('\r\n')]);
    await raw.sendAll(chunk, 320);
    expect(await raw.until(/^HTTP\/1\.1 413 /)).toContain('larger than 16777216 bytes');
    raw.destroy();
  });

  it('a small one that unpacks to more: 400, and no memory for it', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MEBIBYTE, 0x20));
    const before = residentBytes();
    const headers = { ...XML, 'Content-Encoding': 'gzip' };
    expectClear(await call(runtime.service('Looks'), { body: bomb, headers }), 400, /./);
    if (before !== undefined) expect((residentBytes() ?? 0) - before).toBeLessThan(150 * MEBIBYTE);
  });

  it('just below the limit is taken', async () => {
    const body = `<a>${' '.repeat(16 * MEBIBYTE - 10)}<`;
    expectClear(
      await call(runtime.service('Looks'), { body, headers: XML, deadlineMs: 30_000 }),
      400,
      /building message/,
    );
  });
});

/** Of the runtime's process, where /proc tells. */
function residentBytes(): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

describe('entities (OP-82)', () => {
  const declared = (declarations: string, body: string) =>
    `<?xml version="1.0"?><!DOCTYPE a [${declarations}]><a>${body}</a>`;
  const laughs = Array.from({ length: 12 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`).join(
    '',
  );
  const inSoap = (declarations: string, body: string) =>
    `<!DOCTYPE x [${declarations}]>${envelope(`<a>${body}</a>`).replace(/^<\?xml.*\n/, '')}`;

  it.each([
    ['billion laughs', declared(`<!ENTITY l0 "ha">${laughs}`, '&l12;')],
    ['quadratic blow-up', declared(`<!ENTITY x "${'x'.repeat(50_000)}">`, '&x;'.repeat(50_000))],
    ['an entity of itself', declared('<!ENTITY x "&x;">', '&x;')],
    ['an external DTD', '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>'],
  ])('%s: refused at once, and nothing is expanded', async (_, body) => {
    const reply = await call(runtime.service('Looks'), { body, headers: XML });
    expectClear(reply, 400, /./);
    expect(reply.body.byteLength).toBeLessThan(10_000);
  });

  it('an external entity brings nothing to light', async () => {
    const declarations = `<!ENTITY x SYSTEM "file://${folder}/secret.txt"><!ENTITY % p SYSTEM "file://${folder}/secret.txt"> %p;`;
    const plain = await call(runtime.service('Looks'), { body: declared(declarations, '&x;'), headers: XML });
    expectClear(plain, 400, /./);
    const headers = { 'Content-Type': 'text/xml', SOAPAction: '""' };
    const soap = await call(runtime.service('Shows'), { body: inSoap(declarations, '&x;'), headers });
    expectClear(soap, 400, /:Fault>/);
    expect(plain.text + soap.text + runtime.lines().join('\n')).not.toContain(SECRET);
  });

  it('depth: 100,000 nested elements are refused or read, not crashed on', async () => {
    const body = `${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}`;
    expectClear(await call(runtime.service('Looks'), { body, headers: XML }), 400, /./);
    const json = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expectClear(await call(runtime.service('Looks'), { body: json, headers: JSON_TYPE }), 400, /./);
  });
});

describe('requests that lead nowhere', () => {
  it('an unknown service: 404', async () => {
    expect(await soap11(runtime.service('Nope'))).toMatchObject({ status: 404, text: '' });
    expect(await soap11(runtime.service('../management'))).toMatchObject({ status: 404 });
    expect(await soap11(runtime.service('%00%ff'))).toMatchObject({ status: 404 });
    expect(await soap11(runtime.service('a/'.repeat(3000)))).toMatchObject({ status: 404 });
  });

  it('a header line of 9 KiB: 431, a target of 9 KiB: 414', async () => {
    const headers = { ...XML, 'X-Long': 'x'.repeat(9 * 1024) };
    expectClear(await call(runtime.service('Looks'), { body: '<a/>', headers }), 431, /X-Long/);
    expectClear(await call(`${runtime.service('Looks')}?${'x'.repeat(9 * 1024)}`), 414, /too long/);
  });

  it('headers of 100 KiB in all: 431', async () => {
    const raw = await RawClient.open(runtime.ports.http ?? 0);
    const line = `X-Many: ${'x'.repeat(1000)}\r\n`;
    raw.send(`POST /services/Looks HTTP/1.1\r\nHost: h\r\n${line.repeat(100)}\r\n`);
    expect(await raw.until(/^HTTP\/1\.1 431 /)).toBeTruthy();
    raw.destroy();
  });
});

describe('half a request, then silence', () => {
  it('headers that never end: the client is told at the deadline of 30 s, others are served meanwhile', async () => {
    const raw = await RawClient.open(runtime.ports.http ?? 0);
    raw.send('POST /services/Looks HTTP/1.1\r\nHost: h\r\nContent-Ty');
    const half = await RawClient.open(runtime.ports.http ?? 0);
    half.send(
      'POST /services/Looks HTTP/1.1\r\nHost: h\r\nContent-Type: application/xml\r\nContent-Length: 100\r\n\r\n<a>',
    );
    expect((await call(runtime.service('Looks'), { body: '<a', headers: XML })).status).toBe(400);
    expect(await raw.until(/^HTTP\/1\.1 408 /, 45_000)).toContain('not complete in time');
    expect(await half.until(/^HTTP\/1\.1 408 /, 45_000)).toContain('not complete in time');
    await Promise.all([raw.untilClosed(), half.untilClosed()]);
  });

  it('a client that goes away in the middle is forgotten', async () => {
    for (const start of [
      'POST /serv',
      'POST /services/Looks HTTP/1.1\r\nHost: h\r\nContent-Type: application/xml\r\nContent-Length: 9\r\n\r\n<a/>',
    ]) {
      const raw = await RawClient.open(runtime.ports.http ?? 0);
      raw.send(start);
      raw.destroy();
    }
    const agent = new Agent({ keepAlive: true });
    expect((await call(runtime.service('Looks'), { body: '<a', headers: XML, agent })).status).toBe(400);
    agent.destroy();
  });
});

describe('garbage', () => {
  it('on 100 connections at once, http and https: 400 or the end of the connection, and others are served', async () => {
    const ports = [runtime.ports.http ?? 0, runtime.ports.https ?? 0];
    const garbage = (seed: number) =>
      Buffer.from(Array.from({ length: 400 }, (_, index) => (index * 131 + seed * 89 + (seed % 7) * index) % 256));
    const attacks = Array.from({ length: 100 }, async (_, index) => {
      const socket = connect(ports[index % 2] as number, '127.0.0.1');
      let received = '';
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1');
      });
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(garbage(index));
      // A server that waits for the rest of what could be a handshake is told that there is none.
      socket.end();
      await once(socket, 'close', { signal: AbortSignal.timeout(40_000) });
      return received;
    });
    const served = soap11(runtime.service('Nope'));
    for (const received of await Promise.all(attacks)) expect(received).not.toMatch(/^HTTP\/1\.1 (2|5)/);
    expect((await served).status).toBe(404);
  });

  it.each([
    ['plain text', 'hello there\r\n\r\n', 400],
    ['a request without version', 'GET /services/Looks\r\n\r\n', 400],
    ['a header that is none', 'GET /services/Looks HTTP/1.1\r\nHost: h\r\nno header\r\n\r\n', 400],
    [
      'two lengths',
      'POST /services/Looks HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
    ],
    [
      'a length and chunks',
      'POST /services/Looks HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'a chunk that is none',
      'POST /services/Looks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
    ['CONNECT', 'CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n', 501],
  ])('%s: told so', async (_, text, status) => {
    const raw = await RawClient.open(runtime.ports.http ?? 0);
    raw.send(text);
    expect(await raw.until(/^HTTP\/1\.1 \d{3} /)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await raw.untilClosed();
  });
});
