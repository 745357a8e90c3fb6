import { type ContestOptions, contest, type LimitFigures, type RowFigures } from './contest.ts';
import type { Row } from './contestant.ts';
import { limitText, rowText } from './table.ts';

/** A row that has no figures. */
export interface RowFailure {
  readonly id: string;
  readonly path: string;
  readonly reason: string;
}

/** What came of the rows of a bench. */
export interface Measured {
  readonly rows: RowFigures[];
  readonly failed: RowFailure[];
}

/** A figure with a limit that no contest gives. */
export interface LimitedFigure {
  readonly id: string;
  readonly path: string;
  measure(): Promise<LimitFigures>;
}

/** Where results and progress go. */
export interface Out {
  readonly result: (text: string) => void;
  readonly progress: (line: string) => void;
}

/** Results to standard output, progress to standard error. */
export const TERMINAL: Out = {
  result: (text) => void process.stdout.write(`${text}\n`),
  progress: (line) => void process.stderr.write(`${line}\n`),
};

/**
 * Measures one row after the other, says what it does and what came of it. One that fails, by a message or by standing still, is told with
 * its reason and does not keep the others from being measured.
 */
export async function measureRows(
  rows: readonly Row[],
  options: ContestOptions,
  measured: Measured,
  out: Out = TERMINAL,
): Promise<void> {
  for (const [index, row] of rows.entries()) {
    out.progress(`  ${index + 1} of ${rows.length}: ${row.path}`);
    await toldWhenFailed(row, { measured, out }, async (seconds) => {
      const onPhase = (what: string) => out.progress(`      ${seconds().padStart(5)}  ${what}`);
      const figures = await contest(row, { ...options, onPhase });
      measured.rows.push(figures);
      out.result(`${rowText(figures)}`);
    });
  }
}

/** Measures what is no contest; it fails as a row does, and the rows keep their figures. Undefined: it has none. */
export async function measureLimit(
  limit: LimitedFigure,
  measured: Measured,
  out: Out = TERMINAL,
): Promise<LimitFigures | undefined> {
  return toldWhenFailed(limit, { measured, out }, async () => {
    const figures = await limit.measure();
    out.result(`${limitText(figures)}\n`);
    return figures;
  });
}

/** `seconds`: since the begin, as text. */
async function toldWhenFailed<T>(
  { id, path }: { readonly id: string; readonly path: string },
  { measured, out }: { readonly measured: Measured; readonly out: Out },
  measure: (seconds: () => string) => Promise<T>,
): Promise<T | undefined> {
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`;
  try {
    return await measure(seconds);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    measured.failed.push({ id, path, reason });
    out.result(`${path}\n  FAILED after ${seconds()}: ${reason}\n`);
    return undefined;
  }
}

/** Exit code 0 when all rows have figures that reach their goals. */
export function exitCodeOf({ rows, failed }: Measured): 0 | 1 {
  return failed.length === 0 && rows.every(({ met }) => met) ? 0 : 1;
}
