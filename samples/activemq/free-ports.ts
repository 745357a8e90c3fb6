import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/*
 * Ports for servers that are stopped and started again on the same port. A port that the system picks (listen on 0) is
 * from the range of outgoing connections: while its server is down another process may get it, or a client that tries to
 * connect to it over and over may end up connected to itself. So these are picked at random below that range.
 */

const lowest = 16_000;
const attempts = 200;

/** @returns `count` different TCP ports that are free on 127.0.0.1 now. @throws Error when none are to be found */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  const end = startOfOutgoingPorts();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt === attempts + count) throw new Error(`found no ${count} free ports between ${lowest} and ${end}`);
    const port = randomInt(lowest, end);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('found no free port');
  return port;
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

function startOfOutgoingPorts(): number {
  const usual = 32_768;
  try {
    const [start] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    const port = Number(start);
    return port > lowest + 1_000 ? Math.min(port, usual) : usual;
  } catch {
    // Not Linux: the usual ranges start at 32,768 or 49,152.
    return usual;
  }
}
