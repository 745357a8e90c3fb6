import { MemoryWatch } from '../memory.ts';
import type { LimitFigures } from './contest.ts';
import { type HttpClients, startRuntime } from './http-contestants.ts';

const MEBIBYTE = 1024 * 1024;
const CONNECTIONS = 16;
/** Held whole, the larger ones would need CONNECTIONS times as much more, request and answer each. */
const SMALL_MIB = 1;
const LARGE_MIB = 8;
const ROUND_MS = 2_500;
/** V8 lets garbage lie for a while; what is held of bodies is far less than this, bodies held whole are four times as much. */
const GOAL_MIB = 64;

interface ResidentOptions {
  readonly clients: HttpClients;
  readonly artifacts: Readonly<Record<string, string>>;
  readonly path: string;
}

/**
 * Whether what is resident depends on how large bodies are: the most of it under a load of bodies of 8 MB beyond the most of it under one
 * of 1 MB, in a server of its own.
 * @throws Error when a body was not answered as it should be
 */
export async function residentBySize({ clients, artifacts, path }: ResidentOptions): Promise<LimitFigures> {
  process.stderr.write(`  resident with bodies of ${SMALL_MIB} and ${LARGE_MIB} MB\n`);
  const { pid, port, close } = await startRuntime({ artifacts });
  const watch = new MemoryWatch(() => pid);
  try {
    const peaks: number[] = [];
    for (const mebibytes of [SMALL_MIB, LARGE_MIB]) {
      watch.phase(`${mebibytes}`);
      const load = { bytes: mebibytes * MEBIBYTE, connections: CONNECTIONS, status: 200, echoed: true };
      const { failed, messages } = await clients.round({ ...load, port, path, ms: ROUND_MS });
      if (failed > 0 || messages === 0) throw new Error(`${failed} of ${failed + messages} bodies failed`);
      peaks.push(watch.peaks.get(`${mebibytes}`) ?? Number.NaN);
    }
    const [small = Number.NaN, large = Number.NaN] = peaks;
    const more = large - small;
    return {
      id: 'resident-by-size',
      path: `proxy pass-through, ${CONNECTIONS} connections: resident with bodies of ${LARGE_MIB} MB (${large.toFixed(0)} MiB) beyond that with ${SMALL_MIB} MB (${small.toFixed(0)} MiB)`,
      value: { median: more, min: more, max: more },
      unit: 'MiB',
      goal: GOAL_MIB,
      met: more <= GOAL_MIB,
    };
  } finally {
    watch.stop();
    await close();
  }
}
