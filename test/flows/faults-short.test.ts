import { expect, it } from 'vitest';
import { FaultyFlow } from '../faults/faulty-flow.ts';
import { judge, RESUMED_WITHIN_MS } from '../faults/figures.ts';
import { killRuntime, PLAIN_POINTS } from '../faults/kills.ts';
import { Random } from '../faults/random.ts';
import { sequencedStores } from '../faults/sequenced.ts';
import { killing, lasting, sufferOutage } from '../faults/server-faults.ts';
import { type DurableStore, durableStores } from '../faults/stores.ts';
import { afterTheTest } from '../support/clean-up.ts';

/* What `npm run test:faults` does at length, in short; docs/promises.md tells what is promised. */

const MOMENTS = 9;
/** One more is the first one, of a runtime that has served for a while. */
const KILLS = 1 + MOMENTS + PLAIN_POINTS.length;
const STOPS = 3;

const afterwards = afterTheTest();

const stores = await durableStores();

for (const store of [...stores, ...sequencedStores(stores)]) {
  store.describe(`a flow on ${store.name}`, () => {
    it(`whose runtime is killed ${KILLS} times loses and invents nothing (OP-112)`, { timeout: 180_000 }, async () => {
      const flow = await begin(store);
      const kills = { moments: MOMENTS, points: PLAIN_POINTS };
      const { times, resumedMs } = await killRuntime(flow, kills, new Random(`short ${store.name}`));
      expect(times).toBe(KILLS);
      await flow.someMore();
      const verdict = await flow.verdict();
      const shown = { fault: 'runtime killed', store: store.name, times, resumedMs, ordered: flow.ordered };
      const figures = judge(shown, verdict, flow.history);
      expect(figures.resumedMs).toBeLessThan(RESUMED_WITHIN_MS);
      // Clients were cut off as well.
      expect(verdict.unanswered).toBeGreaterThan(0);
    });
  });
}

for (const store of stores) {
  store.describe(`a flow on ${store.name}`, () => {
    it(`whose runtime is stopped ${STOPS} times delivers nothing twice (OP-110, OP-111)`, {
      timeout: 180_000,
    }, async () => {
      const flow = await begin(store);
      for (let stop = 0; stop < STOPS; stop += 1) {
        await flow.someMore(5);
        expect(await flow.runtime.stop()).toMatchObject({ code: 0 });
        await flow.runtime.restart();
      }
      await flow.someMore();
      const verdict = await flow.verdict();
      judge({ fault: 'SIGTERM', store: store.name, times: STOPS }, verdict, flow.history);
      expect(verdict).toMatchObject({ refused: 0, duplicates: 0, unansweredButAccepted: [] });
    });

    it.skipIf(store.embedded)(
      'whose server is killed and hangs goes on by itself (OP-10, OP-13)',
      { timeout: 180_000 },
      async () => {
        const { server } = await store.start();
        if (!server) throw new Error(`${store.name} has no server`);
        afterwards('server', () => server.resume());
        const flow = await begin(store);
        const recoveries = [
          await sufferOutage(flow, killing(server, 1_500)),
          await sufferOutage(
            flow,
            lasting(
              4_000,
              'hangs',
              () => server.pause(),
              () => server.resume(),
            ),
          ),
        ];
        const verdict = await flow.verdict();
        const resumedMs = recoveries.map((recovery) => recovery.resumedMs);
        const shown = { fault: 'server killed, hangs', store: store.name, times: 2, resumedMs };
        expect(judge(shown, verdict, flow.history).resumedMs).toBeLessThan(RESUMED_WITHIN_MS);
      },
    );
  });
}

async function begin(store: DurableStore): Promise<FaultyFlow> {
  const flow = new FaultyFlow({ store, medium: await store.start() });
  afterwards('flow', () => flow.close());
  await flow.begin();
  await flow.someMore();
  return flow;
}
