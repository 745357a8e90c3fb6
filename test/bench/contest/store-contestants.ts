import { endChild, nextMessage, startModule } from './child.ts';
import type { Contestant, RoundFigures, Running } from './contestant.ts';

const ROUND_DEADLINE_MS = 120_000;

/** A baseline of `test/bench/baselines` that puts messages by itself, with so many lanes. */
export function puttingBaseline(
  module: string,
  { name, args, lanes }: { name: string; args: readonly string[]; lanes: number },
): Contestant {
  return {
    name,
    async start(): Promise<Running> {
      const child = startModule(new URL(`../baselines/${module}`, import.meta.url), args);
      try {
        await nextMessage(child);
      } catch (error) {
        await endChild(child);
        throw error;
      }
      return {
        pid: child.pid ?? 0,
        round(ms) {
          child.send({ lanes, ms });
          return nextMessage<RoundFigures>(child, ms + ROUND_DEADLINE_MS);
        },
        close: () => endChild(child),
      };
    },
  };
}
