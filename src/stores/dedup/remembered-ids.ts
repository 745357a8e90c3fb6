import type { Logger } from '../../logging/index.ts';
import { pause } from '../../scheduling/index.ts';
import { BackOff } from '../broker/back-off.ts';
import { within } from '../broker/deadline.ts';
import { Journal } from '../journal/journal.ts';
import type { JournalPlace } from '../journal/segment.ts';
import { FirstOnes } from './first-ones.ts';
import { DedupWindow, type RememberedId } from './window.ts';

/** So often it is said that ids are forgotten before their time, or could not be written, ms. */
const COMPLAIN_EVERY_MS = 60_000;
/** How long whoever has stored a message waits for its id to be on the disk, ms; the message is stored, and somebody waits for that answer. */
const WRITE_PATIENCE_MS = 2_000;

export interface RememberedIdsOptions {
  readonly store: string;
  /** Where they are kept; undefined: in memory only. */
  readonly folder: string | undefined;
  readonly windowMs: number;
  readonly maxIds: number;
  /** How long reading them may take, ms. */
  readonly deadlineMs: number;
  readonly log: Logger;
}

interface KeptId extends RememberedId {
  /** Undefined: in memory only. */
  place: JournalPlace | undefined;
}

/** Folders that are being closed: the next one to use a folder waits for that. */
const closing = new Map<string, Promise<void>>();

/**
 * The ids that a store remembers where its medium has no place for them: in memory, and with a folder also in a journal of their own,
 * from where they are there again after `kill -9`. Stores of one name hand them on from one redeployment to the next.
 *
 *     opening ──journal read (or there is none)──► ready ──last owner releases──► closed
 *        ▲ └──failed──► waiting ─┐
 *        └───────────────────────┘
 */
export class RememberedIds {
  readonly firstOnes = new FirstOnes();
  /** Repetitions that were recognised. */
  duplicates = 0;
  /** Stores that use it. */
  owners = 0;
  windowMs: number;
  readonly #options: RememberedIdsOptions;
  readonly #window: DedupWindow<KeptId>;
  readonly #stop = new AbortController();
  #journal: Journal | undefined;
  readonly #opening: Promise<void> | undefined;
  #problem: string | undefined;
  #complainAgain = 0;

  constructor(options: RememberedIdsOptions) {
    this.#options = options;
    this.windowMs = options.windowMs;
    this.#window = new DedupWindow(options.maxIds);
    if (options.folder !== undefined) this.#opening = this.#open(options.folder);
  }

  set maxIds(maxIds: number) {
    this.#window.maxIds = maxIds;
  }

  /** @throws an error when what was remembered cannot be read in time: what is a repetition is not known then */
  async ready(): Promise<void> {
    if (!this.#opening || this.#journal) return;
    try {
      await within(this.#opening, this.#options.deadlineMs, 'the ids of earlier messages to be read');
    } catch (error) {
      throw this.#problem === undefined
        ? error
        : new Error(`the ids of earlier messages: ${this.#problem}`, { cause: error });
    }
  }

  /** The message that was stored with this key; undefined when there is none within the window. */
  find(key: string): string | undefined {
    return this.#window.find(key, Date.now())?.messageId;
  }

  /** Remembers what was just stored; resolves when it is on the disk. Never rejects: the message is stored in any case. */
  async remember(key: string, messageId: string): Promise<void> {
    await this.#keep({ key, messageId, until: Date.now() + this.windowMs, place: undefined });
  }

  /** A message that the store had before this process began, and whose id may not have been written down any more. */
  restore(key: string, messageId: string, storedAt: number): void {
    const until = storedAt + this.windowMs;
    void this.#opening?.then(async () => {
      if (until > Date.now() && this.find(key) === undefined)
        await this.#keep({ key, messageId, until, place: undefined });
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#opening;
    const { folder } = this.#options;
    if (!this.#journal || folder === undefined) return;
    const closed = this.#journal.close();
    closing.set(folder, closed);
    await closed;
    if (closing.get(folder) === closed) closing.delete(folder);
  }

  async #keep(id: KeptId): Promise<void> {
    const now = Date.now();
    this.#forget(this.#window.add(id, now), now);
    if (!this.#journal) return;
    try {
      const { key, messageId, until } = id;
      const writing = this.#journal.append(Buffer.from(JSON.stringify({ key, messageId, until })));
      id.place = await within(writing, Math.min(WRITE_PATIENCE_MS, this.#options.deadlineMs), 'the disk');
      // Forgotten while it was written.
      if (this.#window.find(key, 0) !== id) await this.#journal.remove(id.place);
    } catch (error) {
      this.#complain(
        `could not write down the id of a message (${reasonOf(error)}): repeated after a restart it is stored again`,
      );
    }
  }

  #forget(forgotten: readonly KeptId[], now: number): void {
    for (const { place, until } of forgotten) {
      if (until > now)
        this.#complain('remembers as many ids as x.dedup.max allows and forgets the oldest before its time');
      // What stays there is forgotten when it is read again.
      if (place) this.#journal?.remove(place).catch((error: unknown) => this.#options.log.debug(reasonOf(error)));
    }
  }

  #complain(what: string): void {
    if (performance.now() < this.#complainAgain) return;
    this.#complainAgain = performance.now() + COMPLAIN_EVERY_MS;
    const { log, store } = this.#options;
    log.warn(`Store [${store}] ${what}`, { store });
  }

  async #open(folder: string): Promise<void> {
    const backOff = new BackOff();
    while (!this.#stop.signal.aborted) {
      try {
        await closing.get(folder);
        this.#journal = await this.#read(folder);
        this.#problem = undefined;
        return;
      } catch (error) {
        this.#noteProblem(folder, reasonOf(error));
        await pause(backOff.failed('unreachable'), this.#stop.signal);
      }
    }
  }

  async #read(folder: string): Promise<Journal> {
    const found: KeptId[] = [];
    const over: JournalPlace[] = [];
    const journal = await Journal.open({
      folder,
      onMessage: (place, bytes) => {
        const id = parsed(bytes);
        if (id && id.until > Date.now()) found.push({ ...id, place });
        else over.push(place);
      },
    });
    for (const id of found.sort((one, other) => one.until - other.until)) {
      for (const { place } of this.#window.add(id, Date.now())) if (place) over.push(place);
    }
    await Promise.all(over.map((place) => journal.remove(place)));
    return journal;
  }

  #noteProblem(folder: string, reason: string): void {
    const { log, store } = this.#options;
    if (reason !== this.#problem) {
      log.error(
        `Store [${store}] cannot read the ids of earlier messages in ${folder}, and goes on trying: ${reason}`,
        { store },
      );
    }
    this.#problem = reason;
  }
}

function parsed(bytes: Buffer): RememberedId | undefined {
  try {
    const { key, messageId, until } = JSON.parse(bytes.toString('utf8')) as Partial<Record<string, unknown>>;
    if (typeof key === 'string' && typeof messageId === 'string' && typeof until === 'number')
      return { key, messageId, until };
  } catch {
    // Of another version: it is forgotten.
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
