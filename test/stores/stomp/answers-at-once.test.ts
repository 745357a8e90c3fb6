import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openStompConnection, type StompConnection } from '../../../src/stores/stomp/connection.ts';
import { waitFor } from '../../support/wait-for.ts';
import { CONNECTED, stompFrame } from '../stomp-server.ts';

let server: Server | undefined;
let connection: StompConnection | undefined;

afterEach(() => {
  connection?.destroy('the test is over');
  server?.close();
});

/** A broker of which nothing but the bytes that it hears is of interest. */
async function hearing() {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const opening = openStompConnection({ endpoint: { host: '127.0.0.1', port, tls: false }, heartBeatMs: 60_000 });
  const [socket] = await accepted;
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1');
  });
  await waitFor(() => heard.includes('\0'), { what: 'CONNECT' });
  heard = '';
  socket.write(CONNECTED);
  connection = await opening;
  return {
    connection,
    say: (frame: string) => socket.write(frame),
    /** Waits until what was heard since CONNECT ends like this. */
    hears: (end: RegExp) => waitFor(() => end.test(heard), { what: () => `${end} in ${JSON.stringify(heard)}` }),
    heard: () => heard,
  };
}

it.each([
  ['not when its only message is with us', true, ''],
  ['also behind a message when others may come', false, '\n'],
])('answers what comes in with a beat as long as something may come, %s', async (_, oneByOne, behindMessage) => {
  const { connection, say, hears, heard } = await hearing();
  const acknowledged = Promise.withResolvers<void>();
  const onMessage = async (ack: string | undefined) => {
    // A beat would have gone out by then.
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    await subscription.acknowledge(ack ?? '');
    acknowledged.resolve();
  };
  const subscription = connection.subscribe(
    { destination: '/queue/q', ack: 'client-individual' },
    ({ headers }) => void onMessage(headers.ack).catch(acknowledged.reject),
    { oneByOne },
  );
  await hears(/receipt:r2\n\n\0\n$/);
  say(stompFrame('RECEIPT', { 'receipt-id': 'r2' }));
  await subscription.confirmed;
  await hears(/\0\n\n$/);
  say(stompFrame('MESSAGE', { subscription: subscription.id, 'message-id': 'm', ack: 'a', destination: '/queue/q' }));
  await hears(/ACK\n[^\0]*receipt:r3\n\n\0\n$/);
  say(stompFrame('RECEIPT', { 'receipt-id': 'r3' }));
  await acknowledged.promise;
  await hears(/ACK\n[^\0]*\0\n\n$/);
  expect(heard()).toMatch(/^\n?SUBSCRIBE\n[^\0]*\0\n\n(\n?)ACK\n[^\0]*\0\n\n$/);
  expect(/\0\n\n(\n?)ACK/.exec(heard())?.[1]).toBe(behindMessage);
});
