import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** A second pair of eyes (and a foreign hand) on a broker's queues: an own STOMP 1.2 connection beside the runtime's. */
export interface StompPeek {
  /** Puts a persistent message on a queue; resolves at the broker's receipt. A string goes as text, a buffer as bytes. */
  send(queue: string, body: string | Buffer, headers?: Readonly<Record<string, string>>): Promise<void>;
  /** Looks at the messages on a queue without taking them, the oldest first; those in other consumers' hands too. */
  browse(queue: string): Promise<PeekedMessage[]>;
  /** How many messages `browse` shows. */
  count(queue: string): Promise<number>;
  /**
   * Takes (and acknowledges) up to `most` messages, and stops when none has come for `quietMs` (default 500). If there are
   * more, the next one is handed out too and given back, so that it may arrive elsewhere as redelivered.
   */
  take(queue: string, most: number, options?: { quietMs?: number }): Promise<PeekedMessage[]>;
  close(): Promise<void>;
}

export interface PeekedMessage {
  /** As STOMP 1.2 carried them, unescaped. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
}

export interface StompPeekOptions {
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly login?: string;
  readonly passcode?: string;
  /** For each answer that is waited for; default 10,000. */
  readonly deadlineMs?: number;
}

/** The broker refused, the connection was lost, or an answer did not come in time. */
export class StompPeekError extends Error {
  override readonly name = 'StompPeekError';
}

export async function stompPeek(options: StompPeekOptions): Promise<StompPeek> {
  const deadlineMs = options.deadlineMs ?? 10_000;
  const { promise, resolve, reject } = Promise.withResolvers<StompClient>();
  const client = connect(connectOptions(options), (error, connected) => (error ? reject(error) : resolve(connected)));
  const peek = new Peek(client, deadlineMs);
  await peek.within(promise, 'CONNECTED');
  return peek;
}

class Peek implements StompPeek {
  readonly #client: StompClient;
  readonly #deadlineMs: number;
  /** Rejects when the connection is lost, so that nothing waits for a dead one. */
  readonly #lost: Promise<never>;
  #subscriptions = 0;

  constructor(client: StompClient, deadlineMs: number) {
    this.#client = client;
    this.#deadlineMs = deadlineMs;
    this.#lost = new Promise((_, reject) => {
      client.on('error', (cause) => reject(new StompPeekError(`STOMP connection lost: ${cause.message}`, { cause })));
      client.on('end', () => reject(new StompPeekError('STOMP connection closed')));
    });
    this.#lost.catch(() => {});
  }

  async send(queue: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const content = Buffer.from(body);
    const kind = typeof body === 'string' ? 'text' : 'bytes';
    const all = {
      destination: `/queue/${queue}`,
      persistent: 'true',
      'amq-msg-type': kind,
      'content-length': `${content.length}`,
    };
    const receipt = Promise.withResolvers<void>();
    const frame = this.#client.send({ ...all, ...headers }, { onReceipt: receipt.resolve });
    frame.end(content);
    await this.within(receipt.promise, `the receipt of a message to ${queue}`);
  }

  async browse(queue: string): Promise<PeekedMessage[]> {
    const messages: PeekedMessage[] = [];
    const end = Promise.withResolvers<void>();
    const subscription = this.#subscribe(queue, { browser: 'true', ack: 'auto' }, (message) => {
      if (message.headers.browser === 'end') end.resolve();
      else messages.push(message);
    });
    await this.within(end.promise, `the end of browsing ${queue}`);
    subscription.unsubscribe();
    return messages;
  }

  async count(queue: string): Promise<number> {
    return (await this.browse(queue)).length;
  }

  async take(queue: string, most: number, { quietMs = 500 } = {}): Promise<PeekedMessage[]> {
    const taken: PeekedMessage[] = [];
    let lastAt = performance.now();
    const headers = { ack: 'client-individual', 'activemq.prefetchSize': '1' };
    const subscription = this.#subscribe(queue, headers, (message, frame) => {
      if (taken.length === most) return;
      taken.push(message);
      lastAt = performance.now();
      this.#client.ack(frame);
    });
    while (taken.length < most && performance.now() - lastAt < quietMs) await this.within(delay(10), 'messages');
    subscription.unsubscribe();
    // A receipt for a later frame means that the acknowledgements before it were seen.
    await this.#settled();
    return taken;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      const giveUp = setTimeout(() => this.#client.destroy(), 1_000);
      this.#client.getTransportSocket().once('close', () => {
        clearTimeout(giveUp);
        resolve();
      });
      if (this.#client.getTransportSocket().closed) resolve();
      else this.#client.disconnect(() => {});
    });
  }

  async within<T>(promise: Promise<T>, what: string): Promise<T> {
    const deadline = new AbortController();
    const late = delay(this.#deadlineMs, undefined, { signal: deadline.signal }).then(() => {
      throw new StompPeekError(`waited ${this.#deadlineMs} ms for ${what}`);
    });
    try {
      return await Promise.race([promise, this.#lost, late]);
    } finally {
      late.catch(() => {});
      deadline.abort();
    }
  }

  #subscribe(
    queue: string,
    headers: Readonly<Record<string, string>>,
    onMessage: (message: PeekedMessage, frame: StompFrame) => void,
  ): StompSubscription {
    const id = `peek-${++this.#subscriptions}`;
    return this.#client.subscribe({ destination: `/queue/${queue}`, id, ...headers }, (error, frame) => {
      // A lost connection is told by #lost.
      if (error || frame === undefined) return;
      buffer(frame).then(
        (body) => onMessage({ headers: { ...frame.headers }, body, text: body.toString('utf8') }, frame),
        (cause) => this.#client.destroy(cause),
      );
    });
  }

  async #settled(): Promise<void> {
    const receipt = Promise.withResolvers<void>();
    this.#client.begin({ transaction: 'peek' }).abort({ onReceipt: receipt.resolve });
    await this.within(receipt.promise, 'the acknowledgements to be seen');
  }
}

function connectOptions({ host = '127.0.0.1', port, login, passcode = '' }: StompPeekOptions): object {
  const credentials = login === undefined ? {} : { login, passcode };
  return {
    host,
    port,
    // Without it each small frame waits for the acknowledgement of the one before.
    noDelay: true,
    // Brokers carry longer and more headers than stompit's defaults take.
    maxLineLength: 1024 * 1024,
    maxHeaders: 1024,
    connectHeaders: { 'accept-version': '1.2', 'heart-beat': '0,0', ...credentials },
  };
}

/* The parts of stompit (it has no types) that are used here. */

interface StompFrame extends Readable {
  readonly headers: Record<string, string>;
}

interface StompSubscription {
  unsubscribe(): void;
}

interface StompClient {
  send(headers: object, options: { onReceipt: () => void }): Writable;
  subscribe(headers: object, listener: (error: Error | null, frame?: StompFrame) => void): StompSubscription;
  ack(frame: StompFrame): void;
  begin(headers: object): { abort(options: { onReceipt: () => void }): void };
  disconnect(callback: (error?: Error | null) => void): void;
  destroy(error?: Error): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'end', listener: () => void): void;
  getTransportSocket(): Socket;
}

type Connect = (options: object, listener: (error: Error | null, client: StompClient) => void) => StompClient;

const { connect } = createRequire(import.meta.url)('stompit') as { readonly connect: Connect };
