import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { logger } from '../logging/index.ts';
import { noteSecret, noteStoredSecret } from '../logging/secrets.ts';
import type { Secrets } from '../message/secrets.ts';

const log = logger('SecureVault');

/** A secret is a word or a key, no document. */
const MAX_SECRET_BYTES = 64 * 1024;
const MAX_SECRETS = 1_000;
/** How old what was read may be before the folder is looked at again, ms. */
const REFRESH_MS = 5_000;
/** How often the folder is looked at while somebody wants to know of changes, ms. */
const LOOK_MS = 2_000;
/** A file that is being written may be half there: what differs counts when it is the same again after this time, ms. */
const QUIET_MS = 200;
const ALIAS = /^[\w][\w.@-]{0,199}$/;

export interface SecretSources {
  /** A folder with one file per secret, named like its alias, as Docker and Kubernetes mount them; a line end at the end is dropped. */
  readonly folder?: string | undefined;
  /** Environment variables `MINI_SYNAPSE_SECRET_<ALIAS>`: upper case, everything but letters and digits as `_`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export const SECRET_VARIABLE_PREFIX = 'MINI_SYNAPSE_SECRET_';

/**
 * Secrets from files and the environment; files win. All files are held in memory, so that a look-up never waits; the folder is read
 * again in the background when it is asked and what is known is {@link REFRESH_MS} old, and regularly while it is watched (OP-84). Values
 * are never logged.
 */
export class SecretStore implements Secrets {
  readonly #sources: SecretSources;
  readonly #closing = new AbortController();
  #files: ReadonlyMap<string, string> = new Map();
  /** What whoever asked first was told: what has changed before somebody watches counts, too. */
  #opened: ReadonlyMap<string, string> = this.#files;
  #readAt = 0;
  #reading: Promise<void> | undefined;
  #watching: Promise<void> | undefined;
  /** What was wrong at the last look: it is told once. */
  #told: ReadonlySet<string> = new Set();

  private constructor(sources: SecretSources) {
    this.#sources = sources;
  }

  /** Reads the folder; one that does not exist holds nothing and is warned about. */
  static async open(sources: SecretSources): Promise<SecretStore> {
    const store = new SecretStore(sources);
    await store.refresh();
    store.#opened = store.#files;
    return store;
  }

  lookup(alias: string): string | undefined {
    if (!ALIAS.test(alias)) return undefined;
    if (this.#sources.folder !== undefined && Date.now() - this.#readAt > REFRESH_MS) void this.refresh();
    const secret = this.#files.get(alias) ?? this.#sources.environment?.[variableOf(alias)];
    if (secret !== undefined) noteSecret(secret);
    return secret;
  }

  /** Reads the folder again; never rejects. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * Calls back when secrets are others than they were, until {@link close}: what holds them, and asks only once, has to ask again
   * (OP-84). Does nothing where there is no folder: the environment of a process stays what it is. To be called once.
   * @param lookMs how often the folder is looked at
   */
  watch(changed: () => Promise<unknown>, lookMs: number = LOOK_MS): void {
    if (this.#sources.folder !== undefined) this.#watching ??= this.#watch(changed, lookMs);
  }

  /** Ends the watching. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
  }

  async #watch(changed: () => Promise<unknown>, lookMs: number): Promise<void> {
    let known = this.#opened;
    let pauseMs = lookMs;
    while (await this.#paused(pauseMs)) {
      const before = this.#files;
      await this.refresh();
      const files = this.#files;
      const different = differing(known, files);
      const isQuiet = differing(before, files).length === 0;
      pauseMs = different.length === 0 || isQuiet ? lookMs : QUIET_MS;
      if (different.length === 0 || !isQuiet) continue;
      known = files;
      log.info(`Secrets have changed: ${different.map((alias) => `'${alias}'`).join(', ')}`);
      await changed().catch((error: unknown) => log.error(`Changed secrets could not be taken up: ${String(error)}`));
    }
  }

  /** False when it is closed. */
  async #paused(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted;
  }

  async #read(): Promise<void> {
    const { folder } = this.#sources;
    this.#readAt = Date.now();
    if (folder === undefined) return;
    const wrong = new Set<string>();
    try {
      this.#files = await secretsIn(folder, this.#files, wrong);
      // Of several processes another one may look them up and this one show what came of it.
      for (const secret of this.#files.values()) noteStoredSecret(secret);
    } catch (error) {
      wrong.add(`The secrets in ${folder} cannot be read: ${(error as Error).message}`);
    }
    for (const sentence of wrong) if (!this.#told.has(sentence)) log.warn(sentence);
    this.#told = wrong;
  }
}

/** The aliases of which one has another secret than the other, or none. */
function differing(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  if (one === other) return [];
  const aliases = new Set([...one.keys(), ...other.keys()]);
  return [...aliases].filter((alias) => one.get(alias) !== other.get(alias)).sort();
}

function variableOf(alias: string): string {
  return SECRET_VARIABLE_PREFIX + alias.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}

/**
 * A file that is gone in between is no secret any more; one that cannot be read costs no other, and stays what it was.
 * @param wrong is added what is told about files that are no secrets, or cannot be read
 */
async function secretsIn(
  folder: string,
  known: ReadonlyMap<string, string>,
  wrong: Set<string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await readdir(folder)).slice(0, MAX_SECRETS)) {
    if (!ALIAS.test(name)) continue;
    const file = join(folder, name);
    try {
      const secret = await secretIn(file, wrong);
      if (secret !== undefined) found.set(name, secret);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      wrong.add(`${file} cannot be read: ${(error as Error).message}`);
      const before = known.get(name);
      if (before !== undefined) found.set(name, before);
    }
  }
  return found;
}

/** Undefined for what is no file, or too large. */
async function secretIn(file: string, wrong: Set<string>): Promise<string | undefined> {
  // Kubernetes mounts links: what they lead to counts.
  const found = await stat(file);
  if (!found.isFile()) return undefined;
  if (found.size <= MAX_SECRET_BYTES) return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  wrong.add(`${file} is larger than ${MAX_SECRET_BYTES} bytes and is no secret`);
  return undefined;
}
