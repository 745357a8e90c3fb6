import { createReadStream } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { logger } from '../logging/index.ts';
import { writeWholeFile } from '../management/whole-file.ts';
import type { ArtifactVersion } from './artifact-versions.ts';

const log = logger('ArtifactVersions');
/** What may be written beyond twice of what is kept, before the file is written anew, characters. */
const SLACK_CHARS = 1024 * 1024;

/**
 * Versions of artifacts as lines of JSON, each after what it replaces; written anew when more than half of it is of no use any more. Only
 * its owner may read it: artifacts may hold passwords. A file that cannot be read or written is told of, and costs no deployment.
 */
export class VersionsFile {
  readonly #file: string;
  #chars = 0;
  #failing = false;
  /** A stopped process has left half of a line: the next one is not to become a part of it. */
  #cutOff = false;

  constructor(file: string) {
    this.#file = file;
  }

  /** Gives the versions one by one, as they were written. */
  async read(take: (version: ArtifactVersion) => void): Promise<void> {
    try {
      const lines = createInterface({
        input: createReadStream(this.#file, 'utf8'),
        crlfDelay: Number.POSITIVE_INFINITY,
      });
      for await (const line of lines) {
        this.#chars += line.length;
        const version = parsed(line);
        this.#cutOff = version === undefined;
        if (version) take(version);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#fails('read', error);
    }
  }

  /** @param all what is kept, the new ones among it */
  async append(versions: readonly ArtifactVersion[], all: () => Iterable<ArtifactVersion>): Promise<void> {
    if (versions.length === 0) return;
    const text = versions.map(lineOf).join('');
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      const kept = charsOf(all());
      if (this.#chars + text.length > 2 * kept + SLACK_CHARS) await this.#rewrite(all());
      else {
        await appendFile(this.#file, this.#cutOff ? `\n${text}` : text, { mode: 0o600 });
        this.#chars += text.length;
      }
      this.#cutOff = false;
      this.#failing = false;
    } catch (error) {
      this.#fails('written', error);
    }
  }

  async #rewrite(all: Iterable<ArtifactVersion>): Promise<void> {
    const text = Array.from(all, lineOf).join('');
    await writeWholeFile(this.#file, text, { private: true });
    this.#chars = text.length;
  }

  /** Once, until it works again. */
  #fails(what: string, error: unknown): void {
    if (!this.#failing) log.warn(`${this.#file} cannot be ${what}: ${(error as Error).message}`);
    this.#failing = true;
  }
}

function lineOf(version: ArtifactVersion): string {
  return `${JSON.stringify(version)}\n`;
}

/** About as many as they take as lines. */
function charsOf(versions: Iterable<ArtifactVersion>): number {
  let chars = 0;
  for (const { text } of versions) chars += 200 + (text?.length ?? 0);
  return chars;
}

/** A line that is cut off is passed over. */
function parsed(line: string): ArtifactVersion | undefined {
  try {
    const { file, number, time, deployment, result, chars, hash, text } = JSON.parse(line) as ArtifactVersion;
    return typeof file === 'string' && Number.isSafeInteger(number)
      ? { file, number, time, deployment, result, chars, hash, text }
      : undefined;
  } catch {
    return undefined;
  }
}
