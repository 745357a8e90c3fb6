import type { CompositeApplication } from '../composite/composite-application.ts';
import type { Diagnostic } from '../grammar/diagnostic.ts';
import {
  type Artifact,
  type ArtifactFileReading,
  type ArtifactLookup,
  failedReading,
  readApplication,
  readArtifactFile,
  strictly,
} from '../synapse/index.ts';
import type { FileBatch, FileVersion } from './file-version.ts';
import { type Claimant, resolveNames, type ServedArtifact } from './resolve-names.ts';

const MAX_ROUNDS = 8;

/** A file with what is wrong with it. */
export interface FileReport {
  readonly path: string;
  readonly reading: ArtifactFileReading;
  /** Why the file could not even be read. */
  readonly unreadable: string | undefined;
  /** The problems of the file itself, and the names that other files have already. */
  readonly diagnostics: readonly Diagnostic[];
  /** Is anything of this file served: of this version or of its last good one? */
  readonly serves: boolean;
}

/** What is to be served after a batch, and what is wrong. */
export interface Resolution {
  /** By {@link artifactKey}. */
  readonly served: ReadonlyMap<string, ServedArtifact>;
  readonly files: ReadonlyMap<string, FileReport>;
  /** The composite applications that are served, by path. */
  readonly applications: ReadonlyMap<string, CompositeApplication>;
}

interface FileState {
  readonly version: FileVersion;
  readonly reading: ArtifactFileReading;
  readonly leaving: boolean;
}

/** What a file serves since the last batch. */
interface FileStanding {
  /** By artifact key. */
  readonly served: ReadonlyMap<string, Artifact>;
  /** Has a version of it been served as a whole? */
  readonly wasWhole: boolean;
  /** The application of the version that is served. */
  readonly application: CompositeApplication | undefined;
}

/**
 * All artifact files with their latest versions, and which artifacts of them are to be served. Knows nothing of running objects and
 * does no I/O: the deployer and `check` decide with the same rules.
 *
 * - All or nothing (OP-31): a file that has been served as a whole is only replaced by a version that is good as a whole; until then
 *   that last good version stays. A file that never was whole is served as far as it is good (the reference's fail-safe mode, spec
 *   proxies 7.3), and keeps what it serves until it is whole.
 * - A name belongs to one file (REQ-6): whoever serves it keeps it. A file that claims another's name is refused like a broken one,
 *   and is taken up by itself when the name becomes free. A file on its way out gives way.
 */
export class ArtifactSet {
  readonly #lookup: ArtifactLookup;
  readonly #strict: boolean;
  readonly #files = new Map<string, FileState>();
  #standings: ReadonlyMap<string, FileStanding> = new Map();
  #entries: ReadonlyMap<string, string> = new Map();

  /**
   * @param lookup answers everything but local entries, which the set has itself
   * @param options `strict`: a file with warnings is as wrong as one with errors
   */
  constructor(lookup: ArtifactLookup, { strict = false }: { readonly strict?: boolean } = {}) {
    this.#strict = strict;
    this.#lookup = {
      environment: (name) => lookup.environment(name),
      fileProperty: (key) => lookup.fileProperty(key),
      configuration: (name) => lookup.configuration(name),
      resource: (url) => lookup.resource(url),
      secret: (alias) => lookup.secret?.(alias),
      extension: (className) => lookup.extension?.(className),
      localEntry: (key) => this.#entries.get(key),
    };
  }

  /** Reads the changed files. */
  take(batch: FileBatch): void {
    for (const path of batch.removed) this.#files.delete(path);
    for (const version of batch.changed) {
      this.#files.set(version.path, { version, reading: this.#read(version), leaving: false });
    }
    const leaving = new Set(batch.leaving);
    for (const [path, state] of this.#files) {
      if (state.leaving !== leaving.has(path)) this.#files.set(path, { ...state, leaving: leaving.has(path) });
    }
  }

  /** What a version of a file would be read as now; takes nothing. */
  look(version: FileVersion): ArtifactFileReading {
    return this.#read(version);
  }

  /** Reads those files again that would be read differently now; true if there were any. */
  reread(): boolean {
    let any = false;
    for (const [path, state] of this.#files) {
      if (!state.reading.outdated()) continue;
      this.#files.set(path, { ...state, reading: this.#read(state.version) });
      any = true;
    }
    return any;
  }

  /**
   * Decides what is to be served from now on. Artifacts that look up others are read again, and names that became free are given
   * out again, until nothing changes any more.
   */
  resolve(): Resolution {
    let outcome = this.#resolveOnce();
    for (let round = 1; round < MAX_ROUNDS; round += 1) {
      const reread = this.reread();
      const next = this.#resolveOnce();
      const settled = !reread && sameArtifacts(outcome.served, next.served);
      outcome = next;
      if (settled) break;
    }
    return outcome;
  }

  #read(version: FileVersion): ArtifactFileReading {
    const reading = this.#readAsWritten(version);
    return this.#strict ? strictly(reading) : reading;
  }

  #readAsWritten(version: FileVersion): ArtifactFileReading {
    const { application, source, unreadable } = version;
    if (application) return readApplication(source, application, this.#lookup);
    if (unreadable === undefined) return readArtifactFile(source, this.#lookup);
    const position = { file: source.file, line: 1, column: 1 };
    return failedReading(source, {
      severity: 'error',
      position,
      message: `cannot be read: ${unreadable}`,
    });
  }

  #resolveOnce(): Resolution {
    const claimants = [...this.#files].map(([path, state]) => this.#claimant(path, state)).sort(inOrder);
    const { served, refusals, fulfilled } = resolveNames(claimants);
    const standings = new Map<string, FileStanding>();
    const files = new Map<string, FileReport>();
    const byFile = Map.groupBy(served.values(), (artifact) => artifact.path);
    const applications = new Map<string, CompositeApplication>();
    for (const [path, { version, reading }] of this.#files) {
      const own = new Map(byFile.get(path)?.map(({ key, artifact }) => [key, artifact]));
      const wasWhole = this.#standings.get(path)?.wasWhole === true || fulfilled.has(path);
      const application = reading.whole ? version.application : this.#standings.get(path)?.application;
      if (application) applications.set(path, application);
      standings.set(path, { served: own, wasWhole, application });
      const diagnostics = [...reading.diagnostics, ...(refusals.get(path) ?? [])];
      files.set(path, { path, reading, unreadable: version.unreadable, diagnostics, serves: own.size > 0 });
    }
    this.#standings = standings;
    this.#entries = entriesOf(served);
    return { served, files, applications };
  }

  #claimant(path: string, { reading, leaving }: FileState): Claimant {
    const standing = this.#standings.get(path);
    const incumbent = standing?.served ?? new Map<string, Artifact>();
    const wasWhole = standing?.wasWhole === true;
    return { path, reading, incumbent, wasWhole, leaving };
  }
}

/** Definitions files come first and are not overwritten (spec proxies 7.2); else the order of paths, for determinism. */
function inOrder(left: Claimant, right: Claimant): number {
  const rank = Number(left.reading.root !== 'definitions') - Number(right.reading.root !== 'definitions');
  return rank || (left.path < right.path ? -1 : 1);
}

function entriesOf(served: ReadonlyMap<string, ServedArtifact>): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const { artifact } of served.values()) {
    if (artifact.kind === 'localEntry') entries.set(artifact.name, artifact.content.entry.text);
  }
  return entries;
}

function sameArtifacts(left: Resolution['served'], right: Resolution['served']): boolean {
  if (left.size !== right.size) return false;
  for (const [key, { artifact }] of left) if (right.get(key)?.artifact !== artifact) return false;
  return true;
}
