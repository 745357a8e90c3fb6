import { afterEach, expect, it } from 'vitest';
import { openStompConnection, type StompConnection, StompLostError } from '../../../src/stores/stomp/connection.ts';
import { SenderPool } from '../../../src/stores/stomp/sender-pool.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type StompServer, stompServer } from '../stomp-server.ts';

const ends: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Played {
  readonly server: StompServer;
  readonly main: StompConnection;
  readonly pool: SenderPool;
  /** Confirms what comes from now on, unless over one of these connections. */
  confirm(...except: number[]): void;
}

/** A broker that confirms nothing until it is told to. */
async function play(open?: () => Promise<StompConnection>): Promise<Played> {
  let silent: readonly number[] | undefined;
  const server = await stompServer(({ command, connection }) => {
    if (command !== 'SEND') return undefined;
    return silent === undefined || silent.includes(connection) ? '' : undefined;
  });
  ends.push(() => server.close());
  const endpoint = { host: '127.0.0.1', port: server.port, tls: false };
  const connect = () => openStompConnection({ endpoint, heartBeatMs: 10_000 });
  const main = await connect();
  const pool = new SenderPool(main, { store: 'Kept', queue: 'q', open: open ?? connect });
  ends.push(async () => {
    await pool.close();
    main.destroy('the test is over');
  });
  const confirm = (...except: number[]) => {
    silent = except;
  };
  return { server, main, pool, confirm };
}

const message = (body: string) => ({ headers: {}, body: Buffer.from(body), put: body });

function send(pool: SenderPool, body: string): Promise<unknown> {
  return pool.send(message(body), false, () => true).catch((error: unknown) => error);
}

function sent({ frames }: StompServer, connection?: number) {
  return frames.filter((frame) => frame.command === 'SEND' && (connection ?? frame.connection) === frame.connection);
}

const busy = (pool: SenderPool, name: string, count: number) =>
  Array.from({ length: count }, (_, index) => send(pool, `${name}${index}`));

it('stays with one connection while few messages are unconfirmed', async () => {
  const { server, pool } = await play();
  void busy(pool, 'a', 6);
  await waitFor(() => sent(server).length === 6, { what: 'the messages' });
  expect(server.connections).toBe(1);
});

it('opens others when all are busy, three in all, and uses the one with the fewest', async () => {
  const { server, pool } = await play();
  void busy(pool, 'a', 7);
  await waitFor(() => server.connections === 2, { what: 'a second connection' });
  await waitFor(
    async () => {
      void send(pool, `more${sent(server).length}`);
      return server.connections === 3;
    },
    { what: 'a third connection' },
  );
  await waitFor(
    async () => {
      void send(pool, `last${sent(server).length}`);
      return sent(server, 3).length > 0;
    },
    { what: 'a message on the third connection' },
  );
  void busy(pool, 'b', 30);
  await waitFor(() => sent(server).length >= 37, { what: 'the messages' });
  expect(server.connections).toBe(3);
});

it('sends again over the first one what another one that was lost has not confirmed', async () => {
  const { server, main, pool, confirm } = await play();
  void busy(pool, 'a', 7);
  await waitFor(() => server.connections === 2, { what: 'a second connection' });
  confirm(2);
  const puts: Promise<unknown>[] = [];
  await waitFor(
    async () => {
      puts.push(send(pool, `b${puts.length}`));
      return sent(server, 2).length > 0;
    },
    { what: 'a message on the second connection' },
  );
  const [lost] = sent(server, 2);
  server.cutOne(2);
  expect(await Promise.all(puts)).toEqual(puts.map(() => undefined));
  expect(main.lost).toBeUndefined();
  const again = sent(server, 1).find(({ body }) => body === lost?.body);
  expect(again?.headers).toMatchObject({ SynapsePut: lost?.body, SynapseSentAgain: 'true' });
});

it('ends them all with the first one', async () => {
  const { server, main, pool } = await play();
  const puts = busy(pool, 'a', 7);
  await waitFor(() => server.connections === 2, { what: 'a second connection' });
  const more: Promise<unknown>[] = [];
  await waitFor(
    async () => {
      more.push(send(pool, `b${more.length}`));
      return sent(server, 2).length > 0;
    },
    { what: 'a message on the second connection' },
  );
  main.destroy('lost');
  for (const outcome of await Promise.all([...puts, ...more])) expect(outcome).toBeInstanceOf(StompLostError);
  await waitFor(() => server.open === 0, { what: 'no connection' });
});

it('goes on with one where the broker takes no more connections, and does not ask at every message', async () => {
  let asked = 0;
  const { server, pool } = await play(async () => {
    asked += 1;
    throw new Error('too many connections');
  });
  void busy(pool, 'a', 20);
  await waitFor(() => sent(server).length === 20, { what: 'the messages' });
  void busy(pool, 'b', 20);
  await waitFor(() => sent(server).length === 40, { what: 'more messages' });
  expect(asked).toBe(1);
});
