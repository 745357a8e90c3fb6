import { expect, it } from 'vitest';
import { post } from '../../samples/stockquote/client/http.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { startFlow } from '../support/flow.ts';
import { PROXY, STORE } from '../support/flow-artifacts.ts';
import { freePorts } from '../support/free-ports.ts';
import { OrderHistory } from '../support/history.ts';
import { readManagement, seeProcessor, seeStore } from '../support/management.ts';
import { startBackEnds } from '../support/orders.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';

/** `mini_synapse.store_deadline_ms` by default, and what an answer may take beside it. */
const STORE_DEADLINE_MS = 10_000;
const MARGIN_MS = 2_000;
/** From when the broker answers until the next order is confirmed and delivered. */
const RECOVERY_MS = 3_000;
/** So long the runtime has been without a broker when it comes: back-offs have grown by then. */
const DOWN_MS = 15_000;

const server = await findOrInstall(activemq);
const afterwards = afterTheTest();

server.describe('a broker that is down when the runtime starts', () => {
  it('is said, answered with a SOAP fault in time, and found by itself when it comes', {
    timeout: 120_000,
  }, async () => {
    const [openwirePort = 0, stompPort = 0] = await freePorts(2);
    const history = new OrderHistory();
    const backEnds = await startBackEnds(history, 3);
    afterwards('back ends', () => Promise.all(backEnds.map((backEnd) => backEnd.stop())));
    const store = { providerUrl: `tcp://127.0.0.1:${openwirePort}` };
    const ports = backEnds.map(({ port }) => port);
    const flow = await startFlow({ store, stompPort, backEnds: ports, history });
    afterwards('flow', () => flow.close());
    const { runtime, client } = flow;
    const started = performance.now();

    expect(runtime.lines()).toContainEqual(expect.stringMatching(/^mini-synapse ready .* 8 artifacts$/));
    const said = await runtime.waitForLine(new RegExp(`(WARN|ERROR) .*\\[${STORE}\\].*${stompPort}`));
    expect(said).toMatch(/refused|not reach|cannot|unavailable/i);
    expect(await readManagement(runtime, '/health/artifacts')).toMatchObject({ count: 0 });
    expect(await seeStore(runtime, STORE)).not.toMatchObject({ state: 'READY' });
    expect(await seeProcessor(runtime, 'Forwarder1')).toMatchObject({ status: 'active', state: 'WAITING_STORE' });

    const asked = performance.now();
    const headers = { 'Content-Type': 'text/xml; charset=UTF-8', SOAPAction: '"urn:placeOrder"' };
    const reply = await post(new URL(runtime.service(PROXY)), headers, ORDER, { timeoutMs: 30_000 });
    const answeredMs = performance.now() - asked;
    expect(answeredMs).toBeLessThan(STORE_DEADLINE_MS + MARGIN_MS);
    expect(reply.status).toBeGreaterThanOrEqual(500);
    expect(reply.headers['content-type']).toMatch(/^text\/xml/);
    const text = Buffer.from(reply.body).toString('utf8');
    expect(text).toMatch(/<(\w+):Envelope .*<\1:Body>\s*<\1:Fault.*<faultstring[^>]*>[^<]+</s);

    await waitFor(() => performance.now() - started > DOWN_MS, { what: 'back-offs to grow', deadlineMs: DOWN_MS });
    const broker = await server.start({ openwirePort, stompPort });
    afterwards('broker', () => broker.close());
    const up = performance.now();
    const placed = await client.place();
    expect(placed).toMatchObject({ status: 202 });
    await waitFor(() => history.hasAccepted(placed.order), { what: 'the order to be delivered', deadlineMs: 40_000 });
    const deliveredMs = performance.now() - up;
    sayFigures('no broker', {
      'fault after ms': answeredMs,
      'first 202 after ms': placed.ms,
      'delivered after ms': deliveredMs,
    });
    expect(deliveredMs).toBeLessThan(RECOVERY_MS);
    expect(await seeStore(runtime, STORE)).toMatchObject({ state: 'READY' });
    expect(await seeProcessor(runtime, 'Forwarder1')).toMatchObject({ status: 'active', state: 'ACTIVE' });

    expect((await client.placeMany(30)).filter(({ status }) => status !== 202)).toEqual([]);
    await waitFor(() => history.undelivered === 0, { what: () => `${history.undelivered} orders` });
    // Nothing of what was refused was delivered all the same.
    expect(history.verdict()).toMatchObject({ delivered: 31, lost: [], invented: [], duplicates: 0 });
  });
});

const ORDER = `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>
  <m:placeOrder xmlns:m="http://services.samples"><m:order><m:price>1.5</m:price><m:quantity>5</m:quantity><m:symbol>REFUSED</m:symbol></m:order></m:placeOrder>
</soapenv:Body></soapenv:Envelope>`;
