import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromium } from '../console/chromium.ts';
import {
  endpointOf,
  FAILED,
  forwarderOf,
  KINDS,
  type Kind,
  numbersArtifacts,
  proxyOf,
  storeOf,
} from '../console/numbers-artifacts.ts';
import { type Range, REFUSED, Truth } from '../console/numbers-truth.ts';
import { WatchedPage } from '../console/watched-page.ts';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { FlowFolder } from '../support/flow-artifacts.ts';
import { readManagement } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { activemq, findOrInstall, postgresql, rabbitmq } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';

const brokers = await findOrInstall(activemq);
const rabbits = await findOrInstall(rabbitmq);
const databases = await findOrInstall(postgresql);
const browsers = await findOrInstall(chromium);
const missing = [brokers, rabbits, databases, browsers].find((server) => server.missing !== undefined);

/** One request of each kind in so many ms. */
const EVERY_MS = 100;
const STORED_FOR_MS = 3_000;
const DELIVERED_FOR_MS = 4_000;
/** Of comparing in each of the two times, however slow the machine is. */
const LEAST_ROUNDS = 3;
/** Seven of the API and one of a page, of each kind. */
const NUMBERS_A_ROUND = 8 * KINDS.length;
const LEFT: Readonly<Record<Kind, number>> = { memory: 3, activemq: 4, rabbitmq: 5, postgresql: 6, sqlite: 7 };

/* What the management API tells, as far as it is compared. */
interface Overview {
  readonly stores: ReadonlyArray<{
    readonly name: string;
    readonly depth: number | null;
    readonly enqueued: number;
    readonly dequeued: number;
    readonly oldestAgeMs: number | null;
    readonly inPerSecond: number;
  }>;
  readonly processors: ReadonlyArray<{ readonly name: string; readonly counters: Readonly<Record<string, number>> }>;
}
interface Listed {
  readonly list: ReadonlyArray<{ readonly name: string; readonly requests: number; readonly errors: number }>;
}
interface Graph {
  readonly edges: ReadonlyArray<{ readonly from: string; readonly to: string; readonly count: number }>;
}

(missing ?? browsers).describe('every number on the console, under load and at rest', () => {
  const folder = new FlowFolder();
  const problems: string[] = [];
  let compared = 0;
  let backEnd: EchoBackEnd;
  let truth: Truth;
  let runtime: MiniSynapse;
  let browser: Browser;
  let page: WatchedPage;

  beforeAll(async () => {
    const sqliteFile = join(folder.path, 'numbers.db');
    const [broker, rabbit, database, found, echo] = await Promise.all([
      brokers.start(),
      rabbits.start(),
      databases.start(),
      browsers.start(),
      echoBackEnd(),
    ]);
    [browser, backEnd] = [found, echo];
    const { driverClass, jdbcUrl, user, password } = database;
    const places = { driver: driverClass, 'connection.url': jdbcUrl, username: user, password };
    const media = { provider: broker.openwireUrl, rabbitPort: rabbit.port, postgresql: places, sqliteFile };
    const artifacts = numbersArtifacts({ backEnd: backEnd.url, ...media });
    for (const [name, xml] of Object.entries(artifacts)) folder.write(name, xml);
    runtime = await runMiniSynapse({
      artifacts: folder.artifacts,
      dataDirectory: folder.data,
      config: folder.configureJms(broker.openwireUrl, broker.stompPort),
    });
    const ports = { stompPort: broker.stompPort, rabbitPort: rabbit.port };
    truth = await Truth.open({ backEnd, ...ports, postgresql: database, sqliteFile });
    page = await WatchedPage.open(browser, runtime.management('/console/'));
    // Queues and tables are made with the first message at the latest.
    await Promise.all(KINDS.map((kind) => send(kind)));
    truth.start();
    await truth.askedAgain();
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

  function compare(what: string, shown: number | null | undefined, { least, most }: Range): void {
    compared += 1;
    if (typeof shown === 'number' && shown >= least && shown <= most) return;
    problems.push(`${what}: ${shown} is shown, and in the last two seconds it was ${least} to ${most}`);
  }

  /** What the API says now, against what it may say. */
  async function compareOverview(): Promise<void> {
    const from = performance.now();
    const [{ stores, processors }, proxies, endpoints] = await Promise.all([
      read<Overview>('/management/overview'),
      read<Listed>('/management/proxy-services'),
      read<Listed>('/management/endpoints'),
    ]);
    const to = performance.now();
    await truth.askedAgain();
    for (const kind of KINDS) {
      const store = stores.find(({ name }) => name === storeOf(kind));
      const counters = processors.find(({ name }) => name === forwarderOf(kind))?.counters;
      const count = (least: Parameters<Truth['count']>[1]) => truth.count(kind, least, from, to);
      compare(`depth of ${kind}`, store?.depth, truth.depth(kind, from, to));
      compare(`puts of ${kind}`, store?.enqueued, count({ least: 'accepted', most: 'sent' }));
      compare(`deliveries of ${kind}`, counters?.delivered, count({ least: 'delivered' }));
      compare(`failures of ${kind}`, counters?.failed, count({ least: 'refused' }));
      const named = ({ list }: Listed, name: string) => list.find((one) => one.name === name);
      compare(
        `requests to ${kind}`,
        named(proxies, proxyOf(kind))?.requests,
        count({ least: 'accepted', most: 'sent' }),
      );
      compare(`sends to ${kind}`, named(endpoints, endpointOf(kind))?.requests, count({ least: 'attempts' }));
      compare(`refused by ${kind}`, named(endpoints, endpointOf(kind))?.errors, count({ least: 'refused' }));
    }
  }

  /** The numbers of one column of a table, by the name in its row. */
  async function column(caption: string, title: string): Promise<Map<string, number>> {
    const rows = await page.page.evaluate<Array<[string, string]>>(`(() => {
      const table = [...document.querySelectorAll('table')].find((one) => one.caption?.textContent === ${JSON.stringify(caption)});
      const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim() === ${JSON.stringify(title)});
      return [...table.tBodies[0].rows].map((row) => [
        row.querySelector('.name').textContent.trim(),
        (row.cells[at].querySelector('.depth') ?? row.cells[at]).firstChild.textContent,
      ]);
    })()`);
    return new Map(rows.map(([name, text]) => [name, numberOf(text)]));
  }

  async function compareColumn(
    [caption, title]: readonly [string, string],
    nameOf: (kind: Kind) => string,
    range: (kind: Kind, from: number, to: number) => Range,
  ): Promise<void> {
    const from = performance.now();
    const shown = await column(caption, title);
    const to = performance.now();
    await truth.askedAgain();
    for (const kind of KINDS)
      compare(`${title} of ${kind} on the page`, shown.get(nameOf(kind)), range(kind, from, to));
  }

  const STORES = ['Message stores', 'Waiting'] as const;
  const waiting = (kind: Kind, from: number, to: number) => truth.depth(kind, from, to);

  it('is one that brokers, databases, back ends and clients had within the last two seconds, while messages are stored and delivered', async () => {
    await page.visit('#/stores');
    await page.page.getByRole('table', { name: 'Message stores' }).waitFor();
    const stop = load();
    const stored = performance.now() + STORED_FOR_MS;
    for (let round = 0; round < LEAST_ROUNDS || performance.now() < stored; round += 1) {
      await compareOverview();
      await compareColumn(STORES, storeOf, waiting);
      await delay(100);
    }
    await steer('activate');
    await page.visit('#/processors');
    await page.page.getByRole('table', { name: 'Message processors' }).waitFor();
    const delivered = performance.now() + DELIVERED_FOR_MS;
    for (let round = 0; round < LEAST_ROUNDS || performance.now() < delivered; round += 1) {
      await compareOverview();
      await compareColumn(['Message processors', 'Delivered'], forwarderOf, (kind, from, to) =>
        truth.count(kind, { least: 'delivered' }, from, to),
      );
      await delay(100);
    }
    await stop();
    expect(problems).toEqual([]);
    expect(compared).toBeGreaterThanOrEqual(2 * LEAST_ROUNDS * NUMBERS_A_ROUND);
    process.stdout.write(`${compared} numbers compared under load\n`);
  });

  it('is exactly what they say at rest', async () => {
    const settled = () => KINDS.every((kind) => inFlight(kind) === 0);
    await waitFor(settled, { what: 'everything to be delivered or refused', deadlineMs: 60_000 });
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
        requests: metric(`wso2_integration_proxy_request_count_total{service_name="${proxy}",service_type="proxy"}`),
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
    const shown = async () => Object.fromEntries(await column(...STORES));
    const left = Object.fromEntries(KINDS.map((kind) => [storeOf(kind), LEFT[kind]]));
    await expect.poll(shown, { timeout: 10_000 }).toEqual({ ...left, [FAILED]: moved });
    await page.visit('#/endpoints');
    const sends = Object.fromEntries(KINDS.map((kind) => [endpointOf(kind), truth.counts[kind].attempts]));
    await expect.poll(async () => Object.fromEntries(await column('Endpoints', 'Requests'))).toEqual(sends);
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

/** `~1,234` is 1234. */
function numberOf(text: string): number {
  return Number(text.replace(/[^\d.-]/g, '') || Number.NaN);
}

/** Requests per second fall to what they are. */
async function rateOf(page: Page, rate: number): Promise<void> {
  await page
    .locator('.figure', { hasText: 'Requests' })
    .first()
    .getByText(new RegExp(`^${rate}`))
    .waitFor({ timeout: 15_000 });
}
