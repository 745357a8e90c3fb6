import { createHistogram } from 'node:perf_hooks';
import type { RoundFigures } from '../contest/contestant.ts';

/*
 * How a baseline that puts messages is loaded: by lanes in its own process, each of which waits for its confirmation before it puts the
 * next message. Told what to do by messages of its parent, it answers each with RoundFigures.
 */

/** One round. */
export interface LanesLoad {
  readonly lanes: number;
  readonly ms: number;
}

/** Resolves when the medium has the body. */
export type Put = (body: Buffer) => Promise<void>;

const NANOSECONDS_PER_MS = 1e6;

/** Takes rounds until the parent ends. */
export function takeRounds(put: Put, body: Buffer): void {
  process.on('message', (load: LanesLoad) => {
    putFor(put, body, load).then(
      (figures) => process.send?.(figures),
      (error: unknown) => {
        process.stderr.write(`the round failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
  process.send?.({ ready: true });
}

async function putFor(put: Put, body: Buffer, { lanes, ms }: LanesLoad): Promise<RoundFigures> {
  const times = createHistogram();
  const begun = performance.now();
  const until = begun + ms;
  const lane = async () => {
    for (let now = performance.now(); now < until; ) {
      await put(body);
      const ended = performance.now();
      times.record(Math.max(1, Math.round((ended - now) * NANOSECONDS_PER_MS)));
      now = ended;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return {
    messages: times.count,
    failed: 0,
    seconds: (performance.now() - begun) / 1000,
    p50Ms: times.percentile(50) / NANOSECONDS_PER_MS,
    p99Ms: times.percentile(99) / NANOSECONDS_PER_MS,
  };
}
