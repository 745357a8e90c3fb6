import { type AddressInfo, createServer, type Socket } from 'node:net';

/** How a peer misbehaves once it has accepted a connection. */
export type Misbehaviour =
  /** It closes at once. */
  | 'accept-and-drop'
  /** It reads everything and never answers. */
  | 'accept-and-silent'
  /** It answers with bytes that are no protocol at all, again and again. */
  | 'garbage';

export interface MisbehavingServer {
  /** On 127.0.0.1. */
  readonly port: number;
  /** The times of all connections so far, as of performance.now(). */
  readonly connections: readonly number[];
  /** How many of them are open now. */
  readonly open: number;
  /** Stops listening and cuts what is open. */
  close(): Promise<void>;
}

const behaviours: Record<Misbehaviour, (socket: Socket) => void> = {
  'accept-and-drop': (socket) => socket.destroy(),
  'accept-and-silent': (socket) => socket.resume(),
  garbage: (socket) => {
    socket.resume();
    const rave = setInterval(() => socket.write(Buffer.from([0x00, 0xff, 0x16, 0x03, 0x0a, 0x3a, 0x0a, 0xfe])), 20);
    socket.once('close', () => clearInterval(rave));
  },
};

/** A TCP server on a loopback port that accepts every connection and then behaves like that. */
export async function misbehavingServer(behaviour: Misbehaviour, port = 0): Promise<MisbehavingServer> {
  const connections: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections.push(performance.now());
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // The other side may reset at any time: that is its good right here.
    socket.on('error', () => {});
    behaviours[behaviour](socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    get open() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
