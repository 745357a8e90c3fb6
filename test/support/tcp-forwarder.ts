import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/*
 * A TCP forwarder between a client and a server under test, for faults of the network that the server cannot have.
 *
 *   FORWARDING  bytes go both ways
 *   PAUSED      nothing is read from either side: the kernel's buffers fill, then writers are held back; resume() loses nothing
 *   BLACKHOLE   bytes are read and thrown away, ends are not passed on, new connections are accepted: a peer that is
 *               gone without a word. A connection that lost bytes stays dead after resume(), until cut() or its end
 *   REFUSING    nothing listens: connection refused. What was open goes on
 *
 * cut() resets all connections and leaves the state; resume() leads back to FORWARDING from everywhere.
 */

export type ForwarderState = 'forwarding' | 'paused' | 'blackhole' | 'refusing';

export interface TcpForwarder {
  /** On 127.0.0.1; stays the same. */
  readonly port: number;
  readonly state: ForwarderState;
  /** How many connections it has accepted so far. */
  readonly accepted: number;
  /** How many are open now. */
  readonly open: number;
  pause(): void;
  blackhole(): void;
  refuse(): Promise<void>;
  resume(): Promise<void>;
  /** RST to both sides of every connection. */
  cut(): void;
  /** Cuts everything and stops listening. */
  close(): Promise<void>;
}

export interface ForwarderOptions {
  readonly to: { readonly port: number; readonly host?: string };
  /** Default: the system chooses. For `refuse()` and `resume()` choose one with `freePort()`. */
  readonly port?: number;
}

export async function tcpForwarder(options: ForwarderOptions): Promise<TcpForwarder> {
  const forwarder = new Forwarder(options);
  await forwarder.listen();
  return forwarder;
}

class Forwarder implements TcpForwarder {
  readonly #to: { readonly port: number; readonly host: string };
  readonly #links = new Set<Link>();
  #server: Server | undefined;
  #port: number;
  #state: ForwarderState = 'forwarding';
  #accepted = 0;

  constructor({ to, port = 0 }: ForwarderOptions) {
    this.#to = { port: to.port, host: to.host ?? '127.0.0.1' };
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  get state(): ForwarderState {
    return this.#state;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get open(): number {
    return this.#links.size;
  }

  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) =>
      this.#accept(client),
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  pause(): void {
    this.#enter('paused');
  }

  blackhole(): void {
    this.#enter('blackhole');
  }

  async refuse(): Promise<void> {
    this.#enter('refusing');
    const server = this.#server;
    this.#server = undefined;
    // The port is closed at once; the call back would wait for the connections, which go on.
    server?.close();
  }

  async resume(): Promise<void> {
    await this.listen();
    this.#enter('forwarding');
  }

  cut(): void {
    for (const link of this.#links) link.cut();
  }

  async close(): Promise<void> {
    this.#server?.close();
    this.#server = undefined;
    const ends = [...this.#links].map((link) => link.gone);
    this.cut();
    await Promise.all(ends);
  }

  #enter(state: ForwarderState): void {
    this.#state = state;
    for (const link of this.#links) link.follow(state);
  }

  #accept(client: Socket): void {
    this.#accepted++;
    const link = new Link(client, connect({ ...this.#to, allowHalfOpen: true, noDelay: true }));
    this.#links.add(link);
    void link.gone.then(() => this.#links.delete(link));
    link.follow(this.#state);
  }
}

/** One connection of a client with its connection to the server. */
class Link {
  /** Resolves when both sides are closed; never rejects. */
  readonly gone: Promise<void>;
  readonly #sides: readonly [Socket, Socket];
  /** Once bytes were thrown away the stream has a hole, so nothing may ever follow. */
  #holed = false;
  /** One side ended and the other was not told. */
  #leftAlone = false;
  #state: ForwarderState = 'forwarding';

  constructor(client: Socket, server: Socket) {
    this.#sides = [client, server];
    this.gone = Promise.all([this.#carry(client, server), this.#carry(server, client)]).then(() => {});
  }

  follow(state: ForwarderState): void {
    this.#state = state;
    // Who was left alone in the black hole gets, after it, what a stranger's packet gets: a reset.
    if (state === 'forwarding' && this.#leftAlone) this.cut();
    for (const side of this.#sides) {
      if (state === 'paused') side.pause();
      else side.resume();
    }
  }

  cut(): void {
    for (const side of this.#sides) side.resetAndDestroy();
  }

  #carry(from: Socket, to: Socket): Promise<void> {
    from.on('data', (chunk) => {
      if (this.#state === 'blackhole') this.#holed = true;
      if (this.#holed || to.destroyed || to.writableEnded) return;
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => {
      if (this.#state !== 'paused') from.resume();
    });
    from.on('end', () => {
      if (this.#state === 'blackhole') this.#leftAlone = true;
      else to.end();
    });
    return new Promise((resolve) => {
      const ended = () => {
        if (this.#state === 'blackhole') this.#leftAlone = true;
        else to.destroySoon();
        resolve();
      };
      from.once('close', ended);
      // Errors end in 'close' too, but for one: a reset of a socket that was already shut down.
      from.on('error', () => {
        if (from.destroyed) ended();
      });
    });
  }
}
