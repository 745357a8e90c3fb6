/** - `on`: every message. - `sampled`: a part of them. */
export type TracingMode = 'off' | 'sampled' | 'on';

/** Whose messages are followed, and how much of them. */
export interface TracingSetting {
  readonly mode: TracingMode;
  /** The part that `sampled` follows, 0 to 1. */
  readonly sample: number;
  /** Keeps the beginning of bodies, too. */
  readonly bodies: boolean;
}

/** An artifact where messages come in or out of a store. */
export interface TracedArtifact {
  readonly kind: string;
  readonly name: string;
}

/** Keeps the cost of following below 5 % (test/bench/tracing.ts). */
export const DEFAULT_SAMPLE = 0.05;
/** Artifacts with a setting of their own. */
const MAX_SETTINGS = 1_000;

/** The tracing settings of the server and of single artifacts, which win (OP-46). Not kept over a restart. */
export class TracingModes {
  #general: TracingSetting;
  readonly #own = new Map<string, TracedArtifact & TracingSetting>();

  constructor(general: TracingSetting = { mode: 'off', sample: DEFAULT_SAMPLE, bodies: false }) {
    this.#general = general;
  }

  get general(): TracingSetting {
    return this.#general;
  }

  get own(): ReadonlyArray<TracedArtifact & TracingSetting> {
    return [...this.#own.values()];
  }

  /** Is anything followed at all? */
  get idle(): boolean {
    return this.#general.mode === 'off' && this.#own.size === 0;
  }

  /** @param artifact undefined: the server as a whole */
  set(setting: TracingSetting, artifact?: TracedArtifact): void {
    if (!artifact) {
      this.#general = setting;
      return;
    }
    const key = keyOf(artifact.kind, artifact.name);
    this.#own.delete(key);
    const [oldest] = this.#own.keys();
    if (this.#own.size >= MAX_SETTINGS && oldest !== undefined) this.#own.delete(oldest);
    this.#own.set(key, { kind: artifact.kind, name: artifact.name, ...setting });
  }

  /** The artifact goes by the general setting again. */
  reset(artifact: TracedArtifact): void {
    this.#own.delete(keyOf(artifact.kind, artifact.name));
  }

  /** How the next message of an artifact is followed; undefined: not at all. */
  choose(kind: string, name: string): TracingSetting | undefined {
    const setting = this.#own.size === 0 ? this.#general : (this.#own.get(keyOf(kind, name)) ?? this.#general);
    if (setting.mode === 'off') return undefined;
    return setting.mode === 'on' || Math.random() < setting.sample ? setting : undefined;
  }
}

function keyOf(kind: string, name: string): string {
  return `${kind}\n${name}`;
}
