import type { ArtifactKind } from '../synapse/index.ts';
import type { DeploymentEvent } from './deployment-log.ts';

const MAX_ENTRIES = 200;
/** Events of one deployment that are kept; the first one may bring thousands of artifacts. */
const MAX_EVENTS = 1_000;

/** One deployment, for operators (OP-36). */
export interface DeploymentRecord {
  /** Epoch ms. */
  readonly time: number;
  readonly version: number;
  /** Files that were new, different or gone. */
  readonly files: readonly string[];
  readonly events: ReadonlyArray<{
    readonly event: DeploymentEvent;
    readonly kind: ArtifactKind;
    readonly name: string;
  }>;
  /** Of the files, with their problems. */
  readonly problems: ReadonlyArray<{ readonly file: string; readonly problems: readonly string[] }>;
}

/** How often an artifact was deployed. */
export interface ArtifactLife {
  /** Epoch ms. */
  readonly deployedAt: number;
  readonly revision: number;
}

/** The last deployments, and since when each artifact is what it is. */
export class DeploymentHistory {
  readonly #records: DeploymentRecord[] = [];
  readonly #lives = new Map<string, ArtifactLife>();

  add(record: DeploymentRecord): void {
    for (const { event, kind, name } of record.events) this.#note(event, `${kind} ${name}`, record.time);
    this.#records.push({ ...record, events: record.events.slice(0, MAX_EVENTS) });
    if (this.#records.length > MAX_ENTRIES) this.#records.shift();
  }

  /** The last ones, newest first. */
  list(limit: number): readonly DeploymentRecord[] {
    return this.#records.slice(-limit).reverse();
  }

  lifeOf(kind: ArtifactKind, name: string): ArtifactLife | undefined {
    return this.#lives.get(`${kind} ${name}`);
  }

  /** Of what is gone nothing is kept: names may come and go for ever. */
  #note(event: DeploymentEvent, key: string, time: number): void {
    if (event === 'undeployed' || event === 'renamed') this.#lives.delete(key);
    else this.#lives.set(key, { deployedAt: time, revision: (this.#lives.get(key)?.revision ?? 0) + 1 });
  }
}
