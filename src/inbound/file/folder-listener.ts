import type { Stats } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { logger } from '../../logging/index.ts';
import { pause } from '../../scheduling/index.ts';
import { within } from '../../stores/broker/deadline.ts';
import type { InboundServices, InboundTransport } from '../component.ts';
import type { MessageEntry } from '../entry.ts';
import { type FlowFailed, runToItsEnd } from '../flow-end.ts';
import { fileMessage, fileReply } from './file-message.ts';
import { isLock, type LockRules, lockFile } from './lock.ts';
import { OrphanedLocks } from './orphaned-locks.ts';
import { moveInto } from './write-file.ts';

const log = logger('FilePollingConsumer');
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const LONGEST_RETRY_MS = 60_000;
/** Files that are remembered between polls; the rest waits until some of them are gone. */
const MAX_REMEMBERED = 100_000;
const FAILED = { keep: 'it stays and is tried again', delete: 'it is deleted', move: 'it is moved' } as const;

/** What becomes of a file. */
export type FileAction =
  | { readonly kind: 'delete' | 'keep' }
  | { readonly kind: 'move'; readonly folder: string; readonly prefix: ((date: Date) => string) | undefined };

export interface FolderRules {
  /** A folder, or one file. */
  readonly path: string;
  readonly contentType: string | undefined;
  readonly matches: (name: string) => boolean;
  readonly intervalMs: number;
  readonly quietMs: number;
  readonly concurrency: number;
  readonly afterProcess: FileAction;
  readonly afterFailure: FileAction;
  readonly retryMs: number;
  readonly locking: boolean;
  readonly releaseLocksAfterMs: number | undefined;
  readonly sort: 'none' | 'name' | 'size' | 'lastmodifiedtimestamp';
  readonly ascending: boolean;
  readonly most: number | undefined;
  readonly pauseMs: number;
  readonly reply: { readonly folder: string | undefined; readonly name: string | undefined };
}

export interface FolderListenerOptions {
  readonly entry: MessageEntry;
  readonly services: InboundServices;
  readonly previous: InboundTransport | undefined;
  readonly rules: FolderRules;
}

interface Candidate {
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** What is known of a file from earlier polls. */
interface Remembered {
  readonly size: number;
  readonly modifiedMs: number;
  /** When it was seen like this first, as of performance.now(). */
  readonly since: number;
  failures: number;
  /** As of performance.now(); Infinity for a file that is kept after its flow. */
  notBefore: number;
  /** Its flow has ended, and what is to become of it could not be done: only that is tried again. */
  pending: FileAction | undefined;
}

/**
 * Takes files of a folder into flows. A file:
 *
 *     SEEN ──unchanged for a while──► QUIET ──locked, read──► IN FLOW ──taken──► moved, deleted or kept (afterProcess)
 *       ▲                               ▲                        └──not taken──► moved or deleted (afterFailure), else
 *       │                               └───after a pause, growing──────────────── kept
 *       └── changed: all over again
 *
 * A file leaves the folder only after its flow has ended, so a crash in between has it processed again. Where leaving it fails, only
 * that is tried again.
 */
export class FolderListener implements InboundTransport {
  readonly #options: FolderListenerOptions;
  readonly #life = new AbortController();
  readonly #lockRules: LockRules;
  readonly #orphans: OrphanedLocks;
  #remembered = new Map<string, Remembered>();
  #previous: InboundTransport | undefined;
  #polling: Promise<void> = Promise.resolve();
  #unreadable = false;
  /** The path was that of a file once: that it is not there now is as it should be. */
  #isOneFile = false;
  #stopped: Promise<void> | undefined;

  constructor(options: FolderListenerOptions) {
    this.#options = options;
    this.#previous = options.previous;
    this.#lockRules = { releaseAfterMs: options.rules.releaseLocksAfterMs };
    this.#orphans = new OrphanedLocks(options.entry.label, this.#lockRules);
  }

  async start(): Promise<void> {
    const { entry, rules, services } = this.#options;
    const previous = this.#previous;
    this.#previous = undefined;
    // Two versions at once would take a file twice.
    await previous?.stop(services.stores.putDeadlineMs);
    if (previous instanceof FolderListener && previous.#options.rules.path === rules.path)
      this.#remembered = previous.#remembered;
    if (this.#life.signal.aborted) return;
    log.info(`${entry.label} looks for files in ${rules.path} every ${rules.intervalMs} ms`);
    this.#polling = this.#pollAgain();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#life.abort();
    this.#stopped ??= within(this.#polling, deadlineMs, 'the flows of files to end').catch(() => {
      log.warn(`${this.#options.entry.label}: flows of files were still running; those files stay where they are`);
    });
    return this.#stopped;
  }

  async #pollAgain(): Promise<void> {
    const { signal } = this.#life;
    while (!signal.aborted) {
      try {
        await this.#poll();
        this.#unreadable = false;
      } catch (error) {
        this.#tellUnreadable(error);
      }
      await pause(this.#options.rules.intervalMs, signal);
    }
  }

  #tellUnreadable(error: unknown): void {
    const problem = `${this.#options.entry.label} cannot read its folder, and looks again: ${messageOf(error)}`;
    if (this.#unreadable) log.debug(problem);
    else log.error(problem);
    this.#unreadable = true;
  }

  async #poll(): Promise<void> {
    const { rules } = this.#options;
    const ready = await this.#readyFiles();
    const files = ready.slice(0, rules.most ?? ready.length);
    const lanes = Array.from({ length: Math.min(rules.concurrency, files.length) }, async () => {
      for (let file = files.shift(); file && !this.#life.signal.aborted; file = files.shift()) {
        await this.#take(file);
        if (rules.pauseMs > 0) await pause(rules.pauseMs, this.#life.signal);
      }
    });
    await Promise.all(lanes);
  }

  /** Those that may be taken now, in their order; remembers all that are there, and forgets the others. */
  async #readyFiles(): Promise<Candidate[]> {
    const { rules } = this.#options;
    const found = await this.#candidates();
    const remembered = new Map<string, Remembered>();
    const ready: Candidate[] = [];
    for (const file of found) {
      if (remembered.size >= MAX_REMEMBERED) break;
      const known = this.#remembered.get(file.path);
      const same = known?.size === file.size && known.modifiedMs === file.modifiedMs ? known : undefined;
      const now = same ?? { ...file, since: performance.now(), failures: 0, notBefore: 0, pending: undefined };
      remembered.set(file.path, now);
      if (performance.now() >= now.notBefore && isQuiet(file, now, rules.quietMs)) ready.push(file);
    }
    this.#remembered = remembered;
    return sorted(ready, rules);
  }

  async #candidates(): Promise<Candidate[]> {
    const { locking, path, matches } = this.#options.rules;
    const what = await this.#look(path);
    if (!what) return [];
    if (what.isFile()) return [{ path, size: what.size, modifiedMs: what.mtimeMs }];
    const found: Candidate[] = [];
    const items = await readdir(path, { withFileTypes: true });
    if (locking) await this.#orphans.sweep(path, items);
    for (const item of items) {
      const { name } = item;
      if (!item.isFile() || isLock(name) || name.endsWith('.part') || !matches(name)) continue;
      const file = join(path, name);
      const status = await stat(file).catch(() => undefined);
      // Somebody has taken it away in between.
      if (status) found.push({ path: file, size: status.size, modifiedMs: status.mtimeMs });
    }
    return found;
  }

  /** Undefined: the one file is not there. */
  async #look(path: string): Promise<Stats | undefined> {
    try {
      const what = await stat(path);
      const isOneFile = what.isFile();
      if (isOneFile && !this.#isOneFile && this.#options.rules.locking) await this.#orphans.sweepAround(path);
      this.#isOneFile = isOneFile;
      return what;
    } catch (error) {
      if (this.#isOneFile && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Never rejects. */
  async #take(file: Candidate): Promise<void> {
    const { entry } = this.#options;
    try {
      const unlock = await this.#lock(file.path);
      if (!unlock) {
        log.debug(`${entry.label}: ${file.path} is locked by another process`);
        return;
      }
      try {
        await this.#process(file);
      } finally {
        await unlock();
      }
    } catch (error) {
      log.error(`${entry.label}: ${file.path} could not be dealt with and is tried again: ${messageOf(error)}`);
      this.#postpone(file.path);
    }
  }

  #lock(path: string): Promise<(() => Promise<void>) | undefined> {
    if (this.#options.rules.locking) return lockFile(path, this.#lockRules);
    return Promise.resolve(() => Promise.resolve());
  }

  async #process(file: Candidate): Promise<void> {
    const { entry, rules } = this.#options;
    const pending = this.#remembered.get(file.path)?.pending;
    if (pending) {
      await this.#finish(file.path, pending);
      return;
    }
    const current = await stat(file.path).catch(() => undefined);
    // Another process has dealt with it, or somebody writes again.
    if (current?.size !== file.size || current.mtimeMs !== file.modifiedMs) return;
    const failed = await this.#runFlow(file);
    if (!failed) {
      await this.#finish(file.path, rules.afterProcess);
      return;
    }
    log.error(
      `${entry.label}: the flow of ${file.path} failed, ${FAILED[rules.afterFailure.kind]}: ${failed.reason}`,
      failed.about,
    );
    if (rules.afterFailure.kind === 'keep') this.#postpone(file.path);
    else await this.#finish(file.path, rules.afterFailure);
  }

  /** Why the flow did not take the file; undefined when it did. */
  async #runFlow(file: Candidate): Promise<FlowFailed | undefined> {
    const { entry, services, rules } = this.#options;
    const most = services.limits.maxBodyBytes ?? DEFAULT_MAX_BYTES;
    const reason = `it has ${file.size} bytes, more than ${most} ([mini_synapse] max_body_bytes)`;
    if (file.size > most) return { taken: false, reason };
    const configuration = services.configuration();
    const message = fileMessage({
      configuration,
      path: file.path,
      bytes: await readFile(file.path),
      modifiedMs: file.modifiedMs,
      contentType: rules.contentType,
    });
    const flow = runToItsEnd(entry, message, fileReply(rules.reply));
    configuration.services.flows.track(flow.then(() => undefined));
    const end = await flow;
    return end.taken ? undefined : end;
  }

  async #finish(path: string, action: FileAction): Promise<void> {
    const remembered = this.#remembered.get(path);
    if (remembered) remembered.pending = action;
    if (action.kind === 'delete') await rm(path, { force: true });
    else if (action.kind === 'move')
      await moveInto(path, action.folder, `${action.prefix?.(new Date()) ?? ''}${basename(path)}`);
    else if (remembered) remembered.notBefore = Number.POSITIVE_INFINITY;
    if (action.kind !== 'keep') this.#remembered.delete(path);
  }

  #postpone(path: string): void {
    const remembered = this.#remembered.get(path);
    if (!remembered) return;
    const waitMs = Math.min(LONGEST_RETRY_MS, this.#options.rules.retryMs * 2 ** Math.min(remembered.failures, 20));
    remembered.failures += 1;
    remembered.notBefore = performance.now() + waitMs;
  }
}

/** Not changed for so long, by its own time, or as far as we have looked. */
function isQuiet(file: Candidate, { since }: Remembered, quietMs: number): boolean {
  const ageMs = Date.now() - file.modifiedMs;
  return ageMs >= quietMs || performance.now() - since >= quietMs;
}

function sorted(files: Candidate[], { sort, ascending }: FolderRules): Candidate[] {
  const compare = (left: Candidate, right: Candidate) => {
    if (sort === 'size') return left.size - right.size;
    if (sort === 'lastmodifiedtimestamp') return left.modifiedMs - right.modifiedMs;
    return left.path < right.path ? -1 : 1;
  };
  const ordered = files.sort(compare);
  return ascending || sort === 'none' ? ordered : ordered.reverse();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
