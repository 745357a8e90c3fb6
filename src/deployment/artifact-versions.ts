import { hash } from 'node:crypto';
import { isArchive } from './artifact-files.ts';
import type { FileBatch } from './file-version.ts';
import { VersionsFile } from './versions-file.ts';

/** Versions of one file, characters of one text, and of all texts together. */
const MAX_VERSIONS = 20;
const MAX_TEXT_CHARS = 1024 * 1024;
const MAX_TOTAL_CHARS = 32 * 1024 * 1024;
/** Files whose versions are kept; names may come and go for ever. */
const MAX_FILES = 10_000;
/** Files that are looked at before others get their turn. */
const AT_ONCE = 100;

/** What an artifact file was at one time (OP-36). */
export interface ArtifactVersion {
  /** Path relative to the artifact folder. */
  readonly file: string;
  /** Counted for this file, from 1. */
  readonly number: number;
  /** Epoch ms. */
  readonly time: number;
  /** The deployment that brought it; counted anew by each start of the server. */
  readonly deployment: number;
  readonly result: 'deployed' | 'faulty' | 'removed';
  readonly chars: number;
  /** SHA-256 of the text. */
  readonly hash: string;
  /** As it was, secrets too; undefined: the file was gone, or its text is not kept (any more). */
  readonly text: string | undefined;
}

/** A file of one deployment. */
export interface DeployedFile {
  readonly file: string;
  readonly result: ArtifactVersion['result'];
  /** Undefined: there is none, or it cannot be read. */
  readonly text: string | undefined;
}

/** What versions are kept of: texts, not archives. */
export function deployedFiles({ changed, removed }: FileBatch, isFaulty: (path: string) => boolean): DeployedFile[] {
  const texts = changed.filter(({ application }) => application === undefined);
  const gone = removed.filter((path) => !isArchive(path));
  return [
    ...texts.map(
      ({ path, source, unreadable }): DeployedFile => ({
        file: path,
        result: isFaulty(path) ? 'faulty' : 'deployed',
        text: unreadable === undefined ? source.text : undefined,
      }),
    ),
    ...gone.map((file): DeployedFile => ({ file, result: 'removed', text: undefined })),
  ];
}

/**
 * The texts that artifact files had, the last {@link MAX_VERSIONS} of each and the last good one always; kept in a file of the data
 * folder, if there is one, so that they survive restarts. The same text deployed again is no new version.
 */
export class ArtifactVersions {
  readonly #byFile = new Map<string, ArtifactVersion[]>();
  readonly #kept: VersionsFile | undefined;
  #chars = 0;
  #queue: Promise<void>;

  /** @param file where versions are kept; undefined: in memory only. It is read in the background. */
  constructor(file?: string) {
    this.#kept = file === undefined ? undefined : new VersionsFile(file);
    this.#queue = this.#load();
  }

  /** Notes what a deployment has brought, in the background. Of files that `present` does not name it is noted that they are gone. */
  add(
    deployment: { readonly version: number; readonly time: number },
    files: readonly DeployedFile[],
    present?: ReadonlySet<string>,
  ): void {
    this.#queue = this.#queue.then(() => this.#add(deployment, [...files, ...this.#goneFrom(present)]));
  }

  /** Resolves when all that was noted is there, also on disk. Never rejects. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  /** The files that have versions. */
  files(): readonly string[] {
    return [...this.#byFile.keys()];
  }

  /** The versions of a file, newest first. */
  of(file: string): readonly ArtifactVersion[] {
    return [...(this.#byFile.get(file) ?? [])].reverse();
  }

  find(file: string, number: number): ArtifactVersion | undefined {
    return this.#byFile.get(file)?.find((version) => version.number === number);
  }

  /** The newest good version whose text is not the present one; undefined: there is none. */
  lastGood(file: string): ArtifactVersion | undefined {
    const [newest, ...others] = this.of(file);
    return others.find(
      ({ result, text, hash }) => result === 'deployed' && text !== undefined && hash !== newest?.hash,
    );
  }

  async #load(): Promise<void> {
    await this.#kept?.read((version) => this.#put(version));
    this.#bound();
  }

  async #add({ version, time }: { version: number; time: number }, files: readonly DeployedFile[]): Promise<void> {
    const added: ArtifactVersion[] = [];
    for (const [index, { file, result, text }] of files.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
      const hash = result === 'removed' ? '' : hashOf(text ?? '');
      const newest = this.#byFile.get(file)?.at(-1);
      const same = newest?.hash === hash;
      if (same && newest.result === result) this.#share(newest, text);
      else {
        const number = same ? newest.number : (newest?.number ?? 0) + 1;
        const kept = text !== undefined && text.length <= MAX_TEXT_CHARS ? text : undefined;
        const chars = text?.length ?? 0;
        added.push(this.#put({ file, number, time, deployment: version, result, chars, hash, text: kept }));
      }
    }
    this.#bound();
    await this.#kept?.append(added, () => this.#all());
  }

  /** In place of the one with its number, else as the newest. */
  #put(version: ArtifactVersion): ArtifactVersion {
    const versions = this.#byFile.get(version.file) ?? [];
    this.#byFile.set(version.file, versions);
    const at = versions.findIndex(({ number }) => number === version.number);
    if (at < 0) versions.push(version);
    else this.#forget(versions.splice(at, 1, version)[0]);
    this.#chars += version.text?.length ?? 0;
    while (versions.length > MAX_VERSIONS) this.#forget(...versions.splice(oldestIndex(versions), 1));
    return version;
  }

  /** What was read from disk need not be there twice. */
  #share(version: ArtifactVersion, text: string | undefined): void {
    if (version.text !== undefined && text !== undefined) this.#put({ ...version, text });
  }

  #forget(...versions: ReadonlyArray<ArtifactVersion | undefined>): void {
    for (const version of versions) this.#chars -= version?.text?.length ?? 0;
  }

  /** The oldest texts go first, but never the present one of a file. */
  #bound(): void {
    for (const [file, versions] of this.#byFile) {
      if (this.#byFile.size <= MAX_FILES) break;
      this.#forget(...versions);
      this.#byFile.delete(file);
    }
    if (this.#chars <= MAX_TOTAL_CHARS) return;
    const older = [...this.#byFile.values()].flatMap((versions) => versions.slice(0, -1));
    for (const version of older.sort((left, right) => left.time - right.time)) {
      if (this.#chars <= MAX_TOTAL_CHARS) return;
      if (version.text !== undefined) this.#put({ ...version, text: undefined });
    }
  }

  *#goneFrom(present: ReadonlySet<string> | undefined): Generator<DeployedFile> {
    if (!present) return;
    for (const [file, versions] of this.#byFile) {
      const gone = !present.has(file) && versions.at(-1)?.result !== 'removed';
      if (gone) yield { file, result: 'removed', text: undefined };
    }
  }

  *#all(): Generator<ArtifactVersion> {
    for (const versions of this.#byFile.values()) yield* versions;
  }
}

/** The last good one stays, however often what came after it was wrong. */
function oldestIndex(versions: readonly ArtifactVersion[]): number {
  const good = versions.findLastIndex(({ result, text }) => result === 'deployed' && text !== undefined);
  return good === 0 ? 1 : 0;
}

function hashOf(text: string): string {
  return hash('sha256', text, 'hex');
}
