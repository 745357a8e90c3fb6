import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { RawClient } from './raw-client.ts';

it('sending much leaves no listener behind on the connection', async () => {
  let taken = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      taken += chunk.length;
    });
    socket.on('end', () => socket.end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  try {
    const client = new RawClient(socket);
    await once(socket, 'connect');
    const listeners = () => socket.eventNames().map((name) => `${String(name)} ${socket.listenerCount(name)}`);
    const before = listeners();
    await client.sendAll(Buffer.alloc(256 * 1024), 40);
    expect(listeners()).toEqual(before);
    socket.end();
    await client.untilClosed();
    expect(taken).toBe(40 * 256 * 1024);
  } finally {
    socket.destroy();
    server.close();
  }
});
