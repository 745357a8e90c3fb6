import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { logger } from '../../logging/index.ts';
import type { Upgrades } from '../http/listening-inbound.ts';
import { type ClientOwner, WebSocketClient } from './client.ts';
import type { Frame } from './frame.ts';

const log = logger('InboundWebSocket');

export interface ClientsOptions {
  /** `Inbound endpoint [n]`. */
  readonly label: string;
  readonly maxClients: number;
  readonly maxFrameBytes: number;
  readonly concurrency: number;
  readonly pingMs: number;
  /** Who is sent a frame: the client, its path, its path without the client. */
  readonly broadcast: '0' | '1' | '2';
  readonly contentType: string | undefined;
  readonly subprotocols: readonly string[];
  readonly shutdown: { readonly code: number; readonly reason: string };
  /** A client is there; what it does comes before the client's first frame. Never rejects. */
  connected(client: WebSocketClient, request: IncomingMessage): Promise<void>;
  /** Never rejects. */
  received(client: WebSocketClient, frame: Frame): Promise<void>;
  /** Never rejects. */
  fromBackEnd(client: WebSocketClient, frame: Frame): Promise<void>;
}

/** The WebSocket clients of one inbound endpoint. */
export class WebSocketClients implements Upgrades, ClientOwner {
  readonly label: string;
  readonly concurrency: number;
  readonly pingMs: number;
  readonly #options: ClientsOptions;
  readonly #clients = new Set<WebSocketClient>();
  /** By path, for broadcasts. */
  readonly #paths = new Map<string, Set<WebSocketClient>>();
  #connecting = 0;
  #server: WebSocketServer | undefined;
  #closed = false;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.label = options.label;
    this.concurrency = options.concurrency;
    this.pingMs = options.pingMs;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', (error) => log.debug(`${this.label}: ${error.message}`));
    const { maxClients } = this.#options;
    const crowded = this.#clients.size + this.#connecting >= maxClients;
    if (crowded) log.warn(`${this.label}: a client is refused, ${maxClients} are connected`);
    if (this.#closed || crowded) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#connecting += 1;
    this.#accept(request, socket, head)
      .catch((error: unknown) => {
        log.error(`${this.label}: a client could not be accepted: ${String(error)}`);
        socket.destroy();
      })
      .finally(() => {
        this.#connecting -= 1;
      });
  }

  audience(client: WebSocketClient): Iterable<WebSocketClient> {
    const { broadcast } = this.#options;
    if (broadcast === '0') return [client];
    const others = this.#paths.get(client.path) ?? new Set();
    return broadcast === '1' ? others : [...others].filter((other) => other !== client);
  }

  received(client: WebSocketClient, frame: Frame): Promise<void> {
    return this.#options.received(client, frame);
  }

  fromBackEnd(client: WebSocketClient, frame: Frame): Promise<void> {
    return this.#options.fromBackEnd(client, frame);
  }

  left(client: WebSocketClient): void {
    this.#clients.delete(client);
    const others = this.#paths.get(client.path);
    others?.delete(client);
    if (others?.size === 0) this.#paths.delete(client.path);
  }

  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    const { code, reason } = this.#options.shutdown;
    await Promise.all([...this.#clients].map((client) => client.close(code, reason, deadlineMs)));
    this.#server?.close();
  }

  async #accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const server = await this.#webSockets();
    server.handleUpgrade(request, socket, head, (accepted) => {
      const { contentType } = this.#options;
      const path = request.url ?? '/';
      const client = new WebSocketClient(accepted, this, {
        path,
        contentType,
      });
      this.#clients.add(client);
      const others = this.#paths.get(path);
      if (others) others.add(client);
      else this.#paths.set(path, new Set([client]));
      client.begin(this.#options.connected(client, request));
      const { code, reason } = this.#options.shutdown;
      if (this.#closed) void client.close(code, reason, 0);
    });
  }

  /** The library is loaded when the first client comes. */
  async #webSockets(): Promise<WebSocketServer> {
    const { WebSocketServer: Server } = await import('ws');
    const { maxFrameBytes, subprotocols } = this.#options;
    this.#server ??= new Server({
      noServer: true,
      clientTracking: false,
      // Costs memory for every client, and a bomb is unpacked before its size is known.
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
      handleProtocols: (asked) => [...asked].find((one) => subprotocols.includes(one)) ?? false,
    });
    return this.#server;
  }
}
