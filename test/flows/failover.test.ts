import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { FlowFolder } from '../support/flow-artifacts.ts';
import { OrderHistory } from '../support/history.ts';
import { seeProcessor, seeStore, switchProcessor } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { OrderClient, type PlacedOrder, startBackEnds } from '../support/orders.ts';
import { followReadme, requireFree } from '../support/readme.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { stompPeek } from '../support/stomp-peek.ts';
import { waitFor } from '../support/wait-for.ts';

/* The second seed's artifacts, samples/failover/artifacts, which keep their order, on a real ActiveMQ that stops and starts. */

const PROXY = 'Proxy1';
const QUEUE = 'Orginal_Queue';
const PROVIDER_URL = 'tcp://localhost:61616';
const BACK_END_PORT = 9000;
const STORE_DEADLINE_MS = 400;
/** From when the broker answers again until the failover store begins to empty (OP-15). */
const HEALED_MS = 10_000;

const artifacts = fileURLToPath(new URL('../../samples/failover/artifacts', import.meta.url));
const server = await findOrInstall(activemq);
const afterwards = afterTheTest();

server.describe('the published failover artifacts on ActiveMQ', () => {
  let broker: ActiveMqBroker;
  let runtime: MiniSynapse;
  let history: OrderHistory;

  /** With another pace than a message per second, where `interval` says so. */
  async function begin(interval?: number): Promise<void> {
    await requireFree([BACK_END_PORT]);
    history = new OrderHistory();
    broker = await server.start();
    afterwards('broker', () => broker.close());
    const folder = new FlowFolder();
    afterwards('folder', () => folder.remove());
    cpSync(artifacts, folder.artifacts, { recursive: true });
    if (interval !== undefined) setPace(folder.artifacts, interval);
    const config = folder.configureJms(PROVIDER_URL, broker.stompPort);
    writeFileSync(
      config,
      `[mini_synapse]\nstore_deadline_ms = ${STORE_DEADLINE_MS}\n\n${readFileSync(config, 'utf8')}`,
    );
    const backEnds = await startBackEnds(history, 1, [BACK_END_PORT]);
    afterwards('back end', () => Promise.all(backEnds.map((backEnd) => backEnd.stop())));
    runtime = await runMiniSynapse({ artifacts: folder.artifacts, dataDirectory: folder.data, config });
    afterwards('runtime', () => runtime.kill());
    await waitFor(async () => (await seeStore(runtime, 'Orginal')).state === 'READY', { what: 'the store' });
  }

  /** Lanes of clients, each of which places its orders one after the other: their order is known. */
  async function place(lanes: number, each: number, prefix: string): Promise<PlacedOrder[]> {
    const clients = Array.from(
      { length: lanes },
      (_, lane) => new OrderClient({ url: () => runtime.service(PROXY), history, prefix: `${prefix}${lane}-` }),
    );
    const placed = await Promise.all(clients.map((client) => client.placeMany(each, 1)));
    for (const client of clients) client.close();
    return placed.flat();
  }

  async function down(): Promise<void> {
    await broker.stop();
    await waitFor(async () => (await seeStore(runtime, 'Orginal')).state !== 'READY', { what: 'the store to notice' });
  }

  async function allDelivered(deadlineMs: number): Promise<void> {
    await waitFor(() => history.undelivered === 0, {
      what: () => `${history.undelivered} orders; the runtime says\n${runtime.lines().slice(-15).join('\n')}`,
      deadlineMs,
    });
    const peek = await stompPeek({ port: broker.stompPort });
    afterwards('peek', () => peek.close());
    await waitFor(async () => (await peek.count(QUEUE)) === 0, { what: 'the queue to be empty', deadlineMs: 30_000 });
    expect((await seeStore(runtime, 'failover')).size).toBe(0);
  }

  /** The acceptances of every lane, in the order in which they came. */
  function expectOrderKept(prefix: string): void {
    const lanes = new Map<string, number[]>();
    for (const event of history.events) {
      if (event.kind !== 'accepted' || !event.order.startsWith(prefix)) continue;
      const [lane = '', number = ''] = event.order.split('-');
      lanes.set(lane, [...(lanes.get(lane) ?? []), Number(number)]);
    }
    expect(lanes.size).toBeGreaterThan(0);
    for (const [lane, numbers] of lanes)
      expect(numbers, `orders of ${lane}`).toEqual([...numbers].sort((a, b) => a - b));
  }

  it('300 orders while the broker is down: all 202, all delivered in order, by itself', {
    timeout: 240_000,
  }, async () => {
    await begin(0);
    expect((await place(4, 5, 'UP')).filter(({ status }) => status !== 202)).toEqual([]);
    await allDelivered(30_000);
    await down();

    const placed = await place(15, 20, 'DOWN');
    expect(placed.filter(({ status }) => status !== 202)).toEqual([]);
    const slowest = Math.max(...placed.map(({ ms }) => ms));
    expect(slowest).toBeLessThan(STORE_DEADLINE_MS + 2_000);
    expect((await seeStore(runtime, 'failover')).size).toBe(300);
    expect(await seeProcessor(runtime, 'FailoverMessageProcessor')).toMatchObject({
      status: 'active',
      state: 'WAITING_STORE',
      reason: expect.stringMatching(/^the target store 'Orginal' is (DOWN|CONNECTING)$/),
      counters: { delivered: 0, failed: 0 },
    });

    await broker.restart();
    const up = performance.now();
    const first = await waitFor(() => history.firstSince('accepted', up), {
      what: () => `an order; the runtime says\n${runtime.lines().slice(-15).join('\n')}`,
      deadlineMs: HEALED_MS,
    });
    await allDelivered(60_000);
    const last = history.events.findLast(({ kind }) => kind === 'accepted');
    expectOrderKept('DOWN');
    const { lost, invented, duplicates, delivered } = history.verdict();
    sayFigures('300 orders over a broker that is down', {
      delivered,
      lost: lost.length,
      duplicates,
      'slowest 202 in ms': slowest,
      'first delivery after ms': first.at - up,
      'last delivery after ms': (last?.at ?? Number.NaN) - up,
    });
    expect({ lost, invented, duplicates, delivered }).toEqual({
      lost: [],
      invented: [],
      duplicates: 0,
      delivered: 320,
    });
    expect(await seeProcessor(runtime, 'FailoverMessageProcessor')).toMatchObject({
      state: 'ACTIVE',
      counters: { delivered: 300, failed: 0 },
    });
    expect(await seeProcessor(runtime, 'ForwardMessageProcessor')).toMatchObject({ status: 'active' });
  });

  it('unmodified, and killed instead of stopped: the same at their own pace', { timeout: 180_000 }, async () => {
    await begin();
    await broker.kill();
    const placed = await place(2, 4, 'DOWN');
    expect(placed.filter(({ status }) => status !== 202)).toEqual([]);
    await broker.restart();
    const up = performance.now();
    // A message per second goes through each of the two processors.
    await allDelivered(60_000);
    expectOrderKept('DOWN');
    sayFigures('8 orders, unmodified', { 'delivered after ms': performance.now() - up });
    expect(history.verdict()).toMatchObject({ confirmed: 8, delivered: 8, lost: [], invented: [] });
  });

  it('orders that keep coming stay in order, and go straight to the queue again', { timeout: 180_000 }, async () => {
    await begin(0);
    const clients = Array.from(
      { length: 4 },
      (_, lane) => new OrderClient({ url: () => runtime.service(PROXY), history, prefix: `LANE${lane}-` }),
    );
    afterwards('clients', () => {
      for (const client of clients) client.close();
    });
    const streams = clients.map((client) => client.stream({ atOnce: 1, pauseMs: 250 }));
    const confirmed = () => history.events.filter(({ kind }) => kind === 'confirmed').length;
    const confirmMore = async (more: number): Promise<void> => {
      const wanted = confirmed() + more;
      await waitFor(() => confirmed() >= wanted, { what: () => `${wanted - confirmed()} orders`, deadlineMs: 60_000 });
    };
    const switchedBack = () => runtime.lines().some((line) => line.includes('the failover store [failover] is empty'));
    await confirmMore(10);
    await down();
    await confirmMore(20);
    await broker.restart();
    await waitFor(switchedBack, {
      what: () => `the switch back; the runtime says\n${runtime.lines().slice(-15).join('\n')}`,
      deadlineMs: 90_000,
    });
    await confirmMore(20);
    expect((await seeStore(runtime, 'failover')).size).toBe(0);
    await Promise.all(streams.map((stream) => stream.stop()));
    await allDelivered(60_000);
    const verdict = history.verdict([], (order) => order.split('-')[0]);
    sayFigures('orders that keep coming', { confirmed: verdict.confirmed, 'out of order': verdict.outOfOrder.length });
    expect(verdict).toMatchObject({ lost: [], invented: [], outOfOrder: [] });
  });

  it('a failover processor that somebody deactivated stays so; the orders stay too', { timeout: 120_000 }, async () => {
    await begin(0);
    await down();
    await switchProcessor(runtime, 'FailoverMessageProcessor', 'inactive');
    await place(4, 2, 'DOWN');
    await broker.restart();
    await waitFor(async () => (await seeStore(runtime, 'Orginal')).state === 'READY', {
      what: 'the store',
      deadlineMs: 40_000,
    });
    // What comes now does not go past those that wait.
    await place(1, 1, 'UP');
    expect(await seeProcessor(runtime, 'FailoverMessageProcessor')).toMatchObject({ state: 'PAUSED' });
    expect((await seeStore(runtime, 'failover')).size).toBe(9);
    await switchProcessor(runtime, 'FailoverMessageProcessor', 'active');
    await allDelivered(30_000);
    expectOrderKept('DOWN');
    expect(history.verdict()).toMatchObject({ delivered: 9, lost: [], invented: [], duplicates: 0 });
  });

  it('the README (OP-126)', { timeout: 180_000 }, async () => {
    await followReadme('samples/failover/README.md', {
      ports: [8280, 8243, 9164, BACK_END_PORT, 61_616, 61_613],
      deadlineMs: 60_000,
    });
  });
});

function setPace(folder: string, interval: number): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text.replace(/(<parameter name="interval">)\d+(<)/, (_, before, after) => `${before}${interval}${after}`),
    );
  }
}
