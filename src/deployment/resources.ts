import { MAX_RESOURCE_BYTES, readResource } from '../registry/resource-files.ts';
import type { ResourceAnswer } from '../synapse/index.ts';
import { decodeXml } from '../xml/decode.ts';

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
      const bytes = remote ? await download(url) : await readResource(url, this.#directories);
      return { text: decodeXml(bytes) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
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
    if (bytes > MAX_RESOURCE_BYTES) throw new Error(`'${url}' is larger than ${MAX_RESOURCE_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
