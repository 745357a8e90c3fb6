import { type ClientOptions, WebSocket } from 'ws';
import { within } from '../../stores/broker/deadline.ts';
import { bytesOf, type Frame } from './frame.ts';
import { closeSocket, keepAlive, sendFrame } from './socket.ts';

const NORMAL = 1000;
const PING_MS = 30_000;

export interface LinkOptions {
  readonly address: string;
  /** For connecting, and for writing a frame, ms. */
  readonly deadlineMs: number;
  readonly maxFrameBytes: number;
  /** PEM certificates that are trusted beside the well-known ones. */
  readonly trusted: readonly string[] | undefined;
  onFrame(frame: Frame): void;
  /** It has ended, for whatever reason. */
  onEnd(): void;
}

/**
 * A connection to a back end:
 *
 *     CONNECTING ──► OPEN ──closed by either side, silent──► ENDED
 *         └── refused, deadline ────────────────────────────► ENDED
 */
export class WebSocketLink {
  readonly #options: LinkOptions;
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { address, deadlineMs, maxFrameBytes, trusted } = options;
    const settings: ClientOptions = {
      handshakeTimeout: deadlineMs,
      maxPayload: maxFrameBytes,
      perMessageDeflate: false,
      followRedirects: false,
      ...(trusted && { ca: [...trusted] }),
    };
    this.#socket = new WebSocket(address, settings);
    this.#opened = new Promise((resolve, reject) => {
      this.#socket.once('open', resolve);
      this.#socket.on('error', reject);
      this.#socket.once('close', () => reject(new Error('the connection was closed')));
    });
    // Who sends hears of it.
    this.#opened.catch(() => undefined);
    this.#socket.on('message', (data, binary) => options.onFrame({ bytes: bytesOf(data), binary }));
    this.#socket.once('close', () => options.onEnd());
    keepAlive(this.#socket, PING_MS, `the back end ${new URL(address).host}`);
  }

  get ended(): boolean {
    return this.#socket.readyState === WebSocket.CLOSED || this.#socket.readyState === WebSocket.CLOSING;
  }

  /** @throws Error */
  async connected(): Promise<void> {
    await within(this.#opened, this.#options.deadlineMs, 'the back end to accept the connection');
  }

  /** Resolves when the frame is written. @throws Error */
  async send(frame: Frame): Promise<void> {
    await this.connected();
    await within(sendFrame(this.#socket, frame), this.#options.deadlineMs, 'the back end to take a frame');
  }

  /** Never rejects. */
  close(): Promise<void> {
    return closeSocket(this.#socket, NORMAL, '');
  }
}
