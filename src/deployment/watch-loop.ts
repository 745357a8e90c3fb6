import { basename } from 'node:path';
import { logger } from '../logging/index.ts';
import { isArtifactFile } from './artifact-files.ts';
import { DirectoryHints } from './directory-hints.ts';

const log = logger('ArtifactWatcher');

export const SHORTEST_PAUSE_MS = 20;
/** More hints than this at once are taken for one to look at everything. */
const MAX_HINTS = 1_000;

/** How long is waited from look to look. */
export interface Pauses {
  /** From one look at everything to the next, ms. */
  readonly scanMs: number;
  /** To a look at everything that a hint asks for, ms. */
  readonly hintedScanMs: number;
  /** While files are on the move, ms. */
  readonly glanceMs: number;
}

/** Takes looks with pauses in between: at everything now and then, at what a hint names or what is on the move soon. */
export class WatchLoop {
  readonly #look: (hinted: ReadonlySet<string> | 'all') => Promise<void>;
  readonly #directories: () => readonly string[];
  readonly #glanceWanted: () => boolean;
  readonly #pauses: () => Pauses;
  readonly #hints: DirectoryHints;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #hinted = new Set<string>();
  #allHinted = false;
  #stopped = false;
  #lastScanAt = performance.now();

  constructor(options: {
    directory: string;
    look: (hinted: ReadonlySet<string> | 'all') => Promise<void>;
    directories: () => readonly string[];
    glanceWanted: () => boolean;
    pauses: () => Pauses;
  }) {
    this.#look = options.look;
    this.#directories = options.directories;
    this.#glanceWanted = options.glanceWanted;
    this.#pauses = options.pauses;
    this.#hints = new DirectoryHints(options.directory, (path) => this.#hint(path));
  }

  start(): void {
    this.#hints.follow(this.#directories());
    this.#pause();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#hints.close();
    await this.#looking;
  }

  /** What is not an artifact file may be a directory or a link: then everything is to be looked at. */
  #hint(path: string | undefined): void {
    if (this.#stopped) return;
    const known = this.#allHinted || (path !== undefined && this.#hinted.has(path));
    if (path !== undefined && isArtifactFile(basename(path)) && this.#hinted.size < MAX_HINTS) this.#hinted.add(path);
    else this.#allHinted = true;
    if (!this.#looking && !known) this.#pause();
  }

  #pause(): void {
    if (this.#stopped) return;
    const { scanMs, hintedScanMs, glanceMs } = this.#pauses();
    const sinceScanMs = performance.now() - this.#lastScanAt;
    const waits = [(this.#allHinted ? hintedScanMs : scanMs) - sinceScanMs];
    if (this.#hinted.size > 0) waits.push(SHORTEST_PAUSE_MS);
    if (this.#glanceWanted()) waits.push(glanceMs);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#looking = this.#lookOnce();
      },
      Math.max(SHORTEST_PAUSE_MS, Math.min(...waits)),
    );
  }

  async #lookOnce(): Promise<void> {
    const { scanMs, hintedScanMs } = this.#pauses();
    const scanDue = performance.now() - this.#lastScanAt >= (this.#allHinted ? hintedScanMs : scanMs);
    const hinted = scanDue ? 'all' : this.#hinted;
    this.#hinted = new Set();
    if (scanDue) this.#allHinted = false;
    try {
      await this.#look(hinted);
      if (!this.#stopped) this.#hints.follow(this.#directories());
    } catch (error) {
      log.error(`A look at the artifacts broke off: ${error instanceof Error ? error.stack : String(error)}`);
    }
    if (scanDue) this.#lastScanAt = performance.now();
    this.#looking = undefined;
    this.#pause();
  }
}
