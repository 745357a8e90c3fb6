import { afterEach, expect, it } from 'vitest';
import type { StoreDepth } from '../../src/stores/message-store.ts';
import { openJmsStore } from '../stores/jms-stores.ts';
import { storedMessage } from '../stores/messages.ts';
import { becomes, OpenStores } from '../stores/store-calls.ts';
import type { ActiveMqTestBroker } from '../support/servers/activemq.ts';
import { activemqWithMaps } from '../support/servers/activemq-maps.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';

/*
 * The depth of a queue that was long before this process came (OP-17): a browse ends after a page and says nothing of it, the broker's
 * statistics tell it.
 */

const PLUGIN = '<plugins><statisticsBrokerPlugin/></plugins>';
const BACKLOG = 600;
const AT_ONCE = 50;

const stores = new OpenStores();
afterEach(stores.closeAll);

async function depthOn(broker: ActiveMqTestBroker): Promise<StoreDepth> {
  const parameters = { 'x.depth.statistics': 'true' };
  const options = { name: 'Long', stompPort: broker.stompPort, parameters };
  const before = openJmsStore(options);
  for (let stored = 0; stored < BACKLOG; stored += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => before.put(storedMessage())));
  }
  await before.close();
  const store = stores.add(openJmsStore(options));
  await becomes(store, 'READY');
  return store.depth();
}

const plain = await findOrInstall(activemq);
plain.describe('the depth of a long queue that was there before', () => {
  it('is not known from a browse, and says so', async () => {
    const { count, estimated } = await depthOn(await plain.start());
    expect(estimated).toBe(true);
    if (count !== 'unknown') expect(count).toBeLessThanOrEqual(BACKLOG);
  });
});

const withMaps = await findOrInstall(activemqWithMaps);
withMaps.describe('the depth of a long queue that was there before, with the StatisticsBrokerPlugin (OP-17)', () => {
  it('is exact', async () => {
    expect(await depthOn(await withMaps.start({ extraXml: PLUGIN }))).toEqual({ count: BACKLOG, estimated: false });
  });
});
