import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type {
  OpenStore,
  Store,
  StoreConsumer,
  StoreContext,
  StoreDelivery,
  StoredMessage,
  StoredMessageFormat,
} from '../../../src/extensions/api.ts';

/*
 * A message store in a folder: one file a message, in the order of their names. A file holds the readable head of the message in
 * its first line, then the body as it came. For one process at a time.
 */

const ENDING = '.message';
/** Not stored yet. */
const UNFINISHED = '.new';
const LINE_FEED = 10;

/** Called when the artifact is deployed. It must not wait, so the folder is read on first use. */
export const openStore: OpenStore = (context) => new FolderStore(context);

class FolderStore implements Store {
  readonly durable = true;
  /** A redeployed store goes on with what its predecessor knows: which messages somebody has right now. */
  readonly folder: Folder;
  readonly #format: StoredMessageFormat;

  constructor({ parameters, dataDirectory, format, previous, log }: StoreContext) {
    const name = parameters.get('folder');
    if (!name) throw new Error("the parameter 'folder' is missing");
    const path = resolve(dataDirectory, name);
    const former = (previous as FolderStore | undefined)?.folder;
    this.folder = former?.path === path ? former : new Folder(path);
    this.#format = format;
    log.info(`Messages are kept in ${path}`);
  }

  async put(message: StoredMessage): Promise<void> {
    const { head, body } = this.#format.encode(message);
    await this.folder.add(Buffer.concat([Buffer.from(`${head}\n`), body]));
  }

  consumer(): StoreConsumer {
    const { folder } = this;
    return {
      receive: async ({ signal, waitMs }) => {
        const name = await folder.take(signal, waitMs);
        return name === undefined ? undefined : this.#delivery(name);
      },
      close: async () => undefined,
    };
  }

  async depth() {
    return { count: await this.folder.count(), estimated: false };
  }

  async close(): Promise<void> {}

  async #delivery(name: string): Promise<StoreDelivery> {
    const { folder } = this;
    const settling = {
      redelivered: folder.returned.has(name),
      done: () => folder.remove(name),
      release: async () => folder.putBack(name),
    };
    try {
      const bytes = await readFile(join(folder.path, name));
      const end = bytes.indexOf(LINE_FEED);
      try {
        const message = this.#format.decode({ head: bytes.toString('latin1', 0, end), body: bytes.subarray(end + 1) });
        return { message, ...settling };
      } catch (error) {
        return { message: undefined, poison: { id: name, reason: String(error), bytes }, ...settling };
      }
    } catch (error) {
      // It could not be read: it is not ours then, and what is thrown is logged and tried again.
      folder.putBack(name);
      throw error;
    }
  }
}

/** The files of one folder and who has them. */
class Folder {
  readonly path: string;
  /** Those that were given back before. */
  readonly returned = new Set<string>();
  readonly #free: string[] = [];
  readonly #taken = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #read: Promise<void> | undefined;
  #last = 0;

  constructor(path: string) {
    this.path = path;
  }

  async add(bytes: Uint8Array): Promise<void> {
    await this.#ready();
    this.#last += 1;
    const name = `${String(this.#last).padStart(12, '0')}${ENDING}`;
    const temporary = join(this.path, `${name}${UNFINISHED}`);
    try {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, join(this.path, name));
      await this.#sync();
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#offer(name);
  }

  /** The first free one; waits for it. */
  async take(signal: AbortSignal, waitMs?: number): Promise<string | undefined> {
    await this.#ready();
    const until = waitMs === undefined ? undefined : performance.now() + waitMs;
    while (this.#free.length === 0 && !signal.aborted) {
      const rest = until === undefined ? undefined : until - performance.now();
      if (rest !== undefined && rest <= 0) return undefined;
      await this.#wait(signal, rest);
    }
    const name = signal.aborted ? undefined : this.#free.shift();
    if (name !== undefined) this.#taken.add(name);
    return name;
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
    this.#taken.delete(name);
    this.returned.delete(name);
  }

  putBack(name: string): void {
    this.#taken.delete(name);
    this.returned.add(name);
    this.#offer(name);
  }

  async count(): Promise<number> {
    await this.#ready();
    return this.#free.length + this.#taken.size;
  }

  /** Once, or again if it failed. */
  async #ready(): Promise<void> {
    this.#read ??= this.#scan();
    try {
      await this.#read;
    } catch (error) {
      this.#read = undefined;
      throw error;
    }
  }

  async #scan(): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const files = await readdir(this.path);
    // What a process that was killed was writing: nobody was told that it is stored.
    for (const name of files) if (name.endsWith(UNFINISHED)) await rm(join(this.path, name), { force: true });
    const names = files.filter((name) => name.endsWith(ENDING)).sort();
    this.#free.splice(0, this.#free.length, ...names);
    this.#last = Number.parseInt(names.at(-1) ?? '0', 10);
  }

  async #sync(): Promise<void> {
    const folder = await open(this.path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #offer(name: string): void {
    const at = this.#free.findIndex((other) => other > name);
    this.#free.splice(at < 0 ? this.#free.length : at, 0, name);
    for (const wake of [...this.#waiting]) wake();
  }

  #wait(signal: AbortSignal, ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(wake, Math.min(ms, 2 ** 31 - 1));
      signal.addEventListener('abort', wake);
      this.#waiting.add(wake);
    });
  }
}
