import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromium } from '../console/chromium.ts';
import {
  AWAY,
  type Database,
  endpointOf,
  FAILED,
  forwarderOf,
  KINDS,
  type Kind,
  numbersArtifacts,
  proxyOf,
  SUSPENDED_FOR_MS,
  storeOf,
} from '../console/numbers-artifacts.ts';
import { Comparison, FRESH_MS, type Graph, type Listed, type Overview } from '../console/numbers-compared.ts';
import { type Range, REFUSED, Truth } from '../console/numbers-truth.ts';
import { column, numbersOf, spanOf } from '../console/shown-numbers.ts';
import { WatchedPage } from '../console/watched-page.ts';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { FlowFolder } from '../support/flow-artifacts.ts';
import { freePort } from '../support/free-ports.ts';
import { readManagement } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { activemq, findOrInstall, mariadb, postgresql, rabbitmq } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';

const brokers = await findOrInstall(activemq);
const rabbits = await findOrInstall(rabbitmq);
const databases = await findOrInstall(postgresql);
const mariadbs = await findOrInstall(mariadb);
const browsers = await findOrInstall(chromium);
const missing = [brokers, rabbits, databases, mariadbs, browsers].find((server) => server.missing !== undefined);

/** One request of each kind in so many ms. */
const EVERY_MS = 100;
const STORED_FOR_MS = 3_000;
const DELIVERED_FOR_MS = 4_000;
/** Rates can be compared only when there are samples of long enough. */
const COMPARED_FOR_MS = 20_000;
/** Of comparing in each of the two times, however slow the machine is. */
const LEAST_ROUNDS = 3;
/** What has to be compared under load. */
const SORTS = [
  ...[
    'depth',
    'puts',
    'deliveries',
    'failures',
    'requests',
    'sends',
    'refused',
    'median latency',
    'Waiting',
    'Delivered',
  ],
  ...['puts per second', 'deliveries per second', 'requests per second', 'oldest', 'oldest on the page'],
  ...['edge', 'edge into the end point'],
];
const LEFT: Readonly<Record<Kind, number>> = {
  memory: 3,
  activemq: 4,
  rabbitmq: 5,
  postgresql: 6,
  mariadb: 7,
  sqlite: 8,
};

(missing ?? browsers).describe('every number on the console, under load and at rest', () => {
  const folder = new FlowFolder();
  /** When the first message of each kind was sent, and was stored, on the monotonic clock. */
  const firstStored = new Map<Kind, Range>();
  let backEnd: EchoBackEnd;
  let truth: Truth;
  let runtime: MiniSynapse;
  let browser: Browser;
  let page: WatchedPage;
  let comparison: Comparison;

  beforeAll(async () => {
    const sqliteFile = join(folder.path, 'numbers.db');
    const [broker, rabbit, database, maria, found, echo] = await Promise.all([
      brokers.start(),
      rabbits.start(),
      databases.start(),
      mariadbs.start(),
      browsers.start(),
      echoBackEnd(),
    ]);
    [browser, backEnd] = [found, echo];
    const artifacts = numbersArtifacts({
      backEnd: backEnd.url,
      nobody: `http://127.0.0.1:${await freePort()}/away`,
      provider: broker.openwireUrl,
      rabbitPort: rabbit.port,
      postgresql: databaseOf(database),
      mariadb: databaseOf(maria),
      sqliteFile,
    });
    for (const [name, xml] of Object.entries(artifacts)) folder.write(name, xml);
    runtime = await runMiniSynapse({
      artifacts: folder.artifacts,
      dataDirectory: folder.data,
      config: folder.configureJms(broker.openwireUrl, broker.stompPort),
    });
    const ports = { stompPort: broker.stompPort, rabbitPort: rabbit.port };
    truth = await Truth.open({ backEnd, ...ports, postgresql: database, mariadb: maria, sqliteFile });
    page = await WatchedPage.open(browser, runtime.management('/console/'));
    // Queues and tables are made with the first message at the latest.
    await Promise.all(
      KINDS.map(async (kind) => {
        const least = performance.now();
        await send(kind);
        firstStored.set(kind, { least, most: performance.now() });
      }),
    );
    truth.start();
    await truth.askedAgain();
    comparison = new Comparison({ truth, page: page.page, read, firstStored });
  });

  afterAll(async () => {
    await truth?.close();
    await browser?.close();
    await runtime?.stop();
    await backEnd?.close();
    folder.remove();
  });

  const read = <T>(path: string) => readManagement(runtime, path) as Promise<T>;

  async function send(kind: Kind, body = 'order'): Promise<void> {
    const counts = truth.counts[kind];
    counts.sent += 1;
    const response = await fetch(runtime.service(proxyOf(kind)), {
      method: 'POST',
      headers: { 'Content-Type': 'text/xml' },
      body: `<order>${body}</order>`,
      signal: AbortSignal.timeout(30_000),
    });
    await response.arrayBuffer();
    expect(response.status, kind).toBe(202);
    counts.accepted += 1;
  }

  /** Sends steadily until it is stopped, one in ten what is refused. @returns how to stop */
  function load(): () => Promise<unknown> {
    const pending: Promise<void>[] = [];
    let number = 0;
    const timer = setInterval(() => {
      number += 1;
      for (const kind of KINDS) pending.push(send(kind, number % 10 === 0 ? REFUSED : 'order'));
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
      return Promise.all(pending);
    };
  }

  async function steer(action: 'activate' | 'deactivate'): Promise<void> {
    for (const kind of KINDS) {
      const path = `/management/message-processors/${forwarderOf(kind)}/${action}`;
      const { status } = await fetch(runtime.management(path), {
        method: 'POST',
        headers: { 'X-Requested-By': 'test' },
      });
      expect(status).toBe(200);
    }
  }

  const STORES = ['Message stores', 'Waiting'] as const;
  const waiting = (kind: Kind, from: number, to: number) => truth.depth(kind, from, to);

  it('is one that brokers, databases, back ends and clients had within the last two seconds, while messages are stored and delivered (OP-43)', async () => {
    await page.visit('#/stores');
    await page.page.getByRole('table', { name: 'Message stores' }).waitFor();
    const stop = load();
    const stored = performance.now() + STORED_FOR_MS;
    for (let round = 0; round < LEAST_ROUNDS || performance.now() < stored; round += 1) {
      await comparison.overview();
      await comparison.column(STORES, storeOf, waiting);
      await comparison.oldest();
      await delay(100);
    }
    await steer('activate');
    await page.visit('#/processors');
    await page.page.getByRole('table', { name: 'Message processors' }).waitFor();
    const delivered = performance.now() + DELIVERED_FOR_MS;
    for (let round = 0; round < LEAST_ROUNDS || performance.now() < delivered; round += 1) {
      await comparison.overview();
      await comparison.column(['Message processors', 'Delivered'], forwarderOf, (kind, from, to) =>
        truth.count(kind, { least: 'delivered' }, from, to),
      );
      await delay(100);
    }
    await page.visit('#/graph?detail=artifacts');
    const { compared } = comparison;
    const lacks = () => SORTS.some((sort) => (compared.get(sort) ?? 0) < LEAST_ROUNDS);
    const latest = performance.now() + COMPARED_FOR_MS;
    for (let round = 0; round < LEAST_ROUNDS || (lacks() && performance.now() < latest); round += 1) {
      await comparison.overview();
      await comparison.edges();
      await delay(100);
    }
    await stop();
    expect(comparison.problems).toEqual([]);
    for (const sort of SORTS) expect(compared.get(sort) ?? 0, sort).toBeGreaterThanOrEqual(LEAST_ROUNDS);
    const total = [...compared.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(`${total} numbers of ${compared.size} sorts compared under load\n`);
  });

  it('is exactly what they say at rest', async () => {
    const settled = () => KINDS.every((kind) => inFlight(kind) === 0);
    await waitFor(settled, { what: 'everything to be delivered or refused', deadlineMs: 60_000 });
    // What was refused last is on its way to the fail store: a processor that is deactivated then keeps it.
    const empty = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
    await expect.poll(() => truth.depths(), { timeout: 20_000 }).toEqual(empty);
    await steer('deactivate');
    const firstLeftAt: Partial<Record<Kind, number>> = {};
    for (const kind of KINDS) {
      firstLeftAt[kind] = Date.now();
      for (let left = 0; left < LEFT[kind]; left += 1) await send(kind);
    }
    await expect.poll(() => truth.depths(), { timeout: 20_000 }).toEqual(LEFT);
    const depths = async () => {
      const { stores } = await read<Overview>('/management/overview');
      return Object.fromEntries(KINDS.map((kind) => [kind, stores.find(({ name }) => name === storeOf(kind))?.depth]));
    };
    await expect.poll(depths, { timeout: 10_000 }).toEqual(LEFT);
    const [{ stores, processors }, proxies, endpoints, graph, metrics] = await Promise.all([
      read<Overview>('/management/overview'),
      read<Listed>('/management/proxy-services'),
      read<Listed>('/management/endpoints'),
      read<Graph>('/management/graph'),
      fetch(runtime.management('/metrics')).then((response) => response.text()),
    ]);
    const metric = (series: string) => Number(metrics.split(`\n${series} `)[1]?.split('\n')[0]);
    const into = (node: string) =>
      graph.edges.filter(({ to }) => to === node).reduce((sum, { count }) => sum + count, 0);
    let moved = 0;
    for (const kind of KINDS) {
      const { sent, attempts, delivered, refused } = truth.counts[kind];
      const [store, forwarder, proxy, endpoint] = [storeOf, forwarderOf, proxyOf, endpointOf].map((name) => name(kind));
      moved += refused / 2;
      expect(stores.find(({ name }) => name === store)).toMatchObject({
        depth: LEFT[kind],
        enqueued: sent,
        dequeued: sent - LEFT[kind],
      });
      expect(processors.find(({ name }) => name === forwarder)?.counters, kind).toMatchObject({
        delivered,
        failed: refused,
        retried: refused / 2,
        moved: refused / 2,
      });
      expect(proxies.list.find(({ name }) => name === proxy)).toMatchObject({ requests: sent, errors: 0 });
      expect(endpoints.list.find(({ name }) => name === endpoint)).toMatchObject({
        requests: attempts,
        errors: refused,
      });
      expect({ proxy: into(`proxy:${proxy}`), endpoint: into(`endpoint:${endpoint}`) }).toEqual({
        proxy: sent,
        endpoint: attempts,
      });
      expect({
        depth: metric(`store_depth{store="${store}"}`),
        puts: metric(`store_puts_total{store="${store}",result="stored"}`),
        delivered: metric(`processor_deliveries_total{processor="${forwarder}",outcome="delivered"}`),
        good: metric(`processor_attempts_total{processor="${forwarder}",status="2xx"}`),
        bad: metric(`processor_attempts_total{processor="${forwarder}",status="5xx"}`),
        requests: metric(
          `wso2_integration_proxy_request_count_total{service_name="${proxy}",service_type="proxy",invocation_url="/services/${proxy}"}`,
        ),
        sends: metric(`endpoint_requests_total{endpoint="${endpoint}"}`),
      }).toEqual({
        depth: LEFT[kind],
        puts: sent,
        delivered,
        good: delivered,
        bad: refused,
        requests: sent,
        sends: attempts,
      });
      const wrongBy = async () => {
        const now = (await read<Overview>('/management/overview')).stores.find(({ name }) => name === store);
        return Math.abs((now?.oldestAgeMs ?? Number.NaN) - (Date.now() - (firstLeftAt[kind] ?? 0)));
      };
      await expect.poll(wrongBy, { timeout: 10_000, message: `oldest of ${kind}` }).toBeLessThan(2_000);
    }
    expect(stores.find(({ name }) => name === FAILED)?.depth).toBe(moved);
    await page.visit('#/stores');
    const shown = async () => numbersOf(await column(page.page, ...STORES));
    const left = Object.fromEntries(KINDS.map((kind) => [storeOf(kind), LEFT[kind]]));
    await expect.poll(shown, { timeout: 10_000 }).toEqual({ ...left, [FAILED]: moved });
    await page.visit('#/endpoints');
    const sends = Object.fromEntries(KINDS.map((kind) => [endpointOf(kind), truth.counts[kind].attempts]));
    await expect
      .poll(async () => numbersOf(await column(page.page, 'Endpoints', 'Requests')))
      .toEqual({ ...sends, [AWAY]: 0 });
    await page.visit('#/');
    const total = Object.values(LEFT).reduce((sum, count) => sum + count, moved);
    await page.page
      .getByRole('link', { name: /^Waiting in stores/ })
      .getByText(String(total))
      .waitFor();
    await rateOf(page.page, 0);
  });

  function inFlight(kind: Kind): number {
    const { accepted, delivered, refused } = truth.counts[kind];
    return accepted - delivered - refused / 2;
  }

  it('counts down to when a suspended endpoint is tried again', async () => {
    const least = performance.now();
    const asked = { method: 'POST', headers: { 'Content-Type': 'text/xml' }, body: '<a/>' };
    await (await fetch(runtime.service(AWAY), { ...asked, signal: AbortSignal.timeout(30_000) })).arrayBuffer();
    const most = performance.now();
    await page.visit('#/endpoints');
    const row = page.page.getByRole('table', { name: 'Endpoints' }).getByRole('row', { name: new RegExp(`^${AWAY} `) });
    await row.getByText('Suspended').waitFor();
    for (let round = 0; round < LEAST_ROUNDS; round += 1) {
      const from = performance.now();
      const shown = spanOf((await column(page.page, 'Endpoints', 'Tried again')).get(AWAY));
      const range = {
        least: least + SUSPENDED_FOR_MS - performance.now() - FRESH_MS,
        most: most + SUSPENDED_FOR_MS - from + FRESH_MS,
      };
      comparison.compare('time of suspension', shown, range);
      await delay(700);
    }
    expect(comparison.problems).toEqual([]);
  });

  it('of RabbitMQ costs no look into the queue before somebody asks for one', async () => {
    const asked = () => page.requests.filter((url) => url.includes(`${storeOf('rabbitmq')}/messages`));
    await page.visit(`#/stores/${storeOf('rabbitmq')}/messages`);
    const look = page.page.getByRole('button', { name: 'Look into the queue' });
    await look.waitFor();
    expect(asked()).toEqual([]);
    await look.click();
    const rows = page.page.getByRole('table', { name: 'Messages, oldest first' }).locator('tbody tr');
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(LEFT.rabbitmq);
    await page.page.getByText('redelivered').waitFor();
    await delay(4_000);
    expect(asked()).toHaveLength(1);
    await page.page.getByRole('button', { name: 'Look again' }).click();
    await expect.poll(asked).toHaveLength(2);
    expect(page.errors).toEqual([]);
  });
});

function databaseOf({ driverClass, jdbcUrl, user, password }: DatabaseServer): Database {
  return { driver: driverClass, 'connection.url': jdbcUrl, username: user, password };
}

/** Requests per second fall to what they are. */
async function rateOf(page: Page, rate: number): Promise<void> {
  await page
    .locator('.figure', { hasText: 'Requests' })
    .first()
    .locator('.figure-value', { hasText: new RegExp(`^${rate}\\b`) })
    .waitFor({ timeout: 15_000 });
}
