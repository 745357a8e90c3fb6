import { expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { freePort } from '../support/free-ports.ts';
import { type Misbehaviour, misbehavingServer } from '../support/misbehaving-server.ts';
import { tcpForwarder } from '../support/tcp-forwarder.ts';
import { FaultyFlow, type FaultyFlowOptions } from './faulty-flow.ts';
import { CONFIRMED_WITHIN_MS, judge, RESUMED_WITHIN_MS } from './figures.ts';
import { Random } from './random.ts';
import { killing, lasting, type Outage, type Recovery, sufferOutage } from './server-faults.ts';
import { type DurableStore, durableStores, type FaultyServer } from './stores.ts';
import { timeoutFor, timesOr } from './times.ts';

/* The server of a store is killed, hangs, restarts, is out of reach, or is somebody else; the runtime lives on. */

const TIMEOUT_MS = 300_000;
/** Of each kind of store. RabbitMQ has two of them, and takes four times as long to start as the others. */
const KILLS = { usual: timesOr(20), RabbitMQ: timesOr(10) };
const RESTARTS = { usual: timesOr(5), RabbitMQ: timesOr(2) };
/** A server may be away for so long, come back in so long, and the flow go on, ms. */
const OUTAGE_MS = 40_000;
/** How long killed servers are away at first, ms; then at random up to {@link AWAY_MS}. */
const FIRST_AWAY_MS = [0, 1_500, 6_000];
const AWAY_MS = 2_000;
const PEERS: readonly Misbehaviour[] = ['accept-and-drop', 'accept-and-silent', 'garbage'];

const afterwards = afterTheTest();
const stores = await durableStores();

for (const store of stores.filter(({ embedded }) => !embedded)) {
  const speed = store.server === 'RabbitMQ' ? 'RabbitMQ' : 'usual';
  const kills = KILLS[speed];
  const restarts = RESTARTS[speed];

  store.describe(`the server of a store on ${store.name}`, () => {
    it(`is killed ${kills} times`, { timeout: timeoutFor(kills, OUTAGE_MS) }, () =>
      suffer(store, 'server killed', (server) => absences(store, kills).map((ms) => killing(server, ms))),
    );

    it(`restarts ${restarts} times`, { timeout: timeoutFor(restarts, OUTAGE_MS) }, () =>
      suffer(store, 'server restarted', (server) =>
        Array.from({ length: restarts }, () => ({ what: 'restarted', happen: () => server.restart() })),
      ),
    );

    it('hangs (SIGSTOP)', { timeout: TIMEOUT_MS }, () =>
      suffer(store, 'server hangs', (server) => [
        lasting(
          1_000,
          'hangs',
          () => server.pause(),
          () => server.resume(),
        ),
        lasting(
          4_000,
          'hangs',
          () => server.pause(),
          () => server.resume(),
        ),
        // Longer than a store may take: clients are refused.
        lasting(
          13_000,
          'hangs',
          () => server.pause(),
          () => server.resume(),
        ),
      ]),
    );

    it('cannot be reached, or is somebody else', { timeout: TIMEOUT_MS }, async () => {
      const medium = await store.start();
      const network = await tcpForwarder({ to: { port: medium.port }, port: await freePort() });
      afterwards('network', () => network.close());
      const flow = await begin(store, { port: network.port });
      const network5: Outage[] = Array.from({ length: 5 }, () => ({ what: 'cut', happen: async () => network.cut() }));
      const blackHole = lasting(
        5_000,
        'black hole',
        () => network.blackhole(),
        async () => {
          network.cut();
          await network.resume();
        },
      );
      // Attempts that were made meanwhile stay without an answer, also when the server is there again.
      const swallowed = lasting(
        4_000,
        'attempts swallowed',
        () => {
          network.blackhole();
          network.cut();
        },
        () => network.resume(),
      );
      const recoveries: Recovery[] = [];
      for (const outage of [...network5, blackHole, swallowed]) recoveries.push(await sufferOutage(flow, outage));
      await end(flow, store, 'network cut, black hole', recoveries);
    });

    it('is somebody who drops, is silent, or talks garbage', { timeout: TIMEOUT_MS }, async () => {
      const medium = await store.start();
      const network = await tcpForwarder({ to: { port: medium.port }, port: await freePort() });
      afterwards('network', () => network.close());
      const flow = await begin(store, { port: network.port });
      const recoveries: Recovery[] = [];
      for (const behaviour of PEERS) {
        const happen = async () => {
          await network.refuse();
          network.cut();
          const peer = await misbehavingServer(behaviour, network.port);
          await new Promise((resolve) => setTimeout(resolve, 3_000));
          await peer.close();
          await network.resume();
        };
        recoveries.push(await sufferOutage(flow, { what: behaviour, happen }));
      }
      await end(flow, store, 'peer drops, is silent, talks garbage', recoveries);
    });
  });
}

async function begin(store: DurableStore, options: Partial<FaultyFlowOptions> = {}): Promise<FaultyFlow> {
  const flow = new FaultyFlow({ store, medium: await store.start(), ...options });
  afterwards('flow', () => flow.close());
  await flow.begin();
  await flow.someMore(20);
  return flow;
}

async function suffer(
  store: DurableStore,
  fault: string,
  outages: (server: FaultyServer) => readonly Outage[],
): Promise<void> {
  const { server } = await store.start();
  if (!server) throw new Error(`${store.name} has no server`);
  const flow = await begin(store);
  const recoveries: Recovery[] = [];
  for (const outage of outages(server)) recoveries.push(await sufferOutage(flow, outage));
  await end(flow, store, fault, recoveries);
}

/** For how long the server is away each time, ms. */
function absences({ name }: DurableStore, kills: number): readonly number[] {
  const random = new Random(`absences ${name}`);
  return Array.from({ length: kills }, (_, kill) => FIRST_AWAY_MS[kill] ?? random.between(0, AWAY_MS));
}

async function end(
  flow: FaultyFlow,
  store: DurableStore,
  fault: string,
  recoveries: readonly Recovery[],
): Promise<void> {
  const resumedMs = recoveries.map((recovery) => recovery.resumedMs);
  const confirmedMs = recoveries.map((recovery) => recovery.confirmedMs);
  const shown = { fault, store: store.name, times: recoveries.length, resumedMs, confirmedMs };
  sayFigures(`${fault}, ${store.name}: goes on after ms`, Object.fromEntries(resumedMs.entries()));
  const figures = judge(shown, await flow.verdict(), flow.history);
  expect(figures.resumedP95Ms ?? figures.resumedMs).toBeLessThanOrEqual(RESUMED_WITHIN_MS);
  expect(figures.confirmedP95Ms ?? 0).toBeLessThanOrEqual(CONFIRMED_WITHIN_MS);
}
