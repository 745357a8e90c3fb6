import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What V8 is asked for: young objects alone, all of them, or all with every page that can be given back. */
export interface Collection {
  readonly type: 'minor' | 'major';
  readonly execution?: 'sync';
  readonly flavor?: 'last-resort';
}

type Collect = (collection: Collection) => void;

let collect: Collect | undefined;

/**
 * Lets V8 collect now, in this thread. For the few places that know better than V8 when: it goes by the growth of its heap and does not
 * see what lies outside of it, nor that nothing is going on.
 */
export function collectGarbage(collection: Collection): void {
  collect ??= collector();
  collect?.(collection);
}

/**
 * As `--expose-gc` would give it to all code. The flag is one of the process: undefined when another thread takes it back in this moment, and
 * the next call asks again.
 */
function collector(): Collect | undefined {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('globalThis.gc') as Collect | undefined;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
