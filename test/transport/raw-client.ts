import { connect, type Socket } from 'node:net';

/** A TCP connection that says exactly what a test wants to say. */
export class RawClient {
  readonly #socket: Socket;
  #received = '';
  readonly #waiting = new Set<() => void>();
  closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return client;
  }

  get received(): string {
    return this.#received;
  }

  send(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** Sends without a limit to what is buffered; ends quietly when the other side closes. */
  async sendAll(chunk: Uint8Array, times: number): Promise<void> {
    for (let sent = 0; sent < times && !this.closed; sent += 1) {
      if (!this.#socket.write(chunk)) await this.#room();
    }
  }

  /** Resolves when there is room for more, or nobody to take it any more. */
  #room(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves when the text received matches. */
  until(pattern: RegExp, deadlineMs = 10_000): Promise<string> {
    return this.#wait(() => pattern.test(this.#received), `nothing like ${pattern}`, deadlineMs);
  }

  /** Resolves when the other side has closed the connection. */
  untilClosed(deadlineMs = 10_000): Promise<string> {
    return this.#wait(() => this.closed, 'an open connection', deadlineMs);
  }

  async #wait(done: () => boolean, otherwise: string, deadlineMs: number): Promise<string> {
    const deadline = Date.now() + deadlineMs;
    while (!done()) {
      const left = deadline - Date.now();
      if (left <= 0 || (this.closed && !done())) {
        throw new Error(
          `After ${deadlineMs - left} ms still ${otherwise}; received: ${JSON.stringify(this.#received)}`,
        );
      }
      const { promise, resolve: wake } = Promise.withResolvers<void>();
      this.#waiting.add(wake);
      const late = setTimeout(wake, left);
      await promise;
      clearTimeout(late);
      this.#waiting.delete(wake);
    }
    return this.#received;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

/** The statuses of all responses in a stream of bytes. */
export function statuses(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}
