import { expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import type { OrderHistory } from '../support/history.ts';
import { switchProcessor } from '../support/management.ts';
import { followReadme } from '../support/readme.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { activemq, findOrInstall, mariadb, postgresql, rabbitmq } from '../support/servers/index.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  type ClusterNode,
  type Medium,
  seeForwarder,
  startCluster,
  type TestCluster,
  tasksOf,
} from './cluster-nodes.ts';

/* Two real runtimes on one real broker or database: competing consumers without a cluster, and one of them at a time with it. */

const JMS = 'org.apache.synapse.message.store.impl.jms.JmsStore';
const RABBITMQ = 'org.apache.synapse.message.store.impl.rabbitmq.RabbitMQStore';
const JDBC = 'org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore';
const LEASE_MS = 15_000;
/** What starting to work takes after the lease, and what a busy machine adds. */
const MARGIN_MS = 4_000;
const ORDERS = 300;
const BATCH = 40;

const servers = {
  activemq: await findOrInstall(activemq),
  rabbitmq: await findOrInstall(rabbitmq),
  postgresql: await findOrInstall(postgresql),
  mariadb: await findOrInstall(mariadb),
};
const afterwards = afterTheTest();
let queues = 0;

/** Every test has a queue or a table of its own. */
const media: Record<keyof typeof servers, () => Promise<Medium>> = {
  async activemq() {
    const broker = await servers.activemq.start();
    return {
      name: 'ActiveMQ',
      store: {
        className: JMS,
        parameters: {
          'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
          'java.naming.provider.url': broker.openwireUrl,
          'store.jms.destination': newName(),
          'x.stomp.url': `stomp://127.0.0.1:${broker.stompPort}`,
        },
      },
      configuration: [],
    };
  },
  async rabbitmq() {
    const broker = await servers.rabbitmq.start();
    return {
      name: 'RabbitMQ',
      store: {
        className: RABBITMQ,
        parameters: {
          'store.rabbitmq.host.name': '127.0.0.1',
          'store.rabbitmq.host.port': String(broker.port),
          'store.rabbitmq.queue.name': newName(),
        },
      },
      configuration: [],
    };
  },
  postgresql: async () => jdbc('PostgreSQL', await servers.postgresql.start()),
  mariadb: async () => jdbc('MariaDB', await servers.mariadb.start()),
};

function jdbc(name: string, { driverClass, jdbcUrl, user, password }: DatabaseServer): Medium {
  return {
    name,
    store: {
      className: JDBC,
      parameters: { 'store.jdbc.dsName': 'shared', 'store.jdbc.table': newName(), 'x.create.table': 'true' },
    },
    configuration: [
      '[[datasource]]',
      'id = "shared"',
      `url = "${jdbcUrl}"`,
      `username = "${user}"`,
      `password = "${password}"`,
      `driver = "${driverClass}"`,
    ],
  };
}

function newName(): string {
  queues += 1;
  return `cluster_${queues}`;
}

async function started(options: Parameters<typeof startCluster>[0]): Promise<TestCluster> {
  const cluster = await startCluster(options);
  afterwards('cluster', () => cluster.close());
  return cluster;
}

async function allDelivered(cluster: TestCluster, deadlineMs: number): Promise<void> {
  await waitFor(() => cluster.history.undelivered === 0, {
    what: () =>
      `${cluster.history.undelivered} orders; the nodes say\n${cluster.nodes
        .map(({ name, runtime }) => `${name}: ${runtime.lines().slice(-15).join(`\n${name}: `)}`)
        .join('\n')}`,
    deadlineMs,
  });
}

/** How often one back end followed another: how often the task changed hands. */
function changesOfHands(history: OrderHistory): number {
  const accepted = history.events.filter((event) => event.kind === 'accepted');
  return accepted.filter((event, index) => index > 0 && accepted[index - 1]?.backEnd !== event.backEnd).length;
}

/** The orders of one client that were accepted for the first time after a later one was. */
function outOfOrder(history: OrderHistory, prefix: string): string[] {
  const seen = new Set<string>();
  const late: string[] = [];
  let latest = 0;
  for (const event of history.events) {
    if (event.kind !== 'accepted' || !event.order.startsWith(prefix) || seen.has(event.order)) continue;
    seen.add(event.order);
    const number = Number(event.order.slice(prefix.length));
    if (number < latest) late.push(event.order);
    latest = Math.max(latest, number);
  }
  return late;
}

function others(cluster: TestCluster, node: ClusterNode): ClusterNode {
  const found = cluster.nodes.find((other) => other !== node);
  if (!found) throw new Error('there is no other node');
  return found;
}

for (const [key, server] of Object.entries(servers) as [keyof typeof servers, (typeof servers)['activemq']][]) {
  server.describe(`two nodes on one ${key}`, () => {
    let medium: Medium;
    const meet = async () => {
      medium ??= await media[key]();
      // One server for all tests of this kind, with another queue or table each.
      const { parameters } = medium.store;
      const renamed = Object.fromEntries(
        Object.entries(parameters).map(([name, value]) => [name, /^cluster_\d+$/.test(value) ? newName() : value]),
      );
      return { ...medium, store: { ...medium.store, parameters: renamed } };
    };

    it('without a cluster: both deliver, nothing twice', { timeout: 120_000 }, async () => {
      const cluster = await started({
        medium: await meet(),
        forwarder: { 'member.count': '2', 'x.concurrency': '3' },
      });
      for (const backEnd of cluster.backEnds) backEnd.behave({ delayMs: 10 });
      await Promise.all(cluster.nodes.map(({ client }) => client.placeMany(ORDERS / 2)));
      await allDelivered(cluster, 60_000);
      const { lost, invented, duplicates, delivered, acceptedBy } = cluster.history.verdict();
      sayFigures(`two nodes on one ${medium.name}`, {
        delivered,
        duplicates,
        by1: acceptedBy['1'] ?? 0,
        by2: acceptedBy['2'] ?? 0,
      });
      expect({ lost, invented, duplicates, delivered }).toEqual({
        lost: [],
        invented: [],
        duplicates: 0,
        delivered: ORDERS,
      });
      expect(Math.min(acceptedBy['1'] ?? 0, acceptedBy['2'] ?? 0)).toBeGreaterThan(0);
      expect((await seeForwarder(cluster.nodes[0] as ClusterNode)).cluster).toBeUndefined();
    });

    it('in a cluster: one delivers, in order; the other one takes over from a killed and from a stopped node', {
      timeout: 240_000,
    }, async () => {
      const cluster = await started({ medium: await meet(), leaseMs: LEASE_MS });
      const { history } = cluster;
      for (const backEnd of cluster.backEnds) backEnd.behave({ delayMs: 20 });
      const first = await cluster.holder();
      const second = others(cluster, first);

      // kill -9 in the middle of delivering.
      const prefix = `${second.name.toUpperCase()}-`;
      const placing = second.client.placeMany(BATCH, 1);
      await waitFor(() => history.count('accepted') >= BATCH / 4, { what: 'some deliveries', deadlineMs: 30_000 });
      await first.runtime.kill();
      const killedAt = performance.now();
      const byFirst = history.count('accepted');
      await placing;
      await second.client.placeMany(BATCH, 1);
      await allDelivered(cluster, 60_000);
      const takenOverMs = afterwardsAt(history, byFirst) - killedAt;
      expect(changesOfHands(history)).toBe(1);
      expect(outOfOrder(history, prefix)).toEqual([]);
      expect(takenOverMs).toBeLessThan(LEASE_MS + MARGIN_MS);
      expect(history.verdict()).toMatchObject({ lost: [], invented: [], delivered: 2 * BATCH });
      expect(history.verdict().duplicates).toBeLessThanOrEqual(1);

      // The one that was killed comes back, and waits.
      await first.runtime.restart();
      await first.client.placeMany(10, 1);
      await allDelivered(cluster, 30_000);
      expect(changesOfHands(history)).toBe(1);
      expect(await tasksOf(first)).toMatchObject([{ task: 'MSMP_Forwarder1_0', here: false }]);
      expect(await tasksOf(second)).toMatchObject([{ state: 'RUNNING', here: true, holder: second.name }]);

      // SIGSTOP for longer than the lease, in the middle of delivering.
      const duplicatesBefore = history.verdict().duplicates;
      const from = history.count('accepted');
      const restPlaced = first.client.placeMany(2 * BATCH, 1);
      await waitFor(() => history.count('accepted') >= from + BATCH / 4, { what: 'deliveries', deadlineMs: 30_000 });
      second.pause();
      const pausedAt = performance.now();
      const bySecond = history.count('accepted');
      await restPlaced;
      await waitFor(() => history.count('accepted') >= bySecond + 5, { what: 'a takeover', deadlineMs: 60_000 });
      const resumedAfterMs = afterwardsAt(history, bySecond) - pausedAt;
      second.resume();
      await allDelivered(cluster, 60_000);
      await first.client.placeMany(10, 1);
      await allDelivered(cluster, 30_000);
      expect(changesOfHands(history)).toBe(2);
      expect(await cluster.holder()).toBe(first);
      expect(resumedAfterMs).toBeLessThan(LEASE_MS + MARGIN_MS);
      const verdict = history.verdict();
      expect(verdict).toMatchObject({ lost: [], invented: [], delivered: 4 * BATCH + 20 });
      expect(verdict.duplicates - duplicatesBefore).toBeLessThanOrEqual(1);
      const late = outOfOrder(history, `${first.name.toUpperCase()}-`);
      sayFigures(`one of two nodes on one ${medium.name}, lease ${LEASE_MS} ms`, {
        delivered: verdict.delivered,
        lost: verdict.lost.length,
        duplicates: verdict.duplicates,
        'taken over after kill -9 in ms': takenOverMs,
        'taken over after SIGSTOP in ms': resumedAfterMs,
        'late after SIGSTOP': late.length,
      });
      // What a stopped node had in hand comes back from a broker when that has noticed, which may be after the takeover.
      expect(late.length).toBeLessThanOrEqual(key === 'activemq' || key === 'rabbitmq' ? 1 : 0);
    });
  });
}

/** When the acceptance after so many came. */
function afterwardsAt(history: OrderHistory, count: number): number {
  const accepted = history.events.filter(({ kind }) => kind === 'accepted');
  return accepted[count]?.at ?? Number.POSITIVE_INFINITY;
}

servers.activemq.describe('the README of the sample', () => {
  it('cluster', { timeout: 180_000 }, async () => {
    const ports = [8280, 8243, 9164, 8281, 8244, 9165, 9000, 61_616, 61_613];
    await followReadme('samples/cluster/README.md', {
      ports,
      afterwards: async (lines) => {
        expect(lines.filter((line) => line.startsWith('Order placed for '))).toHaveLength(7);
        // The back end was killed; nothing else went wrong.
        const wrong = lines.filter((line) => /\b(ERROR|FATAL)\b/.test(line));
        expect(
          wrong.filter((line) => !line.includes('Error while forwarding message to endpoint StockQuoteService')),
        ).toEqual([]);
      },
    });
  });
});

servers.postgresql.describe('the cluster on PostgreSQL', () => {
  it('is one for its operators: activation, members, pinned servers', { timeout: 180_000 }, async () => {
    const database = await servers.postgresql.start();
    const medium = jdbc('PostgreSQL', database);
    const cluster = await started({
      medium,
      leaseMs: LEASE_MS,
      forwarder: { 'member.count': '2', pinnedServers: 'a, b' },
      names: ['a', 'b', 'c'],
    });
    const [a, b, c] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const rows = () => query(database, 'SELECT * FROM COORDINATED_TASK_TABLE ORDER BY TASK_NAME');
    await waitFor(async () => (await rows()).filter(({ task_state }) => task_state === 'RUNNING').length === 2, {
      what: 'two tasks at work',
      deadlineMs: 30_000,
    });
    expect((await rows()).map(({ task_name }) => task_name)).toEqual(['MSMP_Forwarder1_0', 'MSMP_Forwarder1_1']);
    const nodes = await query(database, 'SELECT NODE_ID FROM CLUSTER_NODE_STATUS_TABLE ORDER BY NODE_ID');
    expect(nodes.map(({ node_id }) => node_id)).toEqual(['a', 'b']);
    expect(await seeForwarder(c)).toMatchObject({
      status: 'inactive',
      state: 'PAUSED',
      reason: "it is pinned to the servers 'a, b', and this is 'c'",
    });

    // On whatever node an operator does it.
    await switchProcessor(a.runtime, 'Forwarder1', 'inactive');
    await waitFor(async () => (await seeForwarder(b)).status === 'inactive', {
      what: 'b to follow',
      deadlineMs: 20_000,
    });
    await waitFor(async () => (await rows()).every(({ task_state }) => task_state === 'PAUSED'), {
      what: 'both tasks to be paused',
      deadlineMs: 20_000,
    });
    expect((await rows()).map(({ destined_node_id }) => destined_node_id)).toEqual([null, null]);
    await c.client.placeMany(10, 1);
    // Also over a restart, for whoever had no part in it.
    await b.runtime.restart();
    await waitFor(async () => (await seeForwarder(b)).status === 'inactive', { what: 'b to ask', deadlineMs: 20_000 });
    expect(cluster.history.count('accepted')).toBe(0);
    await switchProcessor(b.runtime, 'Forwarder1', 'active');
    await allDelivered(cluster, 30_000);
    await waitFor(async () => (await seeForwarder(a)).status === 'active', { what: 'a to follow', deadlineMs: 20_000 });
    const { lost, duplicates, acceptedBy } = cluster.history.verdict();
    expect({ lost, duplicates, byC: acceptedBy['3'] }).toEqual({ lost: [], duplicates: 0, byC: undefined });
  });
});

async function query(database: DatabaseServer, sql: string): Promise<Record<string, unknown>[]> {
  const { default: pg } = await import('pg');
  const { host, port, user, password } = database;
  const client = new pg.Client({ host, port, user, password, database: database.database });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
