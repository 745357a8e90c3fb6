import { collectGarbage } from '../garbage-collection.ts';

/** Of large bodies, about 11 of 1 MB there and back. More, and V8 comes first; less, and what is under way counts as old too soon. */
const COLLECT_AFTER_BYTES = 24 * 1024 * 1024;

let brought = 0;

/**
 * To be told of every chunk that a socket brought, bytes. Chunks lie outside of V8's heap, and when there are 64 MB more of them than before, it
 * marks all that the process has: 40 to 60 ms of CPU in several threads, for every 28 bodies of 1 MB there and back. Nearly all of them were
 * written long before; a collection of young objects alone, which finds that out in 1 or 2 ms, lets them go.
 */
export function chunkCame(bytes: number): void {
  brought += bytes;
  if (brought < COLLECT_AFTER_BYTES) return;
  brought = 0;
  collectGarbage({ type: 'minor', execution: 'sync' });
}
