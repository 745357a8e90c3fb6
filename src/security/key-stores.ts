import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { resourcePaths } from '../registry/resource-files.ts';
import { type KeyStore, readKeyStore } from './key-store.ts';
import { SecuritySetupError } from './security-failure.ts';

/** How long what was read is taken for what is there, ms. */
const TRUSTED_FOR_MS = 10_000;

interface KnownStore {
  readonly password: string;
  readonly store: KeyStore;
  readonly changed: number;
  checkedAt: number;
}

/** Key stores by their files, read when they are first needed and again when they change: keys are renewed without a restart. */
export class KeyStores {
  readonly #directories: readonly string[];
  readonly #known = new Map<string, KnownStore>();

  /** @param directories where relative paths of policies are looked for, in this order */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /** @throws SecuritySetupError */
  async read(file: string, password: string): Promise<KeyStore> {
    const known = this.#known.get(file);
    const now = performance.now();
    if (known?.password === password) {
      if (now - known.checkedAt < TRUSTED_FOR_MS) return known.store;
      const changed = (await stat(file).catch(() => undefined))?.mtimeMs;
      known.checkedAt = now;
      if (changed === known.changed) return known.store;
    }
    const store = await readKeyStore(file, password);
    const changed = (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
    this.#known.set(file, { password, store, changed, checkedAt: now });
    return store;
  }

  /** The file of a policy's path; undefined when there is none such. */
  async find(path: string): Promise<string | undefined> {
    const places = [
      ...resourcePaths(path, this.#directories),
      ...this.#directories.map((directory) => join(directory, basename(path))),
    ];
    for (const place of places) if ((await stat(place).catch(() => undefined))?.isFile()) return place;
    return undefined;
  }
}

/** A missing key store, with where it was looked for. */
export function noSuchStore(what: string): SecuritySetupError {
  return new SecuritySetupError(
    `the key store '${what}' is not found: put it there, or name it in deployment.toml ([keystore.primary] file_name, or [[mini_synapse.security.keystore]] file)`,
  );
}
