/** More artifacts with levels of their own are not kept apart; the first one loses its level. */
const MAX_ARTIFACTS = 1_000;

interface OwnLevel {
  readonly kind: string;
  readonly name: string;
  readonly level: number;
  /** Of the reset. */
  readonly timer: NodeJS.Timeout | undefined;
  /** When that comes, epoch ms. */
  readonly resetsAt: number | undefined;
}

/** Levels of single artifacts, for the lines about their messages. While there are none, nothing is looked up. */
export class ArtifactLevels {
  readonly #own = new Map<string, OwnLevel>();
  #highest = Number.NEGATIVE_INFINITY;

  /** The most talkative of them; minus infinity while there are none. */
  get highest(): number {
    return this.#highest;
  }

  list(): ReadonlyArray<Omit<OwnLevel, 'timer'>> {
    return [...this.#own.values()];
  }

  set(
    artifact: { readonly kind: string; readonly name: string },
    level: number | undefined,
    resetAfterMs?: number,
  ): void {
    const key = keyOf(artifact.kind, artifact.name);
    clearTimeout(this.#own.get(key)?.timer);
    this.#own.delete(key);
    if (level !== undefined) {
      const resetsAt = resetAfterMs === undefined ? undefined : Date.now() + resetAfterMs;
      this.#own.set(key, { ...artifact, level, timer: this.#resetTimer(key, resetAfterMs), resetsAt });
    }
    for (const first of this.#own.keys()) if (this.#own.size > MAX_ARTIFACTS) this.#forget(first);
    this.#measure();
  }

  /** The level up to which a line with these details is written. */
  limitFor(details: Readonly<Record<string, string | number | boolean | undefined>>, otherwise: () => number): number {
    if (this.#own.size === 0) return otherwise();
    return this.#ownLimit(details) ?? otherwise();
  }

  #ownLimit({ artifactKind, artifact, processor, store }: Readonly<Record<string, unknown>>): number | undefined {
    const candidates = [
      [artifactKind, artifact],
      ['messageProcessor', processor],
      ['messageStore', store],
    ];
    for (const [kind, name] of candidates) {
      const own = name === undefined ? undefined : this.#own.get(keyOf(String(kind), String(name)));
      if (own) return own.level;
    }
    return undefined;
  }

  #resetTimer(key: string, resetAfterMs: number | undefined): NodeJS.Timeout | undefined {
    if (resetAfterMs === undefined) return undefined;
    return setTimeout(() => {
      this.#forget(key);
      this.#measure();
    }, resetAfterMs).unref();
  }

  #forget(key: string): void {
    clearTimeout(this.#own.get(key)?.timer);
    this.#own.delete(key);
  }

  #measure(): void {
    this.#highest = Math.max(Number.NEGATIVE_INFINITY, ...[...this.#own.values()].map(({ level }) => level));
  }
}

function keyOf(kind: string, name: string): string {
  return `${kind}\n${name}`;
}
