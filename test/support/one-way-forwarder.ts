import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Between a client and a server; what the server answers can be thrown away while it still hears the client. */
export interface OneWayForwarder {
  /** On 127.0.0.1. */
  readonly port: number;
  /** From now on the answers on the connections that are open are thrown away. */
  mute(): void;
  /** Ends all connections; new ones go both ways again. */
  cut(): void;
  close(): Promise<void>;
}

export async function oneWayForwarder(port: number): Promise<OneWayForwarder> {
  const links = new Set<{ readonly client: Socket; readonly server: Socket; muted: boolean }>();
  const listener = createServer((client) => {
    const link = { client, server: connect({ host: '127.0.0.1', port }), muted: false };
    links.add(link);
    const { server } = link;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        links.delete(link);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (chunk) => server.write(chunk));
    server.on('data', (chunk) => {
      if (!link.muted) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const { client, server } of links) {
      client.destroy();
      server.destroy();
    }
  };
  return {
    port: (listener.address() as AddressInfo).port,
    mute() {
      for (const link of links) link.muted = true;
    },
    cut,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        cut();
      }),
  };
}
