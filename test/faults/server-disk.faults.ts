import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { switchProcessor } from '../support/management.ts';
import { sayOncePerRun } from '../support/servers/say.ts';
import { giveToServer } from '../support/servers/unprivileged.ts';
import { waitFor } from '../support/wait-for.ts';
import { FaultyFlow } from './faulty-flow.ts';
import { judge, RESUMED_WITHIN_MS } from './figures.ts';
import { sufferOutage } from './server-faults.ts';
import type { StoreServer } from './servers.ts';
import { type SmallDisk, smallDisk, whyNoSmallDisk } from './small-disk.ts';
import { type DurableStore, durableStores, type FaultyServer } from './stores.ts';

/*
 * The disk on which a server has its data is full, to the last byte; but RabbitMQ takes no messages any more before (disk_free_limit,
 * 50 MB here), lets those who put them wait, and looks only every 10 s whether there is room again.
 */

/** What the servers need for themselves, and some more. */
const DISK_MB: Readonly<Record<Exclude<StoreServer, 'embedded'>, number>> = {
  ActiveMQ: 160,
  RabbitMQ: 200,
  PostgreSQL: 160,
  MariaDB: 160,
};
/** Free all the same when the disk counts as full, bytes. */
const LEFT: Partial<Record<StoreServer, number>> = { RabbitMQ: 25_000_000 };
const TIMES = 3;
const TIMEOUT_MS = 300_000;
/** A file with room in it takes some more orders; then the first one is refused, ms. */
const REFUSED_AFTER_MS = 60_000;
/** An aborting server writes down what it was at, ms. */
const GOES_ON_MS = 30_000;
/** Of what is left when no more orders come, ms. */
const HANDED_OUT_MS = 15_000;

const afterwards = afterTheTest();
const missing = whyNoSmallDisk();
if (missing !== undefined) sayOncePerRun(`SKIPPING the tests with the full disk of a server: ${missing}`);

/** Of all stores on a server, which is stopped after the last test. */
const disks = new Map<StoreServer, SmallDisk>();
afterAll(() => {
  for (const disk of disks.values()) disk.close();
});

const stores = await durableStores((server) => (server === 'embedded' ? undefined : folderOn(diskOf(server))));

for (const store of stores.filter(({ embedded }) => !embedded)) {
  const suite = missing === undefined ? store.describe : store.describe.skip;
  suite(`the disk of the server of a store on ${store.name} is full`, () => {
    it('clients are refused, nothing is lost, it goes on when there is room', { timeout: TIMEOUT_MS }, () =>
      suffer(store),
    );
  });
}

async function suffer(store: DurableStore): Promise<void> {
  const medium = await store.start();
  const { server } = medium;
  if (!server) throw new Error(`${store.name} has no server`);
  const disk = diskOf(store.server);
  const flow = new FaultyFlow({ store, medium });
  afterwards('flow', () => flow.close());
  await flow.begin();
  await flow.someMore(20);

  const resumedMs: number[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const happen = async () => {
      // What is not taken out makes the store grow.
      await switchForwarders(flow, 'inactive');
      disk.fill(LEFT[store.server]);
      const full = performance.now();
      await waitFor(() => flow.history.firstSince('refused', full), {
        what: () => `a client to be refused; ${flow.tail()}`,
        deadlineMs: REFUSED_AFTER_MS,
      });
      disk.free();
      if (store.server === 'RabbitMQ') await alarmCleared(server, new Date());
      else await goesOn(flow, server);
      await switchForwarders(flow, 'active');
    };
    resumedMs.push((await sufferOutage(flow, { what: 'disk of the server full', happen })).resumedMs);
  }
  if (store.server === 'ActiveMQ') await handOutAll(flow, server);
  const verdict = await flow.verdict();
  const shown = { fault: 'disk of the server full', store: store.name, times: TIMES, resumedMs };
  expect(judge(shown, verdict, flow.history).resumedMs).toBeLessThan(RESUMED_WITHIN_MS);
}

/**
 * Of the messages that ActiveMQ 5.17 has refused for want of room it has most all the same, and may hand one of them to nobody until it is
 * started again, though it counts and shows it. Nobody was promised anything about it.
 */
async function handOutAll(flow: FaultyFlow, server: FaultyServer): Promise<void> {
  await flow.stopLoad();
  const left = { what: 'all messages to be handed out', deadlineMs: HANDED_OUT_MS };
  const sizes = () => Promise.all(flow.stores.map((store) => flow.sizeOf(store)));
  const empty = waitFor(async () => (await sizes()).every((size) => size === 0), left);
  await empty.catch(() => server.restart());
}

/** MariaDB 10.11 may abort while it rolls an INSERT back for want of room: whoever watches over it starts it again. */
async function goesOn(flow: FaultyFlow, server: FaultyServer): Promise<void> {
  const freed = performance.now();
  const isOver = () => server.state === 'stopped' || flow.history.firstSince('confirmed', freed) !== undefined;
  await waitFor(isOver, { what: 'the server to take orders again, or to end', deadlineMs: GOES_ON_MS });
  if (server.state === 'stopped') await server.restart();
}

async function switchForwarders(flow: FaultyFlow, to: 'active' | 'inactive'): Promise<void> {
  for (const index of flow.backEnds.keys()) await switchProcessor(flow.runtime, `Forwarder${index + 1}`, to);
}

function diskOf(server: StoreServer): SmallDisk {
  if (server === 'embedded') throw new Error('an embedded store has no server');
  const disk = disks.get(server) ?? smallDisk(DISK_MB[server]);
  disks.set(server, disk);
  return disk;
}

/** From then on it takes messages again. */
async function alarmCleared(server: FaultyServer, since: Date): Promise<void> {
  const cleared = (line: string) =>
    line.includes('disk resource limit alarm cleared') && new Date(timeOf(line)) > since;
  await waitFor(() => server.log(500).some(cleared), { what: 'RabbitMQ to see the room', deadlineMs: 30_000 });
}

/** Its lines begin with 2026-11-22 11:27:08.169445+00:00. */
function timeOf(line: string): string {
  return `${line.slice(0, 10)}T${line.slice(11, 23)}Z`;
}

function folderOn({ path }: SmallDisk): string {
  const folder = join(path, 'server');
  mkdirSync(folder, { recursive: true });
  giveToServer(folder);
  return folder;
}
