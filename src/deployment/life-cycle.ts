import { POINTS, reach } from '../fault-points.ts';
import { logger } from '../logging/index.ts';
import { ARTIFACT_KINDS, type ArtifactKind, describeArtifact } from '../synapse/index.ts';
import type { ArtifactRuntime, ArtifactRuntimes, CloseReason } from './runtime.ts';
import type { RunningArtifact } from './snapshot.ts';

const log = logger('ArtifactDeployer');

/** Artifacts of one kind that do not stop keep the stores that they use open for that long, and no longer, ms. */
const KIND_DEADLINE_MS = 60_000;

/** What a deployment changes in one running artifact. */
export interface LifeChange {
  /** To be closed. */
  readonly former: RunningArtifact | undefined;
  /** To be started. */
  readonly next: RunningArtifact | undefined;
}

/**
 * Starts and closes running artifacts in the background, so that one that takes long to end delays nothing else:
 *
 *     opened --(server works)--> started --(replaced | undeployed | shutdown)--> closed
 *
 * Of one name, steps never overlap: the next deployment's wait for the ones before. Users go before what they use: no store is closed
 * while a processor of this deployment or an earlier one is still being replaced or ended.
 */
export class LifeCycle {
  readonly #runtimes: ArtifactRuntimes;
  /** Per artifact key, the end of the steps so far. */
  readonly #chains = new Map<string, Promise<void>>();
  readonly #rounds = new Set<Promise<void>>();
  /** Per kind, the steps that have not ended. */
  readonly #pending = new Map<ArtifactKind, Set<Promise<void>>>();
  /** Opened before the server works. */
  readonly #waiting = new Map<string, RunningArtifact>();
  #working = false;

  constructor(runtimes: ArtifactRuntimes) {
    this.#runtimes = runtimes;
  }

  /** From now on artifacts are started as they come; those that were opened before, now. Resolves when they have started. */
  async startWork(): Promise<void> {
    this.#working = true;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    await Promise.all(waiting.map((next) => this.#chain(next.key, () => this.#start(next))));
  }

  /** Begins the steps of one deployment. */
  apply(changes: readonly LifeChange[]): void {
    const round = this.#apply(changes).finally(() => this.#rounds.delete(round));
    this.#rounds.add(round);
  }

  /** Resolves when all that was begun has ended. */
  async settled(): Promise<void> {
    while (this.#rounds.size > 0 || this.#chains.size > 0) {
      await Promise.all([...this.#rounds, ...this.#chains.values()]);
    }
  }

  /** Ends everything, users before what they use. */
  async shutdown(artifacts: readonly RunningArtifact[]): Promise<void> {
    this.#waiting.clear();
    await this.#apply(
      artifacts.map((former) => ({ former, next: undefined })),
      'shutdown',
    );
    await this.settled();
  }

  async #apply(changes: readonly LifeChange[], reason?: CloseReason): Promise<void> {
    for (const kind of ARTIFACT_KINDS.toReversed()) {
      for (const change of changes) {
        if ((change.former ?? change.next)?.artifact.kind === kind) this.#note(kind, this.#change(change, reason));
      }
      await withinDeadline(kind, this.#pending.get(kind) ?? []);
    }
  }

  #note(kind: ArtifactKind, step: Promise<void>): void {
    const pending = this.#pending.get(kind) ?? new Set();
    this.#pending.set(kind, pending.add(step));
    void step.finally(() => pending.delete(step));
  }

  #change({ former, next }: LifeChange, reason?: CloseReason): Promise<void> {
    const key = (former ?? next)?.key ?? '';
    const replaced = next && former?.artifact.kind === next.artifact.kind;
    if (next && !this.#working) this.#waiting.set(key, next);
    else if (!next) this.#waiting.delete(key);
    return this.#chain(key, async () => {
      if (next && this.#working) await this.#start(next);
      if (former) await this.#close(former, reason ?? (replaced ? 'replaced' : 'undeployed'));
    });
  }

  #chain(key: string, step: () => Promise<void>): Promise<void> {
    const chain = (this.#chains.get(key) ?? Promise.resolve()).then(step);
    this.#chains.set(key, chain);
    return chain.finally(() => {
      if (this.#chains.get(key) === chain) this.#chains.delete(key);
    });
  }

  async #start({ artifact, running }: RunningArtifact): Promise<void> {
    if (running === undefined) return;
    try {
      await this.#runtime(artifact.kind).start?.(running);
    } catch (error) {
      log.error(`Starting ${describeArtifact(artifact)} failed: ${detail(error)}`);
    }
  }

  async #close({ artifact, running }: RunningArtifact, reason: CloseReason): Promise<void> {
    if (running === undefined) return;
    try {
      await this.#runtime(artifact.kind).close?.(running, reason);
      reach(POINTS.deploymentClosed, artifact.name, reason);
    } catch (error) {
      log.error(`Closing ${describeArtifact(artifact)} failed: ${detail(error)}`);
    }
  }

  /** The kind of a running artifact and its runtime belong together; the compiler cannot see that over a union. */
  #runtime(kind: ArtifactKind): ArtifactRuntime<ArtifactKind> {
    return this.#runtimes[kind] as unknown as ArtifactRuntime<ArtifactKind>;
  }
}

/** Waits for steps, which never reject, but not for ever. */
async function withinDeadline(kind: ArtifactKind, steps: Iterable<Promise<void>>): Promise<void> {
  const { promise: deadline, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    log.warn(`Not every ${kind} has stopped within ${KIND_DEADLINE_MS / 1000} s; what it uses is closed now`);
    resolve();
  }, KIND_DEADLINE_MS);
  await Promise.race([Promise.all(steps), deadline]);
  clearTimeout(timer);
}

function detail(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
