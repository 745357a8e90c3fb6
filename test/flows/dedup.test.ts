import { join } from 'node:path';
import { expect, it } from 'vitest';
import { POINTS } from '../../src/fault-points.ts';
import { PlannedEnd } from '../faults/fault-plan.ts';
import { type DurableStore, durableStores } from '../faults/stores.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { echoBackEnd } from '../support/echo-back-end.ts';
import { endpointXml, FlowFolder, forwarderXml, PROXY, proxyXml, STORE } from '../support/flow-artifacts.ts';
import { call } from '../support/http-call.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';

/*
 * A client that got no answer sends its order again with the same id (OP-07): the runtime is killed between the store's confirmation
 * and the answer, and the order is delivered once all the same. What stands outside of the runtime is real.
 */

const DEADLINE_MS = 60_000;

const afterwards = afterTheTest();
/** Brokers have no place for ids, so that a kill right between the two confirmations may let a repetition through. */
const stores = (await durableStores()).filter(({ name }) => !/MQ/.test(name));

for (const store of stores) {
  store.describe(`repetitions on ${store.name}`, () => {
    it('of an order that a killed runtime had stored are not stored again', { timeout: 4 * DEADLINE_MS }, async () => {
      const { runtime, end, received } = await begin(store);
      await expect(place(runtime, 'first'), 'the runtime is killed').rejects.toThrow();
      expect(end.reached).toBe(true);
      end.set({});
      await runtime.restart();
      expect(await place(runtime, 'first')).toBe(202);
      await runtime.waitForLine(/repeats message \[.*\] in store \[JMSMS\] and is not stored again/);
      // Delivered behind it: one worker, one queue.
      expect(await place(runtime, 'last')).toBe(202);
      await waitFor(() => received().includes('order last'), {
        what: () => `the last order; there are ${received().join(', ')}`,
        deadlineMs: DEADLINE_MS,
      });
      expect(received().sort()).toEqual(['order first', 'order last']);
    });
  });
}

async function begin(store: DurableStore) {
  const medium = await store.start();
  const folder = new FlowFolder();
  afterwards('folder', () => folder.remove());
  const backEnd = await echoBackEnd();
  afterwards('back end', () => backEnd.close());
  const parameters = {
    ...medium.parameters(`Dedup${process.pid}`, folder.path),
    'x.dedup.id': '$trp:Idempotency-Key',
  };
  const written = Object.entries(parameters).map(([name, value]) => {
    return `<parameter name="${name}">${String(value).replaceAll('&', '&amp;')}</parameter>`;
  });
  const names = `xmlns="http://ws.apache.org/ns/synapse" name="${STORE}" class="${store.storeClass}"`;
  folder.write(`${STORE}.xml`, `<messageStore ${names}>${written.join('')}</messageStore>\n`);
  folder.write(`${PROXY}.xml`, proxyXml());
  folder.write('SimpleStockQuoteService1.xml', endpointXml(1, backEnd.port));
  folder.write('Forwarder1.xml', forwarderXml(1));
  const end = new PlannedEnd(join(folder.path, 'plan'));
  end.set({ point: POINTS.putConfirmed.name, nth: 1 });
  const { artifacts, data: dataDirectory } = folder;
  const runtime = await runMiniSynapse({ artifacts, dataDirectory, env: end.env });
  afterwards('runtime', () => runtime.kill());
  // One that was in flight when the runtime was killed may be delivered again, with the same id.
  const stored = () => new Set(backEnd.received.map(({ body, headers }) => `${headers['x-message-id']} ${body}`));
  const received = () => [...stored()].map((message) => message.slice(message.indexOf(' ') + 1));
  return { runtime, end, received };
}

async function place(runtime: MiniSynapse, order: string): Promise<number> {
  const headers = { 'Content-Type': 'text/plain', 'Idempotency-Key': `key of ${order}` };
  const reply = await call(runtime.service(PROXY), { headers, body: `order ${order}`, deadlineMs: DEADLINE_MS });
  return reply.status;
}
