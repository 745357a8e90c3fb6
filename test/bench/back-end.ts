import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingBackEnd {
  readonly port: number;
  /** Requests so far. */
  readonly count: number;
  /** Messages by their X-Message-ID, each once. */
  readonly distinct: number;
  close(): Promise<void>;
}

/** Accepts everything at once, and counts it. */
export async function countingBackEnd(): Promise<CountingBackEnd> {
  const ids = new Set<string>();
  let count = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    request.on('end', () => {
      count += 1;
      ids.add(String(request.headers['x-message-id']).slice(-36));
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get count() {
      return count;
    },
    get distinct() {
      return ids.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
