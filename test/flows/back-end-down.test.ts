import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { type FlowOptions, type RunningFlow, startFlow } from '../support/flow.ts';
import { type FlowStore, STORE } from '../support/flow-artifacts.ts';
import { freePort, freePorts } from '../support/free-ports.ts';
import { OrderHistory } from '../support/history.ts';
import { seeProcessor, switchProcessor } from '../support/management.ts';
import { type MisbehavingServer, misbehavingServer } from '../support/misbehaving-server.ts';
import { BackEnd } from '../support/orders.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { stompPeek } from '../support/stomp-peek.ts';
import { waitFor } from '../support/wait-for.ts';

/** Attempts of a forwarder on one message, by default. */
const ATTEMPTS = 4;
const RETRY_MS = 200;

const server = await findOrInstall(activemq);
const afterwards = afterTheTest();

describe('one of three back ends down', () => {
  it('stops only its forwarder after four attempts; activated again, it delivers', () => stopAndActivate('in-memory'));

  it('is contacted once and then left alone for 30 s by default, without using up attempts', async () => {
    const { history, runtime, client, dead } = await flowWithDeadBackEnd({ address: '' });
    await client.placeMany(40);
    const suspended = await runtime.waitForLine(/Suspending endpoint : SimpleStockQuoteService1/);
    expect(suspended).toContain('current suspend duration is : 30000ms');
    await waitFor(() => history.undelivered === 1, { what: () => `${history.undelivered} orders` });

    // Far longer than four attempts would have taken.
    await delay(2 * ATTEMPTS * RETRY_MS);
    expect(await seeProcessor(runtime, 'Forwarder1')).toMatchObject({
      status: 'active',
      counters: { failed: 1 },
      current: { attempt: 2 },
    });
    expect(dead.connections).toHaveLength(1);
    expect(history.undelivered).toBe(1);

    // What it holds goes to the others when an operator stops it.
    expect(await switchProcessor(runtime, 'Forwarder1', 'inactive')).toMatchObject({ state: 'PAUSED' });
    await waitFor(() => history.undelivered === 0, { what: 'the held order' });
    expectExactlyOnce(history, 40);
  });

  it('is delivered to by itself when it is back before the attempts are used up', async () => {
    const address = '<suspendOnFailure><initialDuration>1000</initialDuration></suspendOnFailure>';
    const { history, runtime, client, dead, backEnd1 } = await flowWithDeadBackEnd({ address });
    await client.placeMany(20);
    await waitFor(() => dead.connections.length === 2, { what: 'the second attempt' });
    await dead.close();
    await backEnd1.start();
    await waitFor(() => history.undelivered === 0, { what: 'the held order' });
    expectExactlyOnce(history, 20);
    expect(history.verdict().acceptedBy['1']).toBe(1);
    expect(await seeProcessor(runtime, 'Forwarder1')).toMatchObject({ status: 'active', state: 'ACTIVE' });
  });
});

server.describe('back ends down, on ActiveMQ', () => {
  it('one of three stops only its forwarder after four attempts; activated again, it delivers', async () => {
    const broker = await server.start();
    afterwards('broker', () => broker.close());
    await stopAndActivate({ providerUrl: broker.openwireUrl }, broker.stompPort);
  });

  it('the only one leaves the messages in the queue and its forwarder inactive, also over restarts, until it is activated', async () => {
    const broker = await server.start();
    afterwards('broker', () => broker.close());
    const history = new OrderHistory();
    const backEnd = new BackEnd('1', await freePort(), history);
    afterwards('back ends', () => backEnd.stop());
    const store = { providerUrl: broker.openwireUrl };
    const { stompPort } = broker;
    const { runtime, client } = await runFlow({ store, stompPort, backEnds: [backEnd.port], history });
    const peek = await stompPeek({ port: broker.stompPort });
    afterwards('peek', () => peek.close());

    await client.placeMany(3, 1);
    await runtime.waitForLine(/Successfully deactivated the message processor \[Forwarder1\]/);
    await waitFor(async () => (await peek.count(STORE)) === 3, { what: 'all three orders in the queue' });

    const before = runtime.lines().length;
    await runtime.restart();
    await runtime.waitForLine(/Task scheduled: \[ESB_TASK\]\[MSMP_Forwarder1_0\]\. \[Paused\]\./, { after: before });
    const stopped = await seeProcessor(runtime, 'Forwarder1');
    expect(stopped).toMatchObject({ status: 'inactive', state: 'DEACTIVATED' });
    expect(stopped.reason).toContain(`${ATTEMPTS} failed attempts`);
    await runtime.kill();
    await runtime.restart();
    expect(await seeProcessor(runtime, 'Forwarder1')).toMatchObject({ status: 'inactive', state: 'DEACTIVATED' });
    expect(await peek.count(STORE)).toBe(3);

    await backEnd.start();
    expect(await switchProcessor(runtime, 'Forwarder1', 'active')).toMatchObject({
      Message: 'Forwarder1 : is activated',
    });
    await waitFor(() => history.undelivered === 0, { what: () => `${history.undelivered} orders` });
    const orders = history.events.filter(({ kind }) => kind === 'accepted').map(({ order }) => order);
    expect(orders).toEqual(['ORD1', 'ORD2', 'ORD3']);
    await waitFor(async () => (await peek.count(STORE)) === 0, { what: 'the queue to be empty' });
  });
});

/** The first back end is down until its forwarder has given up, and comes back then. */
async function stopAndActivate(store: FlowStore, stompPort?: number): Promise<void> {
  const { history, runtime, client, dead, backEnd1 } = await flowWithDeadBackEnd({ store, stompPort });
  const placed = await client.placeMany(40);
  expect(placed.map(({ status }) => status)).toEqual(placed.map(() => 202));

  await runtime.waitForLine(/Successfully deactivated the message processor \[Forwarder1\]/);
  expect(runtime.lines()).toContainEqual(
    expect.stringMatching(
      /ERROR \{ForwardingService\} - BlockingMessageSender of message processor \[Forwarder1\] failed to forward message to endpoint SimpleStockQuoteService1/,
    ),
  );
  const stopped = await seeProcessor(runtime, 'Forwarder1');
  expect(stopped).toMatchObject({ status: 'inactive', state: 'DEACTIVATED', counters: { failed: ATTEMPTS } });
  expect(stopped.reason).toContain(`${ATTEMPTS} failed attempts`);
  expect(dead.connections).toHaveLength(ATTEMPTS);
  for (const gap of gaps(dead.connections)) expect(gap).toBeGreaterThan(RETRY_MS - TIMER_TOLERANCE_MS);
  for (const name of ['Forwarder2', 'Forwarder3'])
    expect(await seeProcessor(runtime, name)).toMatchObject({ status: 'active', counters: { failed: 0 } });

  // Also the message that the first forwarder held: competing consumers get it.
  await waitFor(() => history.undelivered === 0, { what: () => `${history.undelivered} orders` });
  expectExactlyOnce(history, 40);
  expect(Object.keys(history.verdict().acceptedBy).sort()).toEqual(['2', '3']);
  expect(dead.connections).toHaveLength(ATTEMPTS);

  await dead.close();
  await backEnd1.start();
  expect(await switchProcessor(runtime, 'Forwarder1', 'active')).toMatchObject({ state: 'ACTIVE' });
  await client.placeMany(60);
  await waitFor(() => history.undelivered === 0, { what: () => `${history.undelivered} orders` });
  expectExactlyOnce(history, 100);
  expect(history.verdict().acceptedBy['1']).toBeGreaterThan(0);
  sayFigures('100 orders with one of three back ends down at first', history.verdict().acceptedBy);
}

/** Timers and clocks may be early by so much, ms. */
const TIMER_TOLERANCE_MS = 5;

/** Ends with the test. */
async function runFlow(options: FlowOptions): Promise<RunningFlow> {
  const flow = await startFlow({ forwarder: { 'client.retry.interval': `${RETRY_MS}` }, ...options });
  afterwards('flow', () => flow.close());
  return flow;
}

/** A flow, in memory by default, whose first back end accepts connections and drops them. */
async function flowWithDeadBackEnd(
  options: Partial<FlowOptions> = {},
): Promise<
  RunningFlow & { readonly history: OrderHistory; readonly dead: MisbehavingServer; readonly backEnd1: BackEnd }
> {
  const history = new OrderHistory();
  const [port1 = 0, ...others] = await freePorts(3);
  const dead = await misbehavingServer('accept-and-drop', port1);
  afterwards('dead back end', () => dead.close());
  const backEnd1 = new BackEnd('1', port1, history);
  const [backEnd2, backEnd3] = [new BackEnd('2', others[0] ?? 0, history), new BackEnd('3', others[1] ?? 0, history)];
  afterwards('back ends', () => Promise.all([backEnd1, backEnd2, backEnd3].map((backEnd) => backEnd.stop())));
  await Promise.all([backEnd2.start(), backEnd3.start()]);
  const flow = await runFlow({ store: 'in-memory', backEnds: [port1, ...others], history, ...options });
  return { ...flow, history, dead, backEnd1 };
}

function expectExactlyOnce(history: OrderHistory, orders: number): void {
  const { confirmed, delivered, lost, invented, duplicates } = history.verdict();
  const expected = { confirmed: orders, delivered: orders, lost: [], invented: [], duplicates: 0 };
  expect({ confirmed, delivered, lost, invented, duplicates }).toEqual(expected);
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? time));
}
