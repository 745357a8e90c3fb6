import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { logger } from '../logging/index.ts';
import type { Secrets } from '../message/secrets.ts';

const log = logger('SecureVault');

/** A secret is a word or a key, no document. */
const MAX_SECRET_BYTES = 64 * 1024;
const MAX_SECRETS = 1_000;
/** How old what was read may be before the folder is looked at again, ms. */
const REFRESH_MS = 5_000;
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
 * again in the background when it is asked and what is known is {@link REFRESH_MS} old (OP-84). Values are never logged.
 */
export class SecretStore implements Secrets {
  readonly #sources: SecretSources;
  #files: ReadonlyMap<string, string> = new Map();
  #readAt = 0;
  #reading: Promise<void> | undefined;

  private constructor(sources: SecretSources) {
    this.#sources = sources;
  }

  /** Reads the folder; one that does not exist holds nothing and is warned about. */
  static async open(sources: SecretSources): Promise<SecretStore> {
    const store = new SecretStore(sources);
    await store.refresh();
    return store;
  }

  lookup(alias: string): string | undefined {
    if (!ALIAS.test(alias)) return undefined;
    if (this.#sources.folder !== undefined && Date.now() - this.#readAt > REFRESH_MS) void this.refresh();
    return this.#files.get(alias) ?? this.#sources.environment?.[variableOf(alias)];
  }

  /** Reads the folder again; never rejects. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { folder } = this.#sources;
    this.#readAt = Date.now();
    if (folder === undefined) return;
    try {
      this.#files = await secretsIn(folder);
    } catch (error) {
      log.warn(`The secrets in ${folder} cannot be read: ${(error as Error).message}`);
    }
  }
}

function variableOf(alias: string): string {
  return SECRET_VARIABLE_PREFIX + alias.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}

async function secretsIn(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await readdir(folder)).slice(0, MAX_SECRETS)) {
    const file = join(folder, name);
    // Kubernetes mounts links: what they lead to counts.
    const { size } = ALIAS.test(name) ? await fileAt(file) : { size: undefined };
    if (size === undefined) continue;
    if (size > MAX_SECRET_BYTES) log.warn(`${file} is larger than ${MAX_SECRET_BYTES} bytes and is no secret`);
    else found.set(name, (await readFile(file, 'utf8')).replace(/\r?\n$/, ''));
  }
  return found;
}

async function fileAt(file: string): Promise<{ size: number | undefined }> {
  const found = await stat(file);
  return { size: found.isFile() ? found.size : undefined };
}
