/** How far back is looked for what still moves, ms. */
const RECENT_MS = 10_000;
/** Samples are kept so far apart, ms. */
const APART_MS = 500;

interface Sample {
  readonly value: number;
  readonly at: number;
}

interface Figure {
  /** Of the last {@link RECENT_MS} and one before, oldest first. */
  readonly samples: Sample[];
  latest: Sample;
  changedAt: number;
}

/** What moves and what stands still while something is waited for: tells one that is slow from one that is stuck. */
export class Progress {
  readonly #figures = new Map<string, Figure>();

  /** Figures as they are now; those that are not named keep theirs. */
  note(figures: Readonly<Record<string, number>>, at: number = performance.now()): void {
    for (const [name, value] of Object.entries(figures)) {
      const sample = { value, at };
      const figure = this.#figures.get(name);
      if (!figure) {
        this.#figures.set(name, { samples: [sample], latest: sample, changedAt: at });
        continue;
      }
      if (value !== figure.latest.value) figure.changedAt = at;
      figure.latest = sample;
      if (at - (figure.samples.at(-1)?.at ?? 0) >= APART_MS) figure.samples.push(sample);
      while ((figure.samples[1]?.at ?? at) <= at - RECENT_MS) figure.samples.shift();
    }
  }

  /** For the message of a wait in vain. */
  tell(now: number = performance.now()): string {
    const moving: string[] = [];
    const still: string[] = [];
    for (const [name, { samples, latest, changedAt }] of this.#figures) {
      const first = samples[0] ?? latest;
      if (now - changedAt > RECENT_MS) still.push(`${name} at ${latest.value} for ${seconds(now - changedAt)}`);
      else moving.push(`${name} from ${first.value} to ${latest.value} in ${seconds(now - first.at)}`);
    }
    if (moving.length + still.length === 0) return 'nothing was counted';
    const parts = [
      ...(moving.length > 0 ? [`moving: ${moving.join(', ')}`] : []),
      ...(still.length > 0 ? [`standing still: ${still.join(', ')}`] : []),
    ];
    return parts.join('; ');
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
