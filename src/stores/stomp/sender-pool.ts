import { logger } from '../../logging/index.ts';
import type { PutTarget } from '../broker/put-window.ts';
import { type StompConnection, StompLostError } from './connection.ts';
import type { JmsMessage } from './jms-message.ts';
import { Sender } from './sender.ts';

const log = logger('JmsStore');

/** Connections at most, the first one included. */
const MAX_CONNECTIONS = 3;
/** Unconfirmed messages on every connection before there is one more. */
const BUSY_MESSAGES = 6;
/** How often it is looked whether the additional ones are still needed, ms. */
const IDLE_CHECK_MS = 30_000;
/** After an attempt that failed, or a connection that was lost, ms. */
const RETRY_AFTER_MS = 30_000;
/** Who waits for so much of the longest wait has been kept waiting by the same silence. */
const AS_LONG = 0.95;

export interface SenderPoolOptions {
  readonly store: string;
  readonly queue: string;
  /** One more connection to the same broker. @throws StompConnectError */
  open(signal: AbortSignal): Promise<StompConnection>;
}

interface Line {
  readonly connection: StompConnection;
  readonly sender: Sender;
  unconfirmed: number;
  /** Since when there has always been something unconfirmed, if there is, as of performance.now(). */
  waitingSince: number;
  /** Since the last look. */
  used: boolean;
}

/**
 * Sends to one queue over the connection of the store and, while many messages are unconfirmed, over others beside it. ActiveMQ writes
 * the messages of one connection to its journal one after the other, and those of several together: two or three connections store
 * half as much again as one.
 *
 *     beside:  NONE ──all connections busy──► OPENING ──connected──► OPEN ──not used for a while──► NONE
 *                                                └──failed──┐          ├──lost, silent──┐
 *                                                           ▼          │                ▼
 *                                                          NONE, not again for 30 s  ◄──┘
 *                                                                      └──main one lost──► the pool is over
 *
 * All belong to the generation of the first one (OP-10): when that is lost they end, too. When one beside is lost, what it has not
 * confirmed is sent again over the first one, marked as such, as the broker may have it already; unless its sender has been told
 * meanwhile that it is not stored: that is left at rest. Whoever waits for each confirmation before the next message keeps its order;
 * messages that are stored at the same time have none.
 */
export class SenderPool implements PutTarget<JmsMessage> {
  readonly ended: Promise<Error>;
  readonly #options: SenderPoolOptions;
  readonly #main: Line;
  readonly #lines: Line[];
  readonly #life = new AbortController();
  #opening: Promise<void> | undefined;
  #idleCheck: NodeJS.Timeout | undefined;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(main: StompConnection, options: SenderPoolOptions) {
    this.#options = options;
    this.#main = line(main, options.queue);
    this.#lines = [this.#main];
    this.ended = main.ended;
    void main.ended.then(() => this.#end((connection) => connection.destroy('the connection of the store was lost')));
  }

  /** Of the connection that has kept somebody waiting in silence for the longest time; of the first one when nobody waits. */
  get silentMs(): number {
    const now = performance.now();
    let silent = this.#main;
    for (const candidate of this.#lines) if (keptWaiting(candidate, now) > keptWaiting(silent, now)) silent = candidate;
    return silent.connection.silentMs;
  }

  send(message: JmsMessage, again: boolean, wanted: () => boolean): Promise<void> {
    const free = this.#leastBusy();
    if (free.unconfirmed >= BUSY_MESSAGES) this.#openOneMore();
    return free === this.#main ? this.#sendOver(free, message, again) : this.#sendBeside(free, message, again, wanted);
  }

  /** Ends the connections that have kept somebody waiting in silence for the longest time, or nearly so; the first one when nobody waits. */
  destroy(reason: string): void {
    const now = performance.now();
    const longest = Math.max(...this.#lines.map((each) => keptWaiting(each, now)));
    const silent = this.#lines.filter((each) => each.unconfirmed > 0 && keptWaiting(each, now) >= AS_LONG * longest);
    for (const { connection } of silent.length > 0 ? silent : [this.#main]) connection.destroy(reason);
  }

  /** Says goodbye on the connections beside the first one, which has an owner of its own. Never throws. */
  async close(): Promise<void> {
    const opening = this.#opening;
    const closing: Promise<void>[] = [];
    this.#end((connection) => closing.push(connection.close()));
    await Promise.all([...closing, opening]);
  }

  async #sendBeside(beside: Line, message: JmsMessage, again: boolean, wanted: () => boolean): Promise<void> {
    try {
      await this.#sendOver(beside, message, again);
    } catch (error) {
      if (!(error instanceof StompLostError) || this.#main.connection.lost || !wanted()) throw error;
      await this.#sendOver(this.#main, message, true);
    }
  }

  #sendOver(over: Line, message: JmsMessage, again: boolean): Promise<void> {
    if (over.unconfirmed === 0) over.waitingSince = performance.now();
    over.unconfirmed += 1;
    over.used = true;
    const confirmed = over.sender.send(message, again);
    const answered = () => {
      over.unconfirmed -= 1;
    };
    confirmed.then(answered, answered);
    return confirmed;
  }

  #leastBusy(): Line {
    let least = this.#main;
    for (const candidate of this.#lines) if (candidate.unconfirmed < least.unconfirmed) least = candidate;
    return least;
  }

  #openOneMore(): void {
    if (this.#lines.length >= MAX_CONNECTIONS || this.#opening || this.#life.signal.aborted) return;
    if (performance.now() < this.#notBefore) return;
    this.#opening = this.#open().finally(() => {
      this.#opening = undefined;
    });
  }

  async #open(): Promise<void> {
    const { store, queue } = this.#options;
    const { signal } = this.#life;
    try {
      const connection = await this.#options.open(signal);
      if (signal.aborted) return await connection.close();
      const beside = line(connection, queue);
      this.#lines.push(beside);
      void connection.ended.then(() => this.#onLost(beside));
      this.#idleCheck ??= setInterval(() => this.#closeUnused(), IDLE_CHECK_MS).unref();
    } catch (error) {
      this.#putOff();
      const cause = (error as Error).message;
      if (!signal.aborted) log.debug(`Store [${store}] sends over fewer connections: ${cause}`, { store, cause });
    }
  }

  #closeUnused(): void {
    for (const beside of this.#lines.slice(1)) {
      if (!beside.used && beside.unconfirmed === 0) {
        this.#remove(beside);
        void beside.connection.close();
      }
      beside.used = false;
    }
  }

  #onLost(beside: Line): void {
    // What was closed on purpose has been removed before.
    if (!this.#lines.includes(beside)) return;
    this.#remove(beside);
    this.#putOff();
  }

  #putOff(): void {
    this.#notBefore = performance.now() + RETRY_AFTER_MS;
  }

  #remove(beside: Line): void {
    const at = this.#lines.indexOf(beside);
    if (at > 0) this.#lines.splice(at, 1);
    if (this.#lines.length === 1) this.#stopIdleCheck();
  }

  #stopIdleCheck(): void {
    clearInterval(this.#idleCheck);
    this.#idleCheck = undefined;
  }

  #end(leave: (connection: StompConnection) => void): void {
    this.#life.abort();
    this.#stopIdleCheck();
    for (const { connection } of this.#lines.splice(1)) leave(connection);
  }
}

function line(connection: StompConnection, queue: string): Line {
  return { connection, sender: new Sender(connection, queue), unconfirmed: 0, waitingSince: 0, used: true };
}

/** For how long something has been unconfirmed while nothing at all came in, ms; 0 when nothing is unconfirmed. */
function keptWaiting({ connection, unconfirmed, waitingSince }: Line, now: number): number {
  return unconfirmed === 0 ? 0 : Math.min(connection.silentMs, now - waitingSince);
}
