import { connect, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** An answer as far as a load needs it. */
export interface Answer {
  readonly status: number;
  /** Of the body; chunks are not taken apart, so that it is a little more for chunked answers. */
  readonly bytes: number;
}

/**
 * One keep-alive connection that sends the same request again and again: as little as a client can do, so that the load takes no CPU from
 * what is loaded. Understands answers with Content-Length and chunked ones.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #done: ((answer: Answer) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;
  #head: Buffer | undefined;
  #status = 0;
  /** Of the body, still to come; undefined while the head is read, NaN for a chunked body. */
  #left: number | undefined;
  #bytes = 0;

  private constructor(socket: Socket, request: Buffer) {
    this.#socket = socket;
    this.#request = request;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => this.#ended(error));
    socket.on('close', () => this.#ended(new Error('the connection was closed')));
  }

  static async open(port: number, request: Buffer): Promise<HttpConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new HttpConnection(socket, request);
  }

  /** Sends the request and waits for the whole answer. @throws Error when the connection ends before */
  exchange(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#fail = reject;
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#left === undefined) this.#readHead(chunk);
    else this.#readBody(chunk);
  }

  #readHead(chunk: Buffer): void {
    const head = this.#head ? Buffer.concat([this.#head, chunk]) : chunk;
    const end = head.indexOf(HEAD_END);
    if (end < 0) {
      this.#head = head;
      return;
    }
    const text = head.toString('latin1', 0, end);
    this.#head = undefined;
    this.#status = Number(text.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    this.#left = length === undefined ? (/\r\ntransfer-encoding:/i.test(text) ? Number.NaN : 0) : Number(length);
    this.#readBody(head.subarray(end + HEAD_END.length));
  }

  #readBody(chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    const left = this.#left ?? 0;
    if (Number.isNaN(left)) {
      // The last chunk may come in two pieces only when something sends it so; Node.js does not.
      if (!chunk.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)) return;
    } else {
      this.#left = left - chunk.byteLength;
      if (this.#left > 0) return;
    }
    const answer = { status: this.#status, bytes: this.#bytes };
    this.#left = undefined;
    this.#bytes = 0;
    this.#done?.(answer);
  }

  #ended(error: Error): void {
    this.#fail?.(error);
  }
}

/** A POST as it goes over the wire. */
export function wireRequest(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Buffer {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers, 'Content-Length': `${body.byteLength}` });
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
