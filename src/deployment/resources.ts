import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResourceAnswer } from '../synapse/index.ts';
import { decodeXml } from '../xml/decode.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const FETCH_DEADLINE_MS = 5_000;

/**
 * The texts behind `<localEntry src="…">`, fetched once per deployment of the entry (spec proxies 6.6). Answers `pending` at first and
 * notes what is wanted; {@link fetch} then gets it, after which the artifact is read again.
 */
export class ResourceTexts {
  readonly #directories: readonly string[];
  readonly #online: boolean;
  readonly #answers = new Map<string, ResourceAnswer>();
  readonly #wanted = new Set<string>();
  #refreshing = false;

  /**
   * @param options.directories where relative `file:` paths are looked for, in this order
   * @param options.online false: nothing is fetched over the network, such resources stay `pending`
   */
  constructor(options: { readonly directories: readonly string[]; readonly online: boolean }) {
    this.#directories = options.directories;
    this.#online = options.online;
  }

  ask(url: string): ResourceAnswer {
    const answer = this.#answers.get(url);
    if (answer && !this.#refreshing) return answer;
    this.#wanted.add(url);
    return { pending: true };
  }

  /** What is asked for while `read` runs is fetched anew: the entry that asks is being deployed. */
  refresh(read: () => void): void {
    this.#refreshing = true;
    try {
      read();
    } finally {
      this.#refreshing = false;
    }
  }

  /** Gets all that was asked for and is not there yet; true if there was anything. Waits at most 5 s; never rejects. */
  async fetch(): Promise<boolean> {
    const urls = [...this.#wanted];
    this.#wanted.clear();
    const answers = await Promise.all(urls.map(async (url) => [url, await this.#get(url)] as const));
    for (const [url, answer] of answers) this.#answers.set(url, answer);
    return urls.length > 0;
  }

  async #get(url: string): Promise<ResourceAnswer> {
    const remote = /^https?:/i.test(url);
    if (remote && !this.#online) return { pending: true };
    try {
      const bytes = remote ? await download(url) : await this.#readFile(url);
      return { text: decodeXml(bytes) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }

  async #readFile(url: string): Promise<Uint8Array> {
    const paths = this.#candidates(url);
    let failure: unknown;
    for (const path of paths) {
      try {
        return await readBounded(path);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure ?? new Error(`'${url}' is neither a file: nor an http(s): address`);
  }

  #candidates(url: string): string[] {
    if (/^file:\/\//i.test(url)) return [fileURLToPath(url)];
    const path = /^file:/i.test(url) ? url.slice('file:'.length) : url;
    if (/^[a-z][\w+.-]*:/i.test(path)) return [];
    return isAbsolute(path) ? [path] : this.#directories.map((directory) => join(directory, path));
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size > MAX_BYTES) throw new Error(`'${path}' is larger than ${MAX_BYTES} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_DEADLINE_MS) });
  if (!response.ok) throw new Error(`'${url}' answered ${response.status}`);
  if (!response.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`'${url}' is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
