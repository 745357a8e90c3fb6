import { expect, it } from 'vitest';
import { POINTS } from '../../src/fault-points.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { echoBackEnd } from '../support/echo-back-end.ts';
import { forwarderXml } from '../support/flow-artifacts.ts';
import { freePort } from '../support/free-ports.ts';
import { FaultyFlow, type FaultyFlowOptions, ORDERS } from './faulty-flow.ts';
import { judge, RESUMED_WITHIN_MS } from './figures.ts';
import { type Kills, killRuntime, PLAIN_POINTS } from './kills.ts';
import { failingOver, MOVERS, movingFlow } from './moving-flow.ts';
import { Random } from './random.ts';
import { sequencedStores } from './sequenced.ts';
import { type DurableStore, durableStores, type Medium } from './stores.ts';
import { timeoutFor, timesOr } from './times.ts';

/* SIGKILL of the runtime, at random moments and at every named point. */

/** At random moments, with three workers and with one. */
const MOMENTS = timesOr(12);
const MOMENTS_OF_ONE = timesOr(9);
/** Of a kill and a start, ms. */
const KILL_MS = 10_000;
const TIMEOUT_MS = timeoutFor(Math.max(MOMENTS, MOMENTS_OF_ONE), KILL_MS);
const MOVES = [POINTS.moveCopied, POINTS.failStoreMoved, POINTS.failoverMoved];

const afterwards = afterTheTest();

const stores = await durableStores();

for (const store of [...stores, ...sequencedStores(stores)]) {
  const leases = /SQL|Maria/.test(store.name) ? [POINTS.leaseTaken] : [];

  store.describe(`a runtime that is killed, with its store on ${store.name}`, () => {
    it('under load: three workers', { timeout: TIMEOUT_MS }, async () => {
      const flow = await begin(store, { forwarders: 3 });
      await survive(flow, store, 'runtime killed', { moments: MOMENTS, points: [...PLAIN_POINTS, ...leases] });
    });

    it('under load: one worker, which keeps the order', { timeout: TIMEOUT_MS }, async () => {
      const flow = await begin(store, { forwarders: 1 });
      await survive(flow, store, 'runtime killed, one worker', { moments: MOMENTS_OF_ONE, points: PLAIN_POINTS });
    });
  });
}

for (const store of stores) {
  store.describe(`a runtime that is killed, with its store on ${store.name}`, () => {
    it('while messages move between media', { timeout: TIMEOUT_MS }, async () => {
      const refusing = await echoBackEnd();
      afterwards('refusing back end', () => refusing.close());
      refusing.answer = () => ({ status: 500 });
      const flow = await begin(store, { forwarders: 2, lanes: 3, ...movingFlow(refusing.port, true) });
      const kills = { moments: 3, points: MOVES, movedTwice: MOVERS };
      await survive(flow, store, 'killed while moving between media', kills);
    });

    it('while messages move within one medium', { timeout: TIMEOUT_MS }, async () => {
      const refusing = await echoBackEnd();
      afterwards('refusing back end', () => refusing.close());
      refusing.answer = () => ({ status: 500 });
      const flow = await begin(store, { forwarders: 2, lanes: 3, ...movingFlow(refusing.port, false) });
      const kills = { moments: 3, points: [POINTS.failStoreMoved, POINTS.failoverMoved], movedTwice: MOVERS };
      await survive(flow, store, 'killed while moving within a medium', kills);
    });

    it('while messages are put aside', { timeout: TIMEOUT_MS }, async () => {
      const flow = await begin(store, { forwarders: 2, forwarder: { 'x.dead.status.codes': '400' } });
      flow.backEnds[0]?.behave({ status: 400 });
      const points = [POINTS.deadLetterBody, POINTS.deadLetterWritten];
      // One of the workers has no back end that accepts: what it had in hand the other one may deliver.
      await survive(flow, store, 'killed while putting aside', { moments: 3, points: [...points, ...points] });
    });

    it('while the failover store takes messages', { timeout: TIMEOUT_MS }, async () => {
      const flow = await begin(store, { forwarders: 2, ...failingOver(await freePort()) });
      const kills = { moments: 3, points: [POINTS.failoverPut, POINTS.failoverPut] };
      await survive(flow, store, 'killed while failing over', kills);
    });

    it('while artifacts are deployed', { timeout: TIMEOUT_MS }, async () => {
      const flow = await begin(store, { forwarders: 2 });
      const { deploymentOpened, deploymentPublished, deploymentClosed } = POINTS;
      const points = [deploymentOpened, deploymentPublished, deploymentClosed];
      let edits = 0;
      const provoke = async () => {
        edits += 1;
        const parameters = { ...flow.forwarderParameters(), 'client.retry.interval': `${100 + edits}` };
        flow.folder.write('Forwarder1.xml', forwarderXml(1, parameters, ORDERS));
        flow.folder.write('Orders.xml', flow.storeXml(ORDERS, { edit: `${edits}` }));
      };
      await survive(flow, store, 'killed while deploying', { moments: 0, points, provoke });
    });
  });
}

async function begin(store: DurableStore, options: Partial<FaultyFlowOptions>): Promise<FaultyFlow> {
  const medium: Medium = await store.start();
  const flow = new FaultyFlow({ store, medium, ...options });
  afterwards('flow', () => flow.close());
  await flow.begin();
  await flow.someMore();
  return flow;
}

async function survive(flow: FaultyFlow, store: DurableStore, fault: string, kills: Kills): Promise<void> {
  const { times, resumedMs } = await killRuntime(flow, kills, new Random(`${fault} ${store.name}`));
  await flow.someMore();
  const shown = { fault, store: store.name, times, resumedMs, ordered: flow.ordered };
  const figures = judge(shown, await flow.verdict(), flow.history);
  expect(figures.resumedMs).toBeLessThan(RESUMED_WITHIN_MS);
}
