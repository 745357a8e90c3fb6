import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ChannelModel } from 'amqplib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AmqpConnection } from '../../../src/stores/amqp/connection.ts';

/** What amqplib would have made of a socket. */
function modelOf(stream: Socket): ChannelModel {
  const model = Object.assign(new EventEmitter(), { connection: { stream, serverProperties: {} } });
  return model as unknown as ChannelModel;
}

describe('whenWritten', () => {
  const server = createServer({ pauseOnConnect: true });
  let socket: Socket;
  let peer: Socket;
  let connection: AmqpConnection;

  beforeEach(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connected = once(server, 'connection');
    socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    [peer] = (await connected) as [Socket];
    peer.on('error', () => undefined);
    connection = new AmqpConnection(modelOf(socket), new AbortController(), {
      address: { host: '127.0.0.1', port },
      user: 'u',
      password: 'p',
      virtualHost: '/',
      tls: undefined,
      heartBeatMs: 60_000,
      connectionName: 'test',
    });
  });

  afterEach(async () => {
    connection.destroy('the test is over');
    socket.destroy();
    peer.destroy();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });

  test('is told when what amqplib writes in an immediate is in the hands of the system', async () => {
    let written = false;
    process.nextTick(() =>
      setImmediate(() => {
        written = true;
        socket.write('a frame');
      }),
    );
    await new Promise<void>((resolve) => connection.whenWritten(resolve));
    expect(written).toBe(true);
    expect(socket.bytesWritten).toBe('a frame'.length);
    const got = once(peer, 'data');
    peer.resume();
    expect(String((await got)[0])).toBe('a frame');
  });

  test('waits for a peer that does not read', async () => {
    // More than the system keeps for both sides.
    const bytes = 64 * 1024 * 1024;
    socket.write(Buffer.alloc(bytes));
    let told = false;
    const done = new Promise<void>((resolve) => connection.whenWritten(resolve)).then(() => (told = true));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(false);
    peer.resume();
    await done;
    expect(socket.writableLength).toBe(0);
  });

  test('is not told of what is lost', async () => {
    let told = false;
    connection.whenWritten(() => (told = true));
    connection.destroy('gone');
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(false);
  });
});
