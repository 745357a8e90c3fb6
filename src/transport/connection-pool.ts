import type { Socket } from 'node:net';
import type { buildConnector, Dispatcher, Client as UndiciClient, Pool as UndiciPool } from 'undici';
import { undiciParts } from './undici.ts';

/** One connection slot of a pool: the socket that is in it now, and how it was used. */
export class Connection {
  #socket: Socket | undefined;
  #requests = 0;

  opened(socket: Socket): void {
    this.#socket = socket;
    this.#requests = 0;
  }

  /** A request goes out on the connection; what is returned belongs to this request alone. */
  beginRequest(): ConnectionUse {
    this.#requests += 1;
    return new ConnectionUse(this.#socket, this.#requests > 1);
  }
}

/** One request's use of a connection. */
export class ConnectionUse {
  /** An earlier request went over the same socket, so the back end may have closed it meanwhile. */
  readonly reused: boolean;
  readonly #socket: Socket | undefined;
  readonly #bytesReadBefore: number;
  #unsent = false;
  readonly #onDrain = () => {
    this.#unsent = false;
  };

  constructor(socket: Socket | undefined, reused: boolean) {
    this.#socket = socket;
    this.reused = reused;
    this.#bytesReadBefore = socket?.bytesRead ?? 0;
  }

  /** To be called once the request was handed to the socket: notes whether some of it is still waiting in this process. */
  watchWriting(): void {
    if (!this.#socket?.writableNeedDrain) return;
    this.#unsent = true;
    this.#socket.once('drain', this.#onDrain);
  }

  end(): void {
    this.#socket?.off('drain', this.#onDrain);
  }

  /** Part of the request has not left this process. */
  get unsent(): boolean {
    return this.#unsent;
  }

  /** What the socket has not given away yet, bytes. */
  get unwritten(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Not a single byte came back since the request began. */
  get silent(): boolean {
    return this.#socket !== undefined && this.#socket.bytesRead === this.#bytesReadBefore;
  }
}

/** Dispatch options that learn which connection their request was given to. */
export interface TrackedDispatchOptions extends Dispatcher.DispatchOptions {
  assigned(connection: Connection): void;
}

type TrackedClient = new (
  origin: URL,
  options: UndiciClient.Options,
  connect: buildConnector.connector,
) => UndiciClient;

let tracked: TrackedClient | undefined;

/** An undici client that tells its requests about its connection; undici itself keeps that to itself. */
function trackedClient(): TrackedClient {
  tracked ??= class TrackedClient extends undiciParts().Client {
    readonly #connection: Connection;

    constructor(origin: URL, options: UndiciClient.Options, connect: buildConnector.connector) {
      const connection = new Connection();
      super(origin, {
        ...options,
        connect: (target, done) =>
          connect(target, (...outcome) => {
            if (outcome[1]) connection.opened(outcome[1]);
            done(...outcome);
          }),
      });
      this.#connection = connection;
    }

    override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
      (options as TrackedDispatchOptions).assigned(this.#connection);
      return super.dispatch(options, handler);
    }
  };
  return tracked;
}

export interface PoolSettings {
  readonly connections: number;
  readonly keepAliveTimeoutMs: number;
  /** Longest silence while the response is awaited or received, ms. */
  readonly socketTimeoutMs: number;
  readonly connect: buildConnector.connector;
}

/** The keep-alive connections to one origin. */
export class ConnectionPool {
  readonly #pool: UndiciPool;
  /** Requests that were handed to the pool and neither started nor failed yet. */
  waiting = 0;
  /** Requests that are not over yet, waiting ones included. */
  active = 0;
  lastUsed = 0;

  constructor(origin: string, settings: PoolSettings) {
    const { connect } = settings;
    const TrackedClient = trackedClient();
    this.#pool = new (undiciParts().Pool)(origin, {
      connections: settings.connections,
      pipelining: 1,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      headersTimeout: settings.socketTimeoutMs,
      bodyTimeout: settings.socketTimeoutMs,
      connect,
      factory: (url: URL, options: object) => new TrackedClient(url, options as UndiciClient.Options, connect),
    });
  }

  dispatch(options: TrackedDispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch(options, handler);
  }

  /** Waits for what is under way, then closes the connections. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Fails what is under way and closes the connections. */
  destroy(): Promise<void> {
    return this.#pool.destroy();
  }
}
