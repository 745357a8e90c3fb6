/** What one round of load came to. */
export interface RoundFigures {
  /** Messages that were done as they should be. */
  readonly messages: number;
  /** Messages that were not: a round with any does not count. */
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A program under test, started. */
export interface Running {
  /** The process whose CPU time and memory are measured. */
  readonly pid: number;
  /** It was warmed up before, for another row: only what that row did not do is left to be compiled. */
  readonly warm?: boolean;
  /** Loads it for about so many ms. */
  round(ms: number): Promise<RoundFigures>;
  /** Before the first round, where a round alone would leave much of the code uncompiled; default a round. */
  warmUp?(ms: number): Promise<RoundFigures>;
  /** Between rounds: puts it back to where it was, for example by emptying a store. */
  tidy?(): Promise<void>;
  /** @param failed it did not do what it should */
  close(failed: boolean): Promise<void>;
}

/** A program that can be measured: ours, or a bare baseline that does the minimum. */
export interface Contestant {
  readonly name: string;
  start(): Promise<Running>;
}

/** One line of the table: a path of ours against a baseline, measured alternately in the same run. */
export interface Row {
  readonly id: string;
  /** The path, as people call it. */
  readonly path: string;
  readonly baseline: Contestant;
  readonly ours: Contestant;
  /** The least part of the baseline's messages per second. */
  readonly goal: number;
  /** At most so many times its 99th percentile. */
  readonly p99Goal?: number;
  /** So many times the rounds of other rows, where they differ more from each other than what is looked for; default 1. */
  readonly roundsTimes?: number;
}
