import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { openJmsStore } from '../stores/jms-stores.ts';
import { storedMessage } from '../stores/messages.ts';
import { drain, FOR_EVER, next, OpenStores } from '../stores/store-calls.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { type TcpForwarder, tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(activemq);
const MANY = 300;

server.describe('consumers of a JMS store that share a connection, on ActiveMQ', () => {
  const stores = new OpenStores();
  let broker: ActiveMqBroker;
  let network: TcpForwarder;

  beforeAll(async () => {
    broker = await server.start();
    network = await tcpForwarder({ to: { port: broker.stompPort } });
  });

  afterEach(stores.closeAll);

  afterAll(async () => {
    await network?.close();
    await broker?.close();
  });

  const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${String(index).padStart(3, '0')}`);

  it(`hold ${MANY} messages over two connections in all, and give back in order what is not settled`, async () => {
    const store = stores.add(openJmsStore({ stompPort: network.port, queue: 'shared-consumers' }));
    for (const id of ids(MANY)) await store.put(storedMessage({ id }));
    const consumers = Array.from({ length: MANY }, () => store.consumer({ shared: true }));
    const held = [];
    for (const consumer of consumers) held.push(await next(consumer));
    expect(held.map(({ message }) => message.id)).toEqual(ids(MANY));
    expect(network.open).toBe(2);
    // Out of order, and from the middle.
    await held[150]?.done();
    await held[3]?.done();
    await consumers[7]?.close();
    expect((await next(store.consumer({ shared: true }))).message.id).toBe('m007');
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await stores.closeAll();
    const again = stores.add(openJmsStore({ stompPort: network.port, queue: 'shared-consumers' }));
    const left = await drain(again);
    expect(left.map(({ id }) => id).sort()).toEqual(ids(MANY).filter((id) => id !== 'm150' && id !== 'm003'));
  });

  it('all lose what they hold when it is cut, and get it again over one new one', async () => {
    const store = stores.add(openJmsStore({ stompPort: network.port, queue: 'shared-consumers-cut' }));
    for (const id of ids(50)) await store.put(storedMessage({ id }));
    const consumers = Array.from({ length: 50 }, () => store.consumer({ shared: true }));
    const held = await Promise.all(consumers.map((consumer) => next(consumer)));
    network.cut();
    await waitFor(() => held.every(({ settled }) => settled), { what: 'the loss of all deliveries' });
    const again = await Promise.all(
      consumers.map((consumer) => consumer.receive({ signal: FOR_EVER, waitMs: 20_000 })),
    );
    expect(again.map((delivery) => delivery?.message?.id).sort()).toEqual(ids(50));
    expect(network.open).toBe(2);
    for (const delivery of again) await delivery?.done();
    expect(await drain(store)).toEqual([]);
  });
});
