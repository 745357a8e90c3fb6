import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, freePorts } from './free-ports.ts';
import { misbehavingServer } from './misbehaving-server.ts';
import { type TcpForwarder, tcpForwarder } from './tcp-forwarder.ts';
import { WaitedInVainError, waitFor } from './wait-for.ts';

describe('waitFor', () => {
  it('gives what the condition gave, also after errors', async () => {
    let looks = 0;
    const condition = () => {
      looks++;
      if (looks === 1) throw new Error('too early');
      return looks === 3 && 'now';
    };
    expect(await waitFor(condition, { what: 'the third look', everyMs: 1 })).toBe('now');
  });

  it('names what it waited for and why it was not so', async () => {
    const cause = new Error('connection refused');
    const failing = waitFor(() => Promise.reject(cause), { what: () => 'the broker', deadlineMs: 20 });
    await expect(failing).rejects.toThrow(WaitedInVainError);
    await expect(failing).rejects.toMatchObject({ message: 'waited 20 ms for the broker', cause });
  });
});

describe('free ports', () => {
  it('are different, and below those of outgoing connections', async () => {
    const ports = await freePorts(5);
    expect(new Set(ports).size).toBe(5);
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });
});

describe('a misbehaving server', () => {
  it('accepts and drops', async () => {
    const server = await misbehavingServer('accept-and-drop');
    for (const _ of [1, 2]) expect(await buffer(connect(server.port, '127.0.0.1'))).toHaveLength(0);
    expect(server.connections).toHaveLength(2);
    await server.close();
  });

  it('accepts and stays silent', async () => {
    const server = await misbehavingServer('accept-and-silent');
    const socket = connect(server.port, '127.0.0.1');
    let ended = false;
    socket
      .on('data', () => expect.unreachable('it spoke'))
      .on('close', () => {
        ended = true;
      });
    socket.write('hello?');
    await waitFor(() => server.open === 1, { what: 'the connection' });
    await delay(50);
    expect(ended).toBe(false);
    await server.close();
    await waitFor(() => ended, { what: 'the end of the connection' });
  });

  it('talks garbage', async () => {
    const server = await misbehavingServer('garbage');
    const socket = connect(server.port, '127.0.0.1');
    const [bytes] = await once(socket, 'data');
    expect(bytes).toContain(0xff);
    socket.destroy();
    await waitFor(() => server.open === 0, { what: 'the end of the connection' });
    await server.close();
  });
});

describe('a TCP forwarder', () => {
  let echo: Server;
  let echoed: Set<Socket>;
  let forwarder: TcpForwarder;
  let client: Socket;
  let received: string;

  beforeEach(async () => {
    echoed = new Set();
    echo = createServer((socket) => {
      echoed.add(socket);
      socket.once('close', () => echoed.delete(socket));
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    await once(echo.listen(0, '127.0.0.1'), 'listening');
    const to = { port: (echo.address() as AddressInfo).port };
    forwarder = await tcpForwarder({ to, port: await freePort() });
    client = await dial();
    client.write('a');
    await arrival('a');
  });

  afterEach(async () => {
    client.destroy();
    await forwarder.close();
    for (const socket of echoed) socket.destroy();
    await new Promise((resolve) => echo.close(resolve));
  });

  async function dial(): Promise<Socket> {
    received = '';
    const socket = connect(forwarder.port, '127.0.0.1').setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
    });
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  const arrival = (text: string) => waitFor(() => received === text, { what: () => `${text} instead of ${received}` });

  it('loses nothing over a pause', async () => {
    forwarder.pause();
    client.write('b');
    await delay(50);
    expect(received).toBe('a');
    await forwarder.resume();
    await arrival('ab');
  });

  it('is a black hole that keeps what it swallowed', async () => {
    forwarder.blackhole();
    client.write('b');
    await delay(50);
    await forwarder.resume();
    client.write('c');
    await delay(50);
    expect(received).toBe('a');
    expect(client.destroyed).toBe(false);
    client.destroy();
    client = await dial();
    client.write('d');
    await arrival('d');
  });

  it('passes an end on, and hides it in a black hole until it is resumed', async () => {
    forwarder.blackhole();
    client.destroy();
    await delay(50);
    expect(echoed.size).toBe(1);
    await forwarder.resume();
    await waitFor(() => echoed.size === 0 && forwarder.open === 0, { what: 'the end to arrive' });
    client = await dial();
    client.end('bye');
    await arrival('bye');
    await waitFor(() => echoed.size === 0 && forwarder.open === 0, { what: 'the end to arrive' });
  });

  it('cuts connections and takes new ones', async () => {
    forwarder.cut();
    await waitFor(() => client.destroyed && echoed.size === 0 && forwarder.open === 0, {
      what: 'both sides to be cut',
    });
    client = await dial();
    client.write('b');
    await arrival('b');
    expect(forwarder.accepted).toBe(2);
  });

  it('refuses connections, and takes them again on the same port', async () => {
    const { port } = forwarder;
    await forwarder.refuse();
    const [error] = await once(connect(port, '127.0.0.1'), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    client.write('b');
    await arrival('ab');
    await forwarder.resume();
    expect(forwarder.port).toBe(port);
    client.destroy();
    client = await dial();
    client.write('c');
    await arrival('c');
  });
});
