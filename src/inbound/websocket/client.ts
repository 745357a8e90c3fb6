import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { logger } from '../../logging/index.ts';
import type { LogDetails } from '../../logging/logger.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { bytesOf, type Frame, frameOf } from './frame.ts';
import type { WebSocketLink } from './link.ts';
import { closeSocket, keepAlive, sendFrame } from './socket.ts';

const log = logger('InboundWebSocket');
/** Frames of a client that wait for their flows; then nothing more is read from it. */
const MAX_WAITING = 16;

/** What a client tells its endpoint. */
export interface ClientOwner {
  readonly label: string;
  /** Flows of one client at one time. */
  readonly concurrency: number;
  readonly pingMs: number;
  /** Runs the flow of a frame of the client. Never rejects. */
  received(client: WebSocketClient, frame: Frame): Promise<void>;
  /** The clients that a frame for this one goes to. */
  audience(client: WebSocketClient): Iterable<WebSocketClient>;
  /** Runs the flow of a frame that a back end has sent for the client. Never rejects. */
  fromBackEnd(client: WebSocketClient, frame: Frame): Promise<void>;
  left(client: WebSocketClient): void;
}

/**
 * A client that is connected:
 *
 *     READING ──frame──► waits for its turn ──► IN FLOW ──► READING
 *        │  └── 16 frames wait ──► PAUSED ──a flow has ended──► READING
 *        └── closed by either side, silent, too slow ──► GONE: what waits is dropped, its connections to back ends are closed
 */
export class WebSocketClient {
  readonly id = randomUUID();
  readonly label: string;
  /** The path and query that it connected to. */
  readonly path: string;
  /** Of its frames, as the artifact says. */
  readonly contentType: string | undefined;
  /** Its connections to back ends, by address. */
  readonly links = new Map<string, WebSocketLink>();
  readonly #socket: WebSocket;
  readonly #owner: ClientOwner;
  readonly #waiting: Frame[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(socket: WebSocket, owner: ClientOwner, at: { path: string; contentType: string | undefined }) {
    this.#socket = socket;
    this.#owner = owner;
    this.path = at.path;
    this.contentType = at.contentType;
    this.label = `${owner.label}, client ${this.id.slice(0, 8)}`;
    socket.on('message', (data, binary) => this.#onFrame({ bytes: bytesOf(data), binary }));
    // What went wrong is told with 'close', which always follows.
    socket.on('error', (error) => log.debug(`${this.label}: ${error.message}`));
    socket.once('close', (code) => this.#onClose(code));
    keepAlive(socket, owner.pingMs, this.label);
  }

  /** Runs what comes before the first frame. */
  begin(work: Promise<void>): void {
    this.#run(work);
  }

  /** Sends a message to whom the endpoint's broadcast level says. One that cannot be sent is told in the log. */
  deliver(message: MessageContext): void {
    const frame = frameOf(message);
    if (!frame) return;
    const about = aboutMessage(message);
    for (const client of this.#owner.audience(this)) client.send(frame, about);
  }

  /** `about`: the message that the frame was made of, for what is said when it cannot be sent. */
  send(frame: Frame, about: LogDetails = {}): void {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      log.debug(`${this.label} is gone: a frame is dropped`, about);
      return;
    }
    sendFrame(this.#socket, frame).catch((error: unknown) => {
      const cause = error instanceof Error ? error.message : String(error);
      log.warn(`${this.label}: a frame could not be sent: ${cause}`, { ...about, cause });
    });
  }

  /** A frame of a back end that the client's flow has sent to. */
  fromBackEnd(frame: Frame): Promise<void> {
    return this.#owner.fromBackEnd(this, frame);
  }

  get gone(): boolean {
    return this.#socket.readyState === this.#socket.CLOSED || this.#socket.readyState === this.#socket.CLOSING;
  }

  /** Lets the flows in hand end, then says good-bye. Never rejects. */
  async close(code: number, reason: string, deadlineMs: number): Promise<void> {
    this.#waiting.length = 0;
    this.#socket.pause();
    const late = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref());
    await Promise.race([Promise.all(this.#running), late]);
    this.#socket.resume();
    await closeSocket(this.#socket, code, reason, deadlineMs);
  }

  #onFrame(frame: Frame): void {
    this.#waiting.push(frame);
    if (this.#waiting.length >= MAX_WAITING) this.#socket.pause();
    this.#next();
  }

  #next(): void {
    while (this.#running.size < this.#owner.concurrency) {
      const frame = this.#waiting.shift();
      if (!frame) break;
      this.#run(this.#owner.received(this, frame));
    }
    if (this.#waiting.length < MAX_WAITING && this.#socket.isPaused) this.#socket.resume();
  }

  #run(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => {
      this.#running.delete(work);
      if (!this.gone) this.#next();
    });
  }

  #onClose(code: number): void {
    log.debug(`${this.label} is disconnected (${code})`);
    this.#waiting.length = 0;
    for (const link of this.links.values()) void link.close();
    this.links.clear();
    this.#owner.left(this);
  }
}
