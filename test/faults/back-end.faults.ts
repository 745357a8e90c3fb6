import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { NEVER_SUSPENDED } from '../support/flow-artifacts.ts';
import { FaultyFlow } from './faulty-flow.ts';
import { judge, RESUMED_WITHIN_MS } from './figures.ts';
import { resumed } from './kills.ts';
import { durableStores } from './stores.ts';

/* Back ends that are down, slow, hang, or reset connections, before and after they have accepted. */

const TROUBLE_MS = 3_000;
/** An attempt that is not answered ends; the next one follows. */
const ENDPOINT = `${NEVER_SUSPENDED}<timeout><duration>1000</duration><responseAction>fault</responseAction></timeout>`;
/** How many orders of each back end are accepted without an answer. */
const SILENTLY_ACCEPTED = 3;

const afterwards = afterTheTest();
const stores = await durableStores();

// To readers of a queue, that of the other type is the same.
for (const store of stores.filter(({ name }) => name !== 'RabbitMQ quorum')) {
  store.describe(`back ends in trouble, with the store on ${store.name}`, () => {
    it('delivery goes on when they are well', { timeout: 180_000 }, async () => {
      const forwarder = { 'max.delivery.attempts': '-1', 'client.retry.interval': '100' };
      const flow = new FaultyFlow({ store, medium: await store.start(), forwarder, endpoint: ENDPOINT });
      afterwards('flow', () => flow.close());
      await flow.begin();
      await flow.someMore();

      const resumedMs: number[] = [];
      const trouble = async (what: string, window: number, begin: () => unknown, end: () => unknown) => {
        const from = performance.now();
        await begin();
        await delay(TROUBLE_MS);
        await end();
        resumedMs.push(await resumed(flow));
        // The last attempt that was in flight may be answered late.
        flow.history.addFault({ what, from, to: performance.now(), window });
        await flow.someMore();
      };
      const behave = (behaviour: Parameters<(typeof flow.backEnds)[0]['behave']>[0]) => {
        for (const backEnd of flow.backEnds) backEnd.behave(behaviour);
      };
      const well = () => behave({});
      const all = (action: 'start' | 'stop') => Promise.all(flow.backEnds.map((backEnd) => backEnd[action]()));

      // An order that was accepted right before its back end went down is sent again: one for each at most.
      await trouble(
        'down',
        1,
        () => all('stop'),
        () => all('start'),
      );
      await trouble('slow', 0, () => behave({ delayMs: 500, afterOperation: true }), well);
      await trouble('hangs', 0, () => behave({ hang: true }), well);
      await trouble('resets', 0, () => behave({ reset: true }), well);
      const lostAnswers = { reset: true, afterOperation: true, times: SILENTLY_ACCEPTED };
      await trouble('accepts and resets', SILENTLY_ACCEPTED, () => behave(lostAnswers), well);
      await trouble('refuses (503)', 0, () => behave({ status: 503 }), well);

      const shown = { fault: 'back ends down, slow, hanging, resetting', store: store.name, times: 6, resumedMs };
      const figures = judge(shown, await flow.verdict(), flow.history);
      expect(figures.resumedMs).toBeLessThan(RESUMED_WITHIN_MS);
    });
  });
}
