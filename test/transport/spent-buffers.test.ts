import { constants, PerformanceObserver } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { chunkCame } from '../../src/transport/spent-buffers.ts';

const MIB = 1024 * 1024;

/** The collections that were asked for, not those that V8 made by itself. */
async function forcedDuring(work: () => void): Promise<number[]> {
  const kinds: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as Array<{ detail?: { kind?: number; flags?: number } }>)
      if (((detail?.flags ?? 0) & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0) kinds.push(detail?.kind ?? -1);
  });
  observer.observe({ entryTypes: ['gc'] });
  work();
  // Entries are handed out one turn later.
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  observer.disconnect();
  return kinds;
}

describe('chunks that sockets bring', () => {
  it('are collected with the other young objects whenever there were 24 MiB of them, and not before', async () => {
    expect(await forcedDuring(() => chunkCame(23 * MIB))).toEqual([]);
    expect(await forcedDuring(() => chunkCame(MIB))).toEqual([constants.NODE_PERFORMANCE_GC_MINOR]);
    expect(await forcedDuring(() => chunkCame(23 * MIB))).toEqual([]);
  });
});
