import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { PutFailure, PutWindow } from '../../../src/stores/broker/put-window.ts';
import { openStompConnection, type StompConnection } from '../../../src/stores/stomp/connection.ts';
import type { JmsMessage } from '../../../src/stores/stomp/jms-message.ts';
import { SenderPool } from '../../../src/stores/stomp/sender-pool.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type Script, type StompServer, stompFrame, stompServer } from '../stomp-server.ts';

const ends: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A pool on a broker that is played, and the window that stands before it in a store. */
class Played {
  readonly server: StompServer;
  readonly main: StompConnection;
  readonly pool: SenderPool;
  readonly window: PutWindow<JmsMessage>;
  /** The connections beside the first one. */
  readonly beside: StompConnection[] = [];

  static async begin(script: Script, deadlineMs: number, heartBeatMs: number): Promise<Played> {
    const server = await stompServer(script);
    ends.push(() => server.close());
    const endpoint = { host: '127.0.0.1', port: server.port, tls: false };
    const connect = () => openStompConnection({ endpoint, heartBeatMs: 10_000 });
    return new Played(server, await connect(), connect, deadlineMs, heartBeatMs);
  }

  private constructor(
    server: StompServer,
    main: StompConnection,
    connect: () => Promise<StompConnection>,
    deadlineMs: number,
    heartBeatMs: number,
  ) {
    this.server = server;
    this.main = main;
    const open = async () => {
      const connection = await connect();
      this.beside.push(connection);
      return connection;
    };
    this.pool = new SenderPool(main, { store: 'Kept', queue: 'q', open });
    const supervisor = { lastError: undefined, trouble: () => undefined, troubleOver: () => undefined };
    this.window = new PutWindow({ supervisor, deadlineMs, heartBeatMs });
    this.window.use(this.pool);
    ends.push(async () => {
      await this.window.close(0);
      await this.pool.close();
      main.destroy('the test is over');
    });
  }

  /** @returns 'stored', or why it was not */
  put(body: string, size = 1): Promise<unknown> {
    return this.window.put(message(body), size).then(
      () => 'stored',
      (error: unknown) => error,
    );
  }

  send(body: string): Promise<unknown> {
    return this.pool.send(message(body), false, () => true).catch((error: unknown) => error);
  }

  /** Puts seven messages at once: one more than a connection takes before there is another, and waits for that. */
  async widen(): Promise<Promise<unknown>[]> {
    const puts = Array.from({ length: 7 }, (_, index) => this.put(`w${index}`));
    await waitFor(() => this.beside.length > 0, { what: 'a second connection' });
    await nextTurn();
    return puts;
  }

  sent(body: string) {
    return this.server.frames.filter((frame) => frame.command === 'SEND' && frame.body === body);
  }
}

const message = (body: string): JmsMessage => ({ headers: {}, body: Buffer.from(body), put: body });

/** As many bytes as the window takes, without the seven messages before. */
const ALL_THE_ROOM = 64 * 1024 * 1024 - 7;

it('does not send again what has failed, and has room again when its connection ends', async () => {
  const script: Script = ({ command, body }) => (command === 'SEND' && !body.startsWith('Y') ? '' : undefined);
  // With such a heart-beat nothing is ended for its silence.
  const played = await Played.begin(script, 400, 3_600_000);
  const { server, main, beside } = played;
  const widened = await played.widen();
  expect(await played.put('X', ALL_THE_ROOM)).toBeInstanceOf(PutFailure);
  for (const put of widened) expect(await put).toBeInstanceOf(PutFailure);
  expect(played.sent('X')).toMatchObject([{ connection: 2 }]);
  server.cutOne(2);
  await beside[0]?.ended;
  await nextTurn();
  const stored = await waitFor(async () => (await played.put('Y', ALL_THE_ROOM)) === 'stored', { what: 'room' });
  expect(stored).toBe(true);
  expect(played.sent('X')).toHaveLength(1);
  expect(main.lost).toBeUndefined();
});

it('ends only the connection that is silent, and goes on with the others', async () => {
  const script: Script = ({ command, connection }) => (command === 'SEND' && connection > 1 ? '' : undefined);
  const played = await Played.begin(script, 400, 1);
  const { server, main, beside } = played;
  const widened = await played.widen();
  await Promise.all(widened);
  const puts = [played.put('a'), played.put('X')];
  await waitFor(() => played.sent('X').length > 0, { what: 'the message', everyMs: 5 });
  expect(played.sent('X')).toMatchObject([{ connection: 2 }]);
  expect(await puts[1]).toBeInstanceOf(PutFailure);
  expect((await beside[0]?.ended)?.message).toMatch(/silent for \d+ ms while confirmations are due/);
  await waitFor(() => server.open === 1, { what: 'the end of the second connection' });
  expect(main.lost).toBeUndefined();
  await waitFor(async () => (await played.put('Z')) === 'stored', { what: 'a message to be stored' });
  expect(played.sent('X')).toHaveLength(1);
});

it('does not take a connection that has just got its first message for a silent one', async () => {
  const swallowed = ['B1', 'B2', 'late'];
  const played = await Played.begin(
    ({ command, body }) => (command === 'SEND' && swallowed.includes(body) ? '' : undefined),
    60_000,
    10_000,
  );
  const { server, main, beside, pool } = played;
  await Promise.all(await played.widen());
  const [a, first, b] = [played.send('A'), played.send('B1'), played.send('C'), played.send('B2')];
  await Promise.all([a, b]);
  await waitFor(() => played.sent('B2').length > 0 && main.silentMs > 100, { what: 'silence' });
  server.say(2, stompFrame('RECEIPT', { 'receipt-id': played.sent('B1')[0]?.headers.receipt ?? '' }));
  await first;
  await waitFor(() => (beside[0]?.silentMs ?? 0) > 200, { what: 'more silence' });
  void played.send('late');
  expect(pool.silentMs).toBeLessThan(main.silentMs);
  pool.destroy('silent');
  expect(beside[0]?.lost?.message).toContain('silent');
  expect(main.lost).toBeUndefined();
  await waitFor(() => played.sent('B2').length === 2, { what: 'the message over the first connection' });
  expect(played.sent('late')).toMatchObject([{ connection: 1 }]);
});

it('ends the first one when none has anything unconfirmed', async () => {
  const played = await Played.begin(() => undefined, 60_000, 10_000);
  await Promise.all(await played.widen());
  played.pool.destroy('over');
  expect(played.main.lost?.message).toContain('over');
  await waitFor(() => played.server.open === 0, { what: 'no connection' });
});

it('does not connect over and over to a broker that connects and drops', async () => {
  const script: Script = ({ command, connection }) => {
    if (command === 'CONNECT' && connection > 1) setImmediate(() => played.server.cutOne(connection));
    return command === 'SEND' ? '' : undefined;
  };
  const played = await Played.begin(script, 60_000, 10_000);
  const { server, main } = played;
  for (let round = 1; round <= 20; round += 1) {
    for (let index = 0; index < 10; index += 1) void played.put(`${round}-${index}`);
    const what = `the messages of round ${round}`;
    await waitFor(() => new Set(server.frames.map(({ body }) => body)).size > round * 10, { what });
  }
  expect(server.connections).toBeGreaterThan(1);
  expect(server.connections).toBeLessThanOrEqual(3);
  expect(main.lost).toBeUndefined();
});
