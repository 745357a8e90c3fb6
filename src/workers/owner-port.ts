import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { logger } from '../logging/index.ts';
import { isBusy } from '../stores/busy.ts';
import { type Fate, FrameReader, type PutFrame, writeFrame } from './frames.ts';
import type { OwnerNote, TakerNote } from './notes.ts';

const log = logger('Workers');

/** A taker that lets so many bytes wait reads nothing any more, and is cut off. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** One taker, as long as its connection lives. */
export interface TakerSession {
  note(note: TakerNote): void;
  /** Its connection has ended. */
  ended(): void;
}

export interface OwnerPortOptions {
  /** Of the socket; what an earlier owner has left there is removed. */
  readonly path: string;
  /**
   * Resolves with the id of the message that this one repeats, if it does.
   * @throws whatever the store throws: its message is what the taker's client is told of
   */
  readonly put: (message: PutFrame) => Promise<string | undefined>;
  /** A taker has connected. */
  readonly begin: (tell: (note: OwnerNote) => void) => TakerSession;
}

/**
 * The owner's end of the connections to the takers: puts their messages into its stores and tells what became of each. It answers every
 * put exactly once, as long as the connection lives that it came by.
 */
export class OwnerPort {
  readonly #options: OwnerPortOptions;
  readonly #server: Server;
  readonly #takers = new Set<Socket>();
  /** Messages in the hands of a store. */
  #pending = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: OwnerPortOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @throws the system's error when the socket cannot be made */
  async open(): Promise<void> {
    rmSync(this.#options.path, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    // Exclusive: this one is not for all workers.
    this.#server.listen({ path: this.#options.path, exclusive: true }, () => {
      this.#server.off('error', reject);
      this.#server.on('error', (error) => log.error(`The socket of the workers failed: ${error.message}`));
      resolve();
    });
    await promise;
  }

  tellAll(note: OwnerNote): void {
    for (const socket of this.#takers) this.#tell(socket, note);
  }

  /** Resolves when all takers have gone and nothing of theirs is on its way into a store, or the time is over. */
  async idle(deadlineMs: number): Promise<boolean> {
    if (this.#isIdle()) return true;
    this.#idle ??= Promise.withResolvers<void>();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, deadlineMs);
    await Promise.race([this.#idle.promise, late]);
    clearTimeout(timer);
    return this.#isIdle();
  }

  /** Cuts off whoever is still there. */
  close(): Promise<void> {
    for (const socket of this.#takers) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #isIdle(): boolean {
    return this.#takers.size === 0 && this.#pending === 0;
  }

  #accept(socket: Socket): void {
    this.#takers.add(socket);
    const session = this.#options.begin((note) => this.#tell(socket, note));
    const reader = new FrameReader();
    socket.on('data', (chunk: Buffer) => this.#read(socket, session, reader, chunk));
    // What went wrong does not matter: the end follows.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#takers.delete(socket);
      session.ended();
      this.#looksIdle();
    });
  }

  #read(socket: Socket, session: TakerSession, reader: FrameReader, chunk: Buffer): void {
    try {
      for (const frame of reader.read(chunk)) {
        if (frame.kind === 'put') void this.#put(socket, frame);
        else if (frame.kind === 'note') session.note(frame.note as TakerNote);
      }
    } catch (error) {
      // Whatever it is, the stores must not end of it.
      log.error(`What a worker says is not understood: ${reasonOf(error)}`);
      socket.destroy();
    }
  }

  /** Never rejects. */
  async #put(socket: Socket, frame: PutFrame): Promise<void> {
    this.#pending += 1;
    const fate = await this.#fateOf(frame);
    this.#pending -= 1;
    // Without the connection the taker counts it as failed; a durable store delivers it all the same.
    if (socket.writable) writeFrame(socket, { kind: 'settled', number: frame.number, fate });
    this.#looksIdle();
  }

  async #fateOf(frame: PutFrame): Promise<Fate> {
    try {
      const first = await this.#options.put(frame);
      return first === undefined ? { is: 'stored' } : { is: 'repeated', first };
    } catch (error) {
      return { is: 'failed', reason: reasonOf(error), busy: isBusy(error) };
    }
  }

  #tell(socket: Socket, note: OwnerNote): void {
    if (!socket.writable) return;
    if (socket.writableLength > MAX_WAITING_BYTES) {
      log.error('A worker does not read any more what it is told; its connection is cut off');
      socket.destroy();
      return;
    }
    writeFrame(socket, { kind: 'note', note });
  }

  #looksIdle(): void {
    if (!this.#isIdle()) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
