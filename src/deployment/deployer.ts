import type { CompositeApplication } from '../composite/composite-application.ts';
import type { RegistryResource } from '../composite/registry-resources.ts';
import type { ExtensionModules } from '../extensions/extension-modules.ts';
import { POINTS, reach } from '../fault-points.ts';
import type { Diagnostic, Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import type { Sequence } from '../mediation/sequence.ts';
import type { ArtifactKinds, Services } from '../message/configuration.ts';
import { registryText } from '../message/entry.ts';
import {
  ARTIFACT_KINDS,
  type Artifact,
  type ArtifactFileReading,
  type ArtifactKind,
  type ArtifactLookup,
  describeArtifact,
} from '../synapse/index.ts';
import { ArtifactSet, type FileReport, type Resolution } from './artifact-set.ts';
import { ArtifactVersions, deployedFiles } from './artifact-versions.ts';
import { type DanglingReference, danglingReferences } from './dangling-references.ts';
import { DeploymentHistory } from './deployment-history.ts';
import { type DeploymentEvent, logApplications, logEvent, ProblemLog } from './deployment-log.ts';
import { EMPTY_BATCH, type FileBatch, type FileVersion } from './file-version.ts';
import { type LifeChange, LifeCycle } from './life-cycle.ts';
import { RegistryArtifacts } from './registry-artifacts.ts';
import type { ServedArtifact } from './resolve-names.ts';
import { ResourceTexts } from './resources.ts';
import type { ArtifactRuntime, ArtifactRuntimes } from './runtime.ts';
import { type RunningArtifact, Snapshot } from './snapshot.ts';

const log = logger('ArtifactDeployer');

export interface DeployerOptions {
  readonly runtimes: ArtifactRuntimes;
  /** What mediators and endpoints find in every snapshot. */
  readonly services: Services;
  /** The sequences that exist without an artifact (`main`, `fault`). */
  readonly builtIn?: readonly Sequence[];
  readonly lookup: Pick<ArtifactLookup, 'environment' | 'fileProperty' | 'configuration' | 'secret'>;
  /** The modules that class names stand for. */
  readonly extensions?: ExtensionModules;
  /** Takes the registry resources of all composite applications that are served, whenever something is deployed. */
  readonly applications?: { provide(resources: readonly RegistryResource[]): void };
  /** Where relative `src="file:…"` are looked for. */
  readonly resourceDirectories?: readonly string[];
  /** A file with warnings is as wrong as one with errors. */
  readonly strict?: boolean;
  /** The file that keeps the texts artifacts had; undefined: they are kept in memory only. */
  readonly versionsFile?: string;
}

/** A file of which not everything could be deployed (REQ-13), for the management API and the console. */
export interface FaultyFile {
  /** Relative to the artifact directory. */
  readonly path: string;
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  /** The text that the diagnostics point into. */
  readonly text: string;
  /** Epoch ms. */
  readonly since: number;
  /** Is its last good version, or what is good of it, served? */
  readonly serves: boolean;
}

/** What one deployment has done. */
export interface DeploymentRound {
  readonly version: number;
  readonly events: ReadonlyArray<{
    readonly event: DeploymentEvent;
    readonly kind: ArtifactKind;
    readonly name: string;
  }>;
}

/** An artifact whose definition is good, but which could not be opened. */
interface FailedOpening {
  readonly hash: string;
  readonly path: string;
  readonly diagnostic: Diagnostic;
}

/**
 * Turns changes of artifact files into immutable configuration snapshots (OP-31, OP-34). One deployment:
 *
 *     read the changed files -> decide what is served ({@link ArtifactSet}) -> open what is new or different
 *       -> publish the snapshot -> in the background: start what was opened, close what was replaced
 *
 * Deployments run one after another. Nothing is taken away before its successor is there, so untouched artifacts never notice.
 */
export class Deployer {
  readonly #options: DeployerOptions;
  readonly #set: ArtifactSet;
  readonly #resources: ResourceTexts;
  readonly #fromRegistry: RegistryArtifacts;
  readonly #life: LifeCycle;
  readonly #problems = new ProblemLog();
  readonly history = new DeploymentHistory();
  readonly versions: ArtifactVersions;
  #reports: ReadonlyMap<string, FileReport> = new Map();
  #dangling: readonly DanglingReference[] = [];
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  readonly #failedOpenings = new Map<string, FailedOpening>();
  #running: ReadonlyMap<string, RunningArtifact> = new Map();
  #snapshot: Snapshot;
  #faulty: ReadonlyMap<string, FaultyFile> = new Map();
  #applications: ReadonlyMap<string, CompositeApplication> = new Map();
  #queue: Promise<unknown> = Promise.resolve();
  #boot = true;
  #closed = false;

  constructor(options: DeployerOptions) {
    this.#options = options;
    this.versions = new ArtifactVersions(options.versionsFile);
    this.#resources = new ResourceTexts({ directories: options.resourceDirectories ?? [], online: true });
    const { lookup } = options;
    const lookedUp: ArtifactLookup = {
      environment: (name) => lookup.environment(name),
      fileProperty: (key) => lookup.fileProperty(key),
      configuration: (name) => lookup.configuration(name),
      resource: (url) => this.#resources.ask(url),
      secret: (alias) => lookup.secret?.(alias),
      extension: (className) => options.extensions?.ask(className),
      localEntry: () => undefined,
    };
    this.#set = new ArtifactSet(lookedUp, { strict: options.strict === true });
    this.#fromRegistry = new RegistryArtifacts(lookedUp);
    this.#life = new LifeCycle(options.runtimes);
    this.#snapshot = new Snapshot(0, options.services, [], options.builtIn ?? []);
  }

  /** What is served now. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The files with errors, by path. */
  faulty(): readonly FaultyFile[] {
    return [...this.#faulty.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  }

  /** All files with what is wrong with them, by path. */
  reports(): ReadonlyMap<string, FileReport> {
    return this.#reports;
  }

  /** Reads a version of a file without deploying it: what would be wrong with it. */
  look(version: FileVersion): ArtifactFileReading {
    return this.#set.look(version);
  }

  /** References to names that nothing has. */
  dangling(): readonly DanglingReference[] {
    return this.#dangling;
  }

  /** The composite applications and connectors that are served, by path. */
  applications(): ReadonlyMap<string, CompositeApplication> {
    return this.#applications;
  }

  /** Calls back right after each new snapshot was published. Returns how to stop. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Deploys a batch of file changes. Resolves when the new snapshot is served; starting and closing go on in the background, see
   * {@link settled}. The first call is the server's start: its log lines are those of the reference's start.
   */
  deploy(batch: FileBatch): Promise<DeploymentRound> {
    const round = this.#queue.then(() => this.#deploy(batch));
    this.#queue = round.catch(() => undefined);
    return round;
  }

  /**
   * Deploys again what would be read differently now, without a change of its file: a secret that it looks up is another one (OP-84).
   * Undefined when there is nothing of that kind. Resolves as {@link deploy}.
   */
  deployOutdated(): Promise<DeploymentRound | undefined> {
    const round = this.#queue.then(async () => {
      if (this.#closed || !this.#set.reread()) return undefined;
      return this.#serve(EMPTY_BATCH, await this.#decideWithResources());
    });
    this.#queue = round.catch(() => undefined);
    return round;
  }

  /** Starts what was opened so far and from now on whatever is opened: to be called when the server accepts work. */
  startWork(): Promise<void> {
    return this.#life.startWork();
  }

  /** Resolves when nothing is being started or closed any more. */
  async settled(): Promise<void> {
    await this.#queue;
    await this.#life.settled();
  }

  /** Ends all that runs, processors before stores; nothing is deployed any more. Bounded by what is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue;
    await this.#life.shutdown([...this.#running.values()]);
    await this.versions.settled();
  }

  async #deploy(batch: FileBatch): Promise<DeploymentRound> {
    if (this.#closed) return { version: this.#snapshot.version, events: [] };
    return this.#serve(batch, await this.#decide(batch));
  }

  #serve(batch: FileBatch, resolution: Resolution): DeploymentRound {
    const changed = new Set(batch.changed.map((version) => version.path));
    const former = this.#running;
    const running = this.#openAll(resolution, changed);
    reach(POINTS.deploymentOpened, 'deployer', this.#snapshot.version + 1);
    const events = this.#publish(running, former, resolution);
    const before = this.#reports;
    this.#reportProblems(resolution, changed);
    this.#remember(batch, batch === EMPTY_BATCH ? readAnew(before, this.#reports) : filesOf(batch), events);
    this.#boot = false;
    return { version: this.#snapshot.version, events };
  }

  #remember(batch: FileBatch, files: readonly string[], events: DeploymentRound['events']): void {
    const problems = files.flatMap((path) => {
      const faulty = this.#faulty.get(path);
      return faulty ? [{ file: path, problems: faulty.diagnostics.map(({ message }) => message) }] : [];
    });
    const deployment = { time: Date.now(), version: this.#snapshot.version };
    this.history.add({ ...deployment, files, events, problems });
    const deployed = deployedFiles(batch, (path) => this.#faulty.has(path));
    this.versions.add(deployment, deployed, this.#boot ? new Set(this.#reports.keys()) : undefined);
  }

  async #decide(batch: FileBatch): Promise<Resolution> {
    this.#resources.refresh(() => this.#set.take(batch));
    const { extensions } = this.#options;
    if (await extensions?.refresh()) this.#set.reread();
    return this.#decideWithResources();
  }

  /** What is read may want resources and modules, which are fetched, and it is read again. */
  async #decideWithResources(): Promise<Resolution> {
    const { extensions } = this.#options;
    while ((await this.#resources.fetch()) || (await extensions?.fetch())) this.#set.reread();
    return this.#set.resolve();
  }

  #openAll(resolution: Resolution, changed: ReadonlySet<string>): Map<string, RunningArtifact> {
    const running = new Map<string, RunningArtifact>();
    const served = [...resolution.served.values()].sort(inComingUpOrder);
    for (const [key, failed] of this.#failedOpenings) {
      if (changed.has(failed.path) || !resolution.served.has(key)) this.#failedOpenings.delete(key);
    }
    for (const next of served) {
      const opened = this.#openOne(next);
      if (opened) running.set(next.key, opened);
    }
    return running;
  }

  /** An artifact with its running object: the one it has when its definition did not change, else a new one. */
  #openOne(next: ServedArtifact): RunningArtifact | undefined {
    const { key, path, artifact } = next;
    const former = this.#running.get(key);
    if (former && carriesOver(former.artifact, artifact)) {
      return { ...former, path, artifact: { ...artifact, content: former.artifact.content } as Artifact };
    }
    if (this.#failedOpenings.get(key)?.hash === artifact.hash) return former;
    try {
      const previous = former?.artifact.kind === artifact.kind ? former.running : undefined;
      const running = this.#open(artifact, previous);
      this.#failedOpenings.delete(key);
      return { key, path, artifact, running };
    } catch (error) {
      const message = `${describeArtifact(artifact)} cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
      const diagnostic = { severity: 'error', position: artifact.position, message } as const;
      this.#failedOpenings.set(key, { hash: artifact.hash, path, diagnostic });
      return former;
    }
  }

  #open(artifact: Artifact, previous: RunningArtifact['running']): RunningArtifact['running'] {
    const runtime = this.#options.runtimes[artifact.kind] as unknown as ArtifactRuntime<ArtifactKind>;
    const opening = {
      definition: artifact.content,
      previous: previous as ArtifactKinds[ArtifactKind],
      boot: this.#boot,
    };
    return runtime.open(opening);
  }

  #publish(
    running: ReadonlyMap<string, RunningArtifact>,
    former: ReadonlyMap<string, RunningArtifact>,
    resolution: Resolution,
  ): DeploymentRound['events'] {
    const { services, builtIn } = this.#options;
    const { changes, events } = compare(former, running, resolution);
    this.#running = running;
    this.#options.applications?.provide([...resolution.applications.values()].flatMap(({ resources }) => resources));
    const artifacts = [...running.values()];
    this.#snapshot = new Snapshot(this.#snapshot.version + 1, services, artifacts, builtIn ?? [], this.#fromRegistry);
    for (const listener of this.#listeners) this.#notify(listener);
    reach(POINTS.deploymentPublished, 'deployer', this.#snapshot.version);
    for (const { event, artifact } of events) {
      logEvent(event, artifact, { file: artifact.position.file, boot: this.#boot });
    }
    this.#applications = logApplications(this.#applications, resolution.applications);
    this.#life.apply(changes);
    return events.map(({ event, artifact: { kind, name } }) => ({ event, kind, name }));
  }

  #notify(listener: (snapshot: Snapshot) => void): void {
    try {
      listener(this.#snapshot);
    } catch (error) {
      log.error(`A listener to deployments failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }

  #reportProblems(resolution: Resolution, changed: ReadonlySet<string>): void {
    const files = this.#withFailedOpenings(resolution.files);
    this.#problems.tell(files, changed, this.#boot);
    const builtIn = (this.#options.builtIn ?? []).map((sequence) => sequence.name ?? '');
    const inRegistry = (key: string) => registryText(this.#snapshot, key) !== undefined;
    const dangling = danglingReferences(resolution.served, builtIn, inRegistry);
    this.#problems.tellDangling(dangling, files);
    this.#reports = files;
    this.#dangling = dangling;
    const faulty = new Map<string, FaultyFile>();
    for (const [path, report] of files) {
      if (report.diagnostics.some(({ severity }) => severity === 'error')) faulty.set(path, this.#faultyFile(report));
    }
    this.#faulty = faulty;
  }

  #withFailedOpenings(files: ReadonlyMap<string, FileReport>): ReadonlyMap<string, FileReport> {
    if (this.#failedOpenings.size === 0) return files;
    const all = new Map(files);
    for (const { path, diagnostic } of this.#failedOpenings.values()) {
      const report = all.get(path);
      if (report) all.set(path, { ...report, diagnostics: [...report.diagnostics, diagnostic] });
    }
    return all;
  }

  #faultyFile(report: FileReport): FaultyFile {
    const { path, diagnostics, serves } = report;
    const { file } = report.reading.source;
    const [first] = diagnostics.filter(({ severity }) => severity === 'error');
    const text = (first && report.reading.sourceAt(first.position)?.text) ?? '';
    return { path, file, diagnostics, text, since: this.#faulty.get(path)?.since ?? Date.now(), serves };
  }
}

/**
 * Does the running object of an artifact serve its new definition too? Then it keeps its state: a suspended endpoint stays suspended, a
 * stopped proxy stopped, a store keeps its messages. Sequences have no state but places that messages name, so one that moved in
 * its file is made anew.
 */
function carriesOver(former: Artifact, next: Artifact): boolean {
  if (former.kind !== next.kind || former.hash !== next.hash) return false;
  return next.kind !== 'sequence' || samePosition(former.position, next.position);
}

function filesOf({ changed, removed }: FileBatch): string[] {
  return [...changed.map(({ path }) => path), ...removed];
}

/** The files that were read again although they are as they were. */
function readAnew(before: ReadonlyMap<string, FileReport>, now: ReadonlyMap<string, FileReport>): string[] {
  return [...now.values()].filter(({ path, reading }) => before.get(path)?.reading !== reading).map(({ path }) => path);
}

function samePosition(left: Position, right: Position): boolean {
  return left.file === right.file && left.line === right.line && left.column === right.column;
}

function inComingUpOrder(left: ServedArtifact, right: ServedArtifact): number {
  const rank = ARTIFACT_KINDS.indexOf(left.artifact.kind) - ARTIFACT_KINDS.indexOf(right.artifact.kind);
  return rank || (left.key < right.key ? -1 : 1);
}

interface Comparison {
  readonly changes: readonly LifeChange[];
  readonly events: ReadonlyArray<{ readonly event: DeploymentEvent; readonly artifact: Artifact }>;
}

function compare(
  former: ReadonlyMap<string, RunningArtifact>,
  running: ReadonlyMap<string, RunningArtifact>,
  { files }: Resolution,
): Comparison {
  const changes: LifeChange[] = [];
  const events: { event: DeploymentEvent; artifact: Artifact }[] = [];
  for (const [key, { artifact, path, ...before }] of former) {
    const next = running.get(key);
    if (next?.artifact.kind === artifact.kind) continue;
    changes.push({ former: { artifact, path, ...before }, next: undefined });
    if (before.running !== undefined) events.push({ event: files.has(path) ? 'renamed' : 'undeployed', artifact });
  }
  for (const [key, next] of running) {
    const before = former.get(key);
    const same = before?.artifact.kind === next.artifact.kind ? before : undefined;
    if (same?.artifact.hash === next.artifact.hash) continue;
    changes.push({ former: same, next });
    const event = eventOf(same, next);
    if (event) events.push({ event, artifact: next.artifact });
  }
  return { changes, events };
}

/** What is not run on this server (a proxy pinned to others) counts as not deployed. */
function eventOf(before: RunningArtifact | undefined, next: RunningArtifact): DeploymentEvent | undefined {
  if (next.running === undefined) return before?.running === undefined ? undefined : 'undeployed';
  return before?.running === undefined ? 'deployed' : 'updated';
}
