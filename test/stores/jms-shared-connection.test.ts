import { afterEach, describe, expect, it } from 'vitest';
import { StompConnectError, type StompConnection, type StompLostError } from '../../src/stores/stomp/connection.ts';
import { encodeJmsMessage } from '../../src/stores/stomp/jms-message.ts';
import { SharedConnection } from '../../src/stores/stomp/shared-connection.ts';
import { waitFor } from '../support/wait-for.ts';
import { openJmsStore } from './jms-stores.ts';
import { storedMessage } from './messages.ts';
import { type Script, type StompServer, stompFrame, stompServer } from './stomp-server.ts';

const NOW = { signal: new AbortController().signal, waitMs: 5_000 };
const MAIN = {} as StompConnection;

const opened: Array<{ close(): Promise<void> }> = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

describe('the connection that consumers share', () => {
  function fakeConnection() {
    const { promise: ended, resolve } = Promise.withResolvers<StompLostError>();
    const fake = {
      ended,
      closed: 0,
      close: async () => {
        fake.closed += 1;
      },
      lose: () => resolve(new Error() as StompLostError),
    };
    return fake;
  }
  const of = (fake: object) => fake as unknown as StompConnection;

  it('is opened once, and closed when the last one leaves it', async () => {
    const made = [fakeConnection(), fakeConnection()] as const;
    let opens = 0;
    const shared = new SharedConnection(async () => of(made[opens++] ?? {}));
    const [one, other] = await Promise.all([shared.join(MAIN), shared.join(MAIN)]);
    expect(one).toBe(other);
    await shared.leave(one);
    expect(made[0].closed).toBe(0);
    await shared.leave(one);
    expect(made[0].closed).toBe(1);
    expect(await shared.join(MAIN)).toBe(made[1]);
  });

  it('is opened anew after it was lost, or did not come about; who had it leaves nobody else alone', async () => {
    const made = [fakeConnection(), fakeConnection()] as const;
    let opens = 0;
    let refuse = true;
    const shared = new SharedConnection(async () => {
      if (refuse) throw new StompConnectError('unreachable', 'refused');
      return of(made[opens++] ?? {});
    });
    await expect(shared.join(MAIN)).rejects.toThrow('refused');
    refuse = false;
    const first = await shared.join(MAIN);
    made[0].lose();
    await made[0].ended;
    await null;
    const second = await shared.join(MAIN);
    expect(second).not.toBe(first);
    await shared.leave(first);
    expect(made[1].closed).toBe(0);
  });
});

describe('a JMS store with consumers that share', () => {
  const MANY = 200;

  async function played(script: Script): Promise<StompServer> {
    const server = await stompServer(script);
    opened.push(server);
    return server;
  }

  /** Every subscription gets a message. */
  function pushing(): Script {
    let messages = 0;
    return ({ command, headers: { id = '', receipt = '' } }) => {
      if (command !== 'SUBSCRIBE') return undefined;
      messages += 1;
      const { 'content-length': _, ...rest } = encodeJmsMessage(storedMessage({ id: `m${messages}` })).headers;
      const fields = {
        ...rest,
        subscription: id,
        ack: `a${messages}`,
        'message-id': `m${messages}`,
        destination: '/queue/q',
      };
      return stompFrame('RECEIPT', { 'receipt-id': receipt }) + stompFrame('MESSAGE', fields, 'body');
    };
  }

  async function holdMany(server: StompServer) {
    const store = openJmsStore({ stompPort: server.port });
    opened.push(store);
    const consumers = Array.from({ length: MANY }, () => store.consumer({ shared: true }));
    const deliveries = await Promise.all(consumers.map((consumer) => consumer.receive(NOW)));
    expect(deliveries.filter((delivery) => delivery !== undefined)).toHaveLength(MANY);
    return { store, consumers, deliveries };
  }

  it('holds as many messages on one connection beside its own', async () => {
    const server = await played(pushing());
    const { deliveries, consumers } = await holdMany(server);
    expect(server.connections).toBe(2);
    await deliveries[0]?.done();
    await deliveries[1]?.release();
    const [ack, unsubscribe] = server.frames.slice(-2);
    expect(ack).toMatchObject({ command: 'ACK', headers: { id: 'a1' }, connection: 2 });
    expect(unsubscribe).toMatchObject({ command: 'UNSUBSCRIBE', connection: 2 });
    expect(deliveries[2]?.settled).toBe(false);
    // One that is closed gives back what it has, and takes nothing from the others.
    await consumers[2]?.close();
    expect(server.frames.at(-1)).toMatchObject({ command: 'UNSUBSCRIBE', connection: 2 });
    expect(deliveries[2]?.settled).toBe(true);
    await deliveries[3]?.done();
    await Promise.all(consumers.map((consumer) => consumer.close()));
    expect(server.frames.at(-1)).toMatchObject({ command: 'DISCONNECT', connection: 2 });
  });

  it('loses all of them with it, says so, and shares the next one', async () => {
    const server = await played(pushing());
    const { store, deliveries, consumers } = await holdMany(server);
    server.cut();
    await waitFor(() => deliveries.every((delivery) => delivery?.settled), { what: 'the loss' });
    // Its own first, of whose loss it may not know yet.
    await waitFor(() => server.connections > 2 && store.status().state === 'READY', { what: 'another connection' });
    const again = await Promise.all(consumers.slice(0, 20).map((consumer) => consumer.receive(NOW)));
    expect(again.filter((delivery) => delivery !== undefined)).toHaveLength(20);
    expect(server.connections).toBe(4);
  });
});
