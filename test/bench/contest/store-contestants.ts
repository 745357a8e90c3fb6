import { endChild, nextMessage, startModule } from './child.ts';
import type { RoundFigures } from './contestant.ts';

const ROUND_DEADLINE_MS = 45_000;
/** As many put while it warms up as clients do. */
export const WARM_UP_LANES = 64;

/** A program that puts messages by itself, with so many lanes at a time. */
export interface PuttingProgram {
  readonly pid: number;
  round(lanes: number, ms: number): Promise<RoundFigures>;
  close(): Promise<void>;
}

/** A baseline of `test/bench/baselines` that puts. */
export async function startPutting(module: string, args: readonly string[]): Promise<PuttingProgram> {
  const child = startModule(new URL(`../baselines/${module}`, import.meta.url), args);
  const close = () => endChild(child);
  await nextMessage(child).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    pid: child.pid ?? 0,
    round(lanes, ms) {
      child.send({ lanes, ms });
      return nextMessage<RoundFigures>(child, ms + ROUND_DEADLINE_MS);
    },
    close,
  };
}

/** What a row makes of such a program. */
export function putting({ pid, round }: PuttingProgram, lanes: number) {
  return {
    pid,
    round: (ms: number) => round(lanes, ms),
    warmUp: (ms: number) => round(Math.max(lanes, WARM_UP_LANES), ms),
  };
}
