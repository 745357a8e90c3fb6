import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { post } from '../../samples/stockquote/client/http.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { FlowFolder, PROXY, STORE } from '../support/flow-artifacts.ts';
import { OrderHistory } from '../support/history.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { OrderClient, startBackEnds } from '../support/orders.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { ServerStartError } from '../support/servers/process.ts';
import { stompPeek } from '../support/stomp-peek.ts';
import { waitFor } from '../support/wait-for.ts';

/* The first seed's artifacts as they are, on a real ActiveMQ: samples/load-balancing/artifacts. */

/** The ports and the interval that the artifacts say. */
const BACK_END_PORTS = [9001, 9002, 9003];
const PROVIDER_URL = 'tcp://localhost:61616';
const OPENWIRE_PORT = 61_616;
const STOMP_PORT = 61_613;
const INTERVAL_MS = 1000;

const ORDERS = 300;
/** Between a start in the runtime and its acceptance at a back end other programs may get the processor for so long, ms. */
const NOISE_MS = 250;

const loadBalancing = fileURLToPath(new URL('../../samples/load-balancing/artifacts', import.meta.url));
const quickstart = fileURLToPath(new URL('../../artifacts', import.meta.url));
const server = await findOrInstall(activemq);
const afterwards = afterTheTest();

server.describe('the published load-balancing artifacts, unmodified, on ActiveMQ', () => {
  it(`bring ${ORDERS} orders to three back ends, each exactly once`, { timeout: 240_000 }, async () => {
    const { runtime, stompPort } = await runOnConfiguredPort();
    await runtime.waitForLine(new RegExp(`stomp://127\\.0\\.0\\.1:${stompPort}`));
    const history = new OrderHistory();
    const backEnds = await startBackEnds(history, 3, BACK_END_PORTS);
    afterwards('back ends', () => Promise.all(backEnds.map((backEnd) => backEnd.stop())));
    const client = new OrderClient({ url: () => runtime.service(PROXY), history });
    afterwards('client', () => client.close());

    const began = performance.now();
    const placed = await client.placeMany(ORDERS);
    const storedMs = performance.now() - began;
    expect(placed.filter(({ status }) => status !== 202)).toEqual([]);
    await waitFor(() => history.undelivered === 0, {
      what: () => `${history.undelivered} orders to be delivered`,
      deadlineMs: ORDERS * INTERVAL_MS * 0.6,
      everyMs: 200,
    });
    const deliveredMs = performance.now() - began;
    await expectEmptyQueue(stompPort);

    const verdict = history.verdict();
    expect(verdict).toMatchObject({ confirmed: ORDERS, delivered: ORDERS, lost: [], invented: [], duplicates: 0 });
    for (const { name } of backEnds) {
      expect(verdict.acceptedBy[name], `orders of back end ${name}`).toBeGreaterThan(ORDERS / 6);
      expectSpacing(history, name);
    }
    sayFigures(`${ORDERS} orders`, { ...verdict.acceptedBy, 'stored in ms': storedMs, 'delivered in ms': deliveredMs });
  });

  it('bring every body as it was sent', { timeout: 60_000 }, async () => {
    const { runtime } = await runOnConfiguredPort();
    await expectBodiesUnchanged(runtime);
  });

  it('find the STOMP port by themselves', { timeout: 90_000 }, async ({ skip }) => {
    const broker = await server.start({ openwirePort: OPENWIRE_PORT, stompPort: STOMP_PORT }).catch((error) => {
      if (error instanceof ServerStartError && /Address already in use|BindException/.test(error.message)) return;
      throw error;
    });
    if (broker === undefined) {
      skip(`another program has port ${OPENWIRE_PORT} or ${STOMP_PORT}`);
      return;
    }
    afterwards('broker', () => broker.close());
    const runtime = await run({ artifacts: loadBalancing });
    expect(await runtime.waitForLine(new RegExp(`\\[${STORE}\\].*stomp://localhost:${STOMP_PORT}`))).toContain(
      PROVIDER_URL,
    );
    const history = new OrderHistory();
    const backEnds = await startBackEnds(history, 3, BACK_END_PORTS);
    afterwards('back ends', () => Promise.all(backEnds.map((backEnd) => backEnd.stop())));
    const client = new OrderClient({ url: () => runtime.service(PROXY), history });
    afterwards('client', () => client.close());
    await client.placeMany(6);
    await waitFor(() => history.undelivered === 0, { what: () => `${history.undelivered} orders` });
    expect(history.verdict()).toMatchObject({ confirmed: 6, delivered: 6, lost: [], invented: [], duplicates: 0 });
  });
});

describe('the quickstart artifacts, in memory', () => {
  it('bring every body as it was sent', { timeout: 60_000 }, async () => {
    await expectBodiesUnchanged(await run({ artifacts: quickstart }));
  });
});

/** With a broker on free ports, told by the configuration. */
async function runOnConfiguredPort(): Promise<{ runtime: MiniSynapse; stompPort: number }> {
  const broker = await server.start();
  afterwards('broker', () => broker.close());
  const runtime = await run({ artifacts: loadBalancing, stompPort: broker.stompPort });
  return { runtime, stompPort: broker.stompPort };
}

async function run({ artifacts, stompPort }: { artifacts: string; stompPort?: number }): Promise<MiniSynapse> {
  const folder = new FlowFolder();
  afterwards('folder', () => folder.remove());
  const config = stompPort === undefined ? {} : { config: folder.configureJms(PROVIDER_URL, stompPort) };
  const runtime = await runMiniSynapse({ artifacts, dataDirectory: folder.data, ...config });
  afterwards('runtime', () => runtime.kill());
  return runtime;
}

async function expectEmptyQueue(stompPort: number): Promise<void> {
  const peek = await stompPeek({ port: stompPort });
  try {
    await waitFor(async () => (await peek.count(STORE)) === 0, { what: 'the queue to be empty' });
  } finally {
    await peek.close();
  }
}

/** A delay on the way makes one gap shorter, but it does not add up. */
function expectSpacing(history: OrderHistory, backEnd: string): void {
  const times = history.events
    .filter((event) => event.kind === 'accepted' && event.backEnd === backEnd)
    .map(({ at }) => at);
  for (const [index, time] of times.entries()) {
    const before = times[index - 1];
    if (before !== undefined) expect(time - before, `gap at ${backEnd}`).toBeGreaterThan(INTERVAL_MS - NOISE_MS);
  }
  const whole = (times.at(-1) ?? 0) - (times[0] ?? 0);
  expect(whole, `${times.length} orders at ${backEnd}`).toBeGreaterThan((times.length - 1) * INTERVAL_MS - NOISE_MS);
}

async function expectBodiesUnchanged(runtime: MiniSynapse): Promise<void> {
  const received: Received[] = [];
  await Promise.all(BACK_END_PORTS.map((port) => record(port, received)));
  for (const { contentType, body } of BODIES) {
    const headers = { 'Content-Type': contentType, SOAPAction: '"urn:placeOrder"' };
    const reply = await post(new URL(runtime.service(PROXY)), headers, body, { timeoutMs: 15_000 });
    expect(reply.status, contentType).toBe(202);
    expect(reply.body, contentType).toHaveLength(0);
  }
  await waitFor(() => received.length === BODIES.length, { what: 'all bodies', deadlineMs: 20_000 });
  const byBody = (left: Received, right: Received) => (left.body < right.body ? -1 : 1);
  expect(received.toSorted(byBody)).toEqual(BODIES.toSorted(byBody));
}

/** What arrived at a back end. */
interface Received {
  readonly contentType: string;
  readonly body: string;
}

const BODIES: readonly Received[] = [
  {
    contentType: 'text/xml; charset=UTF-8',
    body: `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"   xmlns:unused='urn:unused'>
  <soapenv:Header><!-- nothing --></soapenv:Header><soapenv:Body
  ><m:placeOrder xmlns:m='http://services.samples'><m:order>\t<m:symbol><![CDATA[Grüße & <Küsse>]]></m:symbol></m:order>
  </m:placeOrder></soapenv:Body></soapenv:Envelope>
`,
  },
  {
    contentType: 'application/soap+xml; charset=UTF-8; action="urn:placeOrder"',
    body: `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><a b = "1"  c='2'/>&#x41;</e:Body></e:Envelope>`,
  },
  {
    contentType: 'application/xml; charset=UTF-8',
    body: `<order  n='1'>\r\n  <symbol>日本</symbol><empty></empty></order>`,
  },
  { contentType: 'application/json', body: '{"order": {"symbol":"IBM",  "price": 1.50, "big": 12345678901234567890}}' },
  { contentType: 'text/plain; charset=UTF-8', body: 'just  text\n' },
];

/** A back end that takes everything and answers 202; ends with the test. */
async function record(port: number, received: Received[]): Promise<Server> {
  const recorder = createServer((request, response) => {
    buffer(request).then(
      (body) => {
        received.push({ contentType: request.headers['content-type'] ?? '', body: body.toString('utf8') });
        response.writeHead(202).end();
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    recorder.once('error', reject);
    recorder.listen(port, '127.0.0.1', resolve);
  });
  afterwards('recorder', () => {
    recorder.close();
    recorder.closeAllConnections();
  });
  return recorder;
}
