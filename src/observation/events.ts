import { Readable } from 'node:stream';
import { LEVELS, type LogLevel, type LogRecord } from '../logging/logger.ts';
import { type ShownRecord, shownRecord } from '../logging/shown-record.ts';

/** Events that are kept for listeners that come back. */
const RING = 512;
const MAX_LISTENERS = 20;
/** Of one user: nobody takes the places of all others. */
const MAX_OF_ONE = 12;
/** Bytes that may wait for one listener; a slower one is dropped and may come back. */
const WAITING_LIMIT = 1024 * 1024;
const PING_MS = 15_000;

export type EventName =
  | 'overview'
  | 'store'
  | 'processor'
  | 'endpoint'
  | 'deployment'
  | 'log'
  | 'trace'
  | 'job'
  | 'audit'
  | 'graph'
  | 'ping';

/** Pictures of the moment: the next one makes it worthless, so they are not kept for listeners that come back. */
const OF_THE_MOMENT: ReadonlySet<EventName> = new Set(['overview', 'graph', 'log', 'ping']);

interface KeptEvent {
  readonly id: number;
  readonly name: EventName;
  readonly text: string;
}

/** More listeners than {@link MAX_LISTENERS}, or of one user than {@link MAX_OF_ONE}. */
export class TooManyListenersError extends Error {
  override readonly name = 'TooManyListenersError';
}

/** What a listener wants. */
export interface ListenerOptions {
  /** The last event that it has seen, as it says; undefined: none. */
  readonly lastEventId?: string | undefined;
  /** Which events it does not want. */
  readonly without?: ReadonlySet<EventName>;
  /** Log lines up to this level; undefined: none. */
  readonly logs?: LogLevel | undefined;
  /** Who listens; undefined: anybody. */
  readonly owner?: string | undefined;
  /** What it is shown of a line; default all. */
  readonly shownLine?: ((record: ShownRecord) => ShownRecord) | undefined;
}

/**
 * Server-sent events for the console and the command line: bounded in listeners, in what is kept, and in what waits for each of them.
 *
 *   subscribe ──(the ring still has what came after Last-Event-ID)──► those events, then new ones
 *        └──(it has not)──► `reset`: the listener reads everything anew, then new ones
 *   a listener for which more than 1 MiB waits ──► dropped; it comes back with its Last-Event-ID
 */
export class EventHub {
  readonly #ring: KeptEvent[] = [];
  readonly #listeners = new Set<EventListener>();
  #lastId = Date.now() * 1000;
  #ping: NodeJS.Timeout | undefined;
  #dropped = 0;
  #onFirst: (() => void) | undefined;

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Listeners that were too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Called whenever somebody begins to listen. */
  onListener(callback: () => void): void {
    this.#onFirst = callback;
  }

  /** Does anybody listen to events of this name? Those that are expensive to make are made only then. */
  wants(name: EventName): boolean {
    for (const { without } of this.#listeners) if (!without.has(name)) return true;
    return false;
  }

  publish(name: EventName, data: unknown): void {
    const kept = !OF_THE_MOMENT.has(name);
    if (!kept && this.#listeners.size === 0) return;
    this.#lastId += 1;
    const id = this.#lastId;
    const text = `${kept ? `id: ${id}\n` : ''}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    if (kept) {
      this.#ring.push({ id, name, text });
      if (this.#ring.length > RING) this.#ring.shift();
    }
    for (const listener of this.#listeners) this.#send(listener, name, text);
  }

  /** A log line, for those who want lines of its level; made only for them. */
  log(record: LogRecord): void {
    let shown: ShownRecord | undefined;
    for (const listener of this.#listeners) {
      if (listener.logs === undefined || LEVELS[record.level] > LEVELS[listener.logs]) continue;
      shown ??= shownRecord(record);
      this.#send(listener, 'log', `event: log\ndata: ${JSON.stringify(listener.shownLine(shown))}\n\n`);
    }
  }

  /**
   * A stream of events; ends when it is destroyed or dropped.
   * @throws TooManyListenersError
   */
  subscribe(options: ListenerOptions = {}): Readable {
    if (this.#listeners.size >= MAX_LISTENERS)
      throw new TooManyListenersError(`There are ${MAX_LISTENERS} listeners already`);
    const { owner } = options;
    if (owner !== undefined && [...this.#listeners].filter((one) => one.owner === owner).length >= MAX_OF_ONE)
      throw new TooManyListenersError(`${owner} listens ${MAX_OF_ONE} times already`);
    const listener: EventListener = new EventListener(options, () => this.#leave(listener));
    this.#listeners.add(listener);
    this.#ping ??= setInterval(() => this.publish('ping', { time: new Date().toISOString() }), PING_MS).unref();
    listener.push(`retry: 2000\n\n`);
    this.#catchUp(listener, options.lastEventId);
    this.#onFirst?.();
    return listener;
  }

  close(): void {
    for (const listener of this.#listeners) listener.push(null);
    clearInterval(this.#ping);
    this.#ping = undefined;
  }

  #catchUp(listener: EventListener, lastEventId: string | undefined): void {
    if (lastEventId === undefined || lastEventId === '') return;
    const last = Number(lastEventId);
    const [oldest] = this.#ring;
    const known = Number.isSafeInteger(last) && last <= this.#lastId && oldest !== undefined && oldest.id <= last + 1;
    const nothingMissed = Number.isSafeInteger(last) && last === this.#ring.at(-1)?.id;
    if (!known && !nothingMissed) {
      listener.push('event: reset\ndata: {}\n\n');
      return;
    }
    for (const { id, name, text } of this.#ring) if (id > last) this.#send(listener, name, text);
  }

  #send(listener: EventListener, name: EventName, text: string): void {
    if (listener.without.has(name) || listener.destroyed) return;
    listener.push(text);
    if (listener.readableLength <= WAITING_LIMIT) return;
    this.#dropped += 1;
    listener.destroy();
  }

  #leave(listener: EventListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#ping);
    this.#ping = undefined;
  }
}

class EventListener extends Readable {
  readonly without: ReadonlySet<EventName>;
  readonly logs: LogLevel | undefined;
  readonly owner: string | undefined;
  readonly shownLine: (record: ShownRecord) => ShownRecord;
  readonly #left: () => void;

  constructor({ without = new Set(), logs, owner, shownLine = (record) => record }: ListenerOptions, left: () => void) {
    super({ highWaterMark: WAITING_LIMIT });
    this.without = without;
    this.logs = logs;
    this.owner = owner;
    this.shownLine = shownLine;
    this.#left = left;
  }

  override _read(): void {
    // Events come when they come.
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#left();
    callback(error);
  }
}
