import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A request as a back end got it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Counts connections from 1: equal for requests on one connection. */
  readonly connection: number;
}

/** How the back end answers; what is not said is taken from the request. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
  /** Never answers. */
  readonly silent?: boolean;
  /** Answers after so many ms. */
  readonly delayMs?: number;
}

export interface EchoBackEnd {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly received: Received[];
  /** How requests are answered from now on; default: 200 with their own bytes and Content-Type. */
  answer: (request: Received) => Answer;
  close(): Promise<void>;
}

/** A back end that sends back what it gets, and remembers it. */
export async function echoBackEnd(): Promise<EchoBackEnd> {
  const received: Received[] = [];
  const connections = new Map<Socket, number>();
  const timers = new Set<NodeJS.Timeout>();
  let count = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, async (incoming, outgoing) => {
    const request = await read(incoming, connections.get(incoming.socket) ?? 0).catch(() => undefined);
    if (!request) return;
    received.push(request);
    const answer = backEnd.answer(request);
    if (answer.silent) return;
    if (answer.delayMs === undefined) {
      write(outgoing, request, answer);
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      write(outgoing, request, answer);
    }, answer.delayMs);
    timers.add(timer);
  });
  server.on('connection', (socket) => {
    count += 1;
    connections.set(socket, count);
    socket.once('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const backEnd: EchoBackEnd = {
    port,
    url: `http://127.0.0.1:${port}`,
    received,
    answer: () => ({}),
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return backEnd;
}

async function read(incoming: IncomingMessage, connection: number): Promise<Received> {
  const { method = '', url = '', headers, rawHeaders } = incoming;
  return { method, url, headers, rawHeaders, connection, body: await buffer(incoming) };
}

function write(outgoing: ServerResponse, request: Received, { status = 200, headers, body }: Answer): void {
  const type = request.headers['content-type'];
  const own = headers ?? (type === undefined ? {} : { 'Content-Type': type });
  const bytes = body === undefined ? request.body : Buffer.from(body);
  outgoing.writeHead(status, own);
  outgoing.end(bytes);
}
