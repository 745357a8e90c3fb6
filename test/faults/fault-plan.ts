import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Where a process is to end; without a point it lives on. */
export interface FaultPlan {
  readonly point?: string;
  readonly nth?: number;
  readonly containing?: string;
}

const preload = new URL('./kill-at.ts', import.meta.url);

/** The plan of a process that is started again and again, in a file of its own. */
export class PlannedEnd {
  readonly #file: string;

  /** @param file where to write the plan */
  constructor(file: string) {
    this.#file = file;
    this.set({});
  }

  /** What the process is started with. */
  get env(): Readonly<Record<string, string>> {
    // A path with blanks could not be told in NODE_OPTIONS; as a URL it has none.
    return { NODE_OPTIONS: `--import ${preload.href}`, FAULT_PLAN: this.#file };
  }

  /** For the next start. */
  set(plan: FaultPlan): void {
    rmSync(`${this.#file}.reached`, { force: true });
    writeFileSync(this.#file, JSON.stringify(plan));
  }

  /** Has the process ended where it was to end? */
  get reached(): boolean {
    return existsSync(`${this.#file}.reached`);
  }
}
