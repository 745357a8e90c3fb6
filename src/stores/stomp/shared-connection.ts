import type { StompConnection } from './connection.ts';

/** One more connection to the broker that `beside` leads to. @throws StompConnectError */
export type OpenBeside = (beside: StompConnection, signal: AbortSignal) => Promise<StompConnection>;

interface Opened {
  readonly connection: Promise<StompConnection>;
  users: number;
}

/** One connection for many consumers: opened for the first one, closed when the last one leaves it. */
export class SharedConnection {
  readonly #openBeside: OpenBeside;
  readonly #life = new AbortController();
  #opened: Opened | undefined;

  constructor(openBeside: OpenBeside) {
    this.#openBeside = openBeside;
  }

  /** @throws StompConnectError; whoever comes next tries again */
  join(beside: StompConnection): Promise<StompConnection> {
    this.#opened ??= this.#open(beside);
    this.#opened.users += 1;
    return this.#opened.connection;
  }

  /** For whoever has joined it. Never throws. */
  async leave(connection: StompConnection): Promise<void> {
    const opened = this.#opened;
    // One that was lost has nobody to wait for.
    if (!opened || (await opened.connection.catch(() => undefined)) !== connection) return;
    opened.users -= 1;
    if (opened.users > 0) return;
    if (this.#opened === opened) this.#opened = undefined;
    await connection.close();
  }

  /** Nobody joins it any more. */
  close(): void {
    this.#life.abort();
  }

  #open(beside: StompConnection): Opened {
    const connection = this.#openBeside(beside, this.#life.signal);
    const opened = { connection, users: 0 };
    const over = () => {
      if (this.#opened === opened) this.#opened = undefined;
    };
    connection.then(({ ended }) => ended.then(over), over);
    return opened;
  }
}
