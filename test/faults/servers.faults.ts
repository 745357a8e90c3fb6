import { expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { freePort } from '../support/free-ports.ts';
import { type Misbehaviour, misbehavingServer } from '../support/misbehaving-server.ts';
import { tcpForwarder } from '../support/tcp-forwarder.ts';
import { FaultyFlow, type FaultyFlowOptions } from './faulty-flow.ts';
import { judge, RESUMED_WITHIN_MS } from './figures.ts';
import { killing, lasting, type Outage, sufferOutage } from './server-faults.ts';
import { type DurableStore, durableStores, type FaultyServer } from './stores.ts';

/* The server of a store is killed, hangs, restarts, is out of reach, or is somebody else; the runtime lives on. */

const TIMEOUT_MS = 300_000;
const PEERS: readonly Misbehaviour[] = ['accept-and-drop', 'accept-and-silent', 'garbage'];

const afterwards = afterTheTest();
const stores = await durableStores();

for (const store of stores.filter(({ embedded }) => !embedded)) {
  store.describe(`the server of a store on ${store.name}`, () => {
    it('is killed', { timeout: TIMEOUT_MS }, () =>
      suffer(store, 'server killed', (server) => [0, 1_500, 6_000].map((ms) => killing(server, ms))),
    );

    it('restarts', { timeout: TIMEOUT_MS }, () =>
      suffer(store, 'server restarted', (server) => [{ what: 'restarted', happen: () => server.restart() }]),
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
      const resumed: number[] = [];
      for (const outage of [...network5, blackHole, swallowed]) resumed.push(await sufferOutage(flow, outage));
      await end(flow, store, 'network cut, black hole', resumed);
    });

    it('is somebody who drops, is silent, or talks garbage', { timeout: TIMEOUT_MS }, async () => {
      const medium = await store.start();
      const network = await tcpForwarder({ to: { port: medium.port }, port: await freePort() });
      afterwards('network', () => network.close());
      const flow = await begin(store, { port: network.port });
      const resumed: number[] = [];
      for (const behaviour of PEERS) {
        const happen = async () => {
          await network.refuse();
          network.cut();
          const peer = await misbehavingServer(behaviour, network.port);
          await new Promise((resolve) => setTimeout(resolve, 3_000));
          await peer.close();
          await network.resume();
        };
        resumed.push(await sufferOutage(flow, { what: behaviour, happen }));
      }
      await end(flow, store, 'peer drops, is silent, talks garbage', resumed);
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
  const resumed: number[] = [];
  for (const outage of outages(server)) resumed.push(await sufferOutage(flow, outage));
  await end(flow, store, fault, resumed);
}

async function end(flow: FaultyFlow, store: DurableStore, fault: string, resumedMs: readonly number[]): Promise<void> {
  const shown = { fault, store: store.name, times: resumedMs.length, resumedMs };
  sayFigures(`${fault}, ${store.name}: goes on after ms`, Object.fromEntries(resumedMs.entries()));
  const figures = judge(shown, await flow.verdict(), flow.history);
  expect(figures.resumedMs).toBeLessThanOrEqual(RESUMED_WITHIN_MS);
}
