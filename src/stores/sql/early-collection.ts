import { getHeapSpaceStatistics } from 'node:v8';
import { collectGarbage } from '../../garbage-collection.ts';

/** How often the size is looked at, requests: a look takes 10 µs. */
const LOOK_EVERY = 500;
/** V8 waits for 8 MB, which take such a thread an hour of steady load. */
const GROWTH_BYTES = 2 * 1024 * 1024;

/**
 * Collects old objects of this thread when there are 2 MB of them, to be called with each request. What a thread that hands rows on holds
 * then does not grow for hours before V8 thinks of it (npm run bench -- soak). A collection takes 10 ms of this thread and stops no other.
 * @param oldBytes how much there is
 */
export function earlyCollection(oldBytes: () => number = oldSpaceBytes, collect: () => void = collectNow): () => void {
  let requests = 0;
  let settled = oldBytes();
  return () => {
    requests += 1;
    if (requests % LOOK_EVERY !== 0) return;
    if (oldBytes() - settled < GROWTH_BYTES) return;
    collect();
    settled = oldBytes();
  };
}

function oldSpaceBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;
}

function collectNow(): void {
  collectGarbage({ type: 'major' });
}
