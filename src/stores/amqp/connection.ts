import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Channel, ChannelModel, ConfirmChannel, SocketOptions } from 'amqplib';
import { ConnectError, type ConnectionFailure } from '../broker/back-off.ts';
import { within } from '../broker/deadline.ts';
import { watchSilence } from '../broker/silence.ts';
import { tlsAdvice } from '../broker/trust.ts';
import { type AmqpAddress, formatAddress } from './address.ts';
import { loadDriver } from './driver.ts';

/*
 * One AMQP 0-9-1 connection:
 *
 *   CONNECTING ── TCP, TLS ──► GREETING ── open-ok ──► OPEN ── close() ──► LEAVING ── close-ok, or a second ──► LOST
 *        └── error, deadline ──────┴─► (ConnectError)    └── error, end, silence, destroy() ─────────────────────┘
 *
 * amqplib reads and writes the frames. Deadlines, silence and the end of a connection are dealt with here: amqplib ends a
 * connection to a peer that is silent for up to three heart-beats only, and leaves the socket open.
 */

export interface AmqpAccess {
  readonly user: string;
  readonly password: string;
  readonly virtualHost: string;
  /** Undefined: without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** ms; AMQP knows whole seconds only. */
  readonly heartBeatMs: number;
  /** Shown among the connections in the broker's console. */
  readonly connectionName: string;
}

export interface AmqpConnectionOptions extends AmqpAccess {
  readonly address: AmqpAddress;
  /** From the start to open-ok, ms; default 5,000. */
  readonly deadlineMs?: number;
}

/** The connection, or one channel of it, ended before the answer came: whether the broker did what was asked is not known. */
export class AmqpLostError extends Error {
  override readonly name = 'AmqpLostError';
}

const CONNECT_DEADLINE_MS = 5_000;
const LEAVE_DEADLINE_MS = 1_000;
const KEEP_ALIVE_MS = 30_000;
/** How soon a socket that had to keep something is looked at again by who waits for that, ms. */
const LOOK_AGAIN_MS = 1;
const MAX_REASON = 300;
const TLS_ADVICE = {
  trust:
    'name a trust store with the certificate of the broker or of its authority, or [mini_synapse] trusted_certificates, or set x.tls.verify=none',
  otherHost: 'x.tls.verify=ca accepts every host that has a trusted certificate',
};

/** There is nobody to speak to: what the system calls it. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
]);

/**
 * Connects and logs in, unless the signal is aborted first.
 * @throws ConnectError after `deadlineMs` at the latest; nothing is left open then
 */
export async function openAmqpConnection(options: AmqpConnectionOptions, signal: AbortSignal): Promise<AmqpConnection> {
  const driver = await loadDriver();
  const { address, tls, deadlineMs = CONNECT_DEADLINE_MS } = options;
  // A socket that is made with an aborted signal connects all the same.
  if (signal.aborted) throw new ConnectError('unreachable', 'the store is closed');
  const life = new AbortController();
  const giveUp = () => life.abort();
  signal.addEventListener('abort', giveUp, { once: true });
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    life.abort();
  }, deadlineMs);
  try {
    const model = await driver.connect(connectFields(options), {
      ...tls,
      // Without noDelay every small frame waits for the acknowledgement of the one before.
      noDelay: true,
      keepAlive: true,
      keepAliveDelay: KEEP_ALIVE_MS,
      clientProperties: { connection_name: options.connectionName },
      signal: life.signal,
    } as SocketOptions);
    return new AmqpConnection(model, life, options);
  } catch (cause) {
    life.abort();
    const failure = late ? 'silent' : failureFrom(cause);
    const problem = late ? `does not answer within ${deadlineMs} ms` : connectProblem(cause, tls !== undefined);
    throw new ConnectError(failure, `${formatAddress(address, tls !== undefined)}: ${problem}`, { cause });
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', giveUp);
  }
}

function connectFields(options: AmqpConnectionOptions) {
  const { address, user, password, virtualHost, tls, heartBeatMs } = options;
  return {
    protocol: tls ? 'amqps' : 'amqp',
    hostname: address.host,
    port: address.port,
    username: user,
    password,
    // amqplib takes it as a part of a URL.
    vhost: encodeURIComponent(virtualHost),
    heartbeat: Math.ceil(heartBeatMs / 1000),
  };
}

function failureFrom(cause: unknown): ConnectionFailure {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && UNREACHABLE.has(code)) return 'unreachable';
  return /ACCESS[_-]REFUSED/.test(String(message)) ? 'refused' : 'dropped';
}

function connectProblem(cause: unknown, tls: boolean): string {
  // Where a host has several addresses, the reasons are inside.
  const reasons = cause instanceof AggregateError ? cause.errors : [cause];
  const text = reasons.map((reason) => messageOf(reason)).join('; ');
  const advice = tls ? tlsAdvice(cause, TLS_ADVICE) : '';
  return `${text.slice(0, MAX_REASON)}${advice}`;
}

export function messageOf(reason: unknown): string {
  const text = reason instanceof Error ? reason.message : String(reason);
  return text.trim().replace(/\s+/g, ' ').slice(0, MAX_REASON);
}

export class AmqpConnection {
  readonly address: AmqpAddress;
  /** `3.10.8`; empty when the broker does not tell. */
  readonly serverVersion: string;
  /** Resolves with the reason when the connection has ended; never rejects. */
  readonly ended: Promise<AmqpLostError>;
  /** A broker that let us in has answered more than an open port does. */
  readonly hasWorked = true;
  readonly #model: ChannelModel;
  readonly #life: AbortController;
  readonly #where: string;
  readonly #socket: Socket | undefined;
  readonly #stopWatching: () => void;
  readonly #end: (reason: AmqpLostError) => void;
  #reason: string | undefined;
  #lost: AmqpLostError | undefined;
  #leaving = false;
  #bytesRead = 0;
  #receivedAt = performance.now();

  constructor(model: ChannelModel, life: AbortController, options: AmqpConnectionOptions) {
    this.address = options.address;
    this.#where = formatAddress(options.address, options.tls !== undefined);
    this.#model = model;
    this.#life = life;
    const { serverProperties } = model.connection;
    this.serverVersion = String(serverProperties?.version ?? '');
    // The only thing of amqplib's inside that is looked at: how much has come in.
    this.#socket = (model.connection as { stream?: Socket }).stream;
    const ended = Promise.withResolvers<AmqpLostError>();
    this.ended = ended.promise;
    this.#end = ended.resolve;
    model.on('error', (error) => {
      this.#reason ??= messageOf(error);
    });
    model.on('close', (error) => this.#onEnd(error));
    this.#stopWatching = watchSilence({
      intervalMs: Math.ceil(options.heartBeatMs / 1000) * 1000,
      lastReceivedAt: () => performance.now() - this.silentMs,
      dead: (silentMs) => this.destroy(`the broker has been silent for ${Math.round(silentMs / 1000)} s`),
    });
  }

  /** Why it ended; undefined while it lives. */
  get lost(): AmqpLostError | undefined {
    return this.#lost;
  }

  /** How long nothing has come in, ms. */
  get silentMs(): number {
    const now = performance.now();
    const bytesRead = this.#socket?.bytesRead;
    if (bytesRead !== this.#bytesRead || bytesRead === undefined) {
      this.#bytesRead = bytesRead ?? 0;
      this.#receivedAt = now;
    }
    return now - this.#receivedAt;
  }

  /**
   * Calls back when the socket has been handed all that was published until now; never, if the connection ends before. amqplib writes
   * from an immediate that it sets after the publishing, as long as the socket has room.
   */
  whenWritten(done: () => void): void {
    setImmediate(() => setImmediate(() => this.#whenRoom(done)));
  }

  #whenRoom(done: () => void): void {
    if (this.#lost) return;
    const socket = this.#socket;
    if (!socket || socket.writableLength === 0) done();
    else if (socket.writableNeedDrain) socket.once('drain', () => this.whenWritten(done));
    else setTimeout(() => this.#whenRoom(done), LOOK_AGAIN_MS);
  }

  /** The broker does not take what we send for now, as it lacks memory or disk; undefined: it does again. */
  onBlocked(listener: (reason: string | undefined) => void): void {
    this.#model.on('blocked', (reason) => listener(String(reason)));
    this.#model.on('unblocked', () => listener(undefined));
  }

  /** @throws AmqpLostError when the connection ends first */
  channel(): Promise<Channel> {
    return this.#open(() => this.#model.createChannel());
  }

  /** A channel on which the broker confirms what is published. @throws AmqpLostError when the connection ends first */
  confirmChannel(): Promise<ConfirmChannel> {
    return this.#open(() => this.#model.createConfirmChannel());
  }

  /** Says goodbye, waits a second at most, and closes. Never throws. */
  async close(): Promise<void> {
    if (this.#lost || this.#leaving) return;
    this.#leaving = true;
    await within(this.#model.close(), LEAVE_DEADLINE_MS, 'the end of the session').catch(() => undefined);
    this.destroy('closed');
  }

  /** Ends the connection at once. */
  destroy(reason: string): void {
    this.#reason ??= reason;
    this.#life.abort();
    this.#onEnd(undefined);
  }

  async #open<C extends EventEmitter>(open: () => Promise<C>): Promise<C> {
    if (this.#lost) throw this.#lost;
    try {
      const channel = await open();
      // A channel that the broker closes is an error of its own, which nobody may miss.
      channel.on('error', () => undefined);
      return channel;
    } catch (cause) {
      throw this.#lost ?? new AmqpLostError(`${this.#where}: ${messageOf(cause)}`, { cause });
    }
  }

  #onEnd(cause: Error | undefined): void {
    if (this.#lost) return;
    const reason = this.#leaving ? 'closed' : (this.#reason ?? (cause ? messageOf(cause) : 'closed by the broker'));
    this.#lost = new AmqpLostError(`${this.#where}: ${reason}`, { cause });
    this.#stopWatching();
    // amqplib only ends its side: a peer that hangs would keep the socket for ever.
    this.#life.abort();
    this.#end(this.#lost);
  }
}
