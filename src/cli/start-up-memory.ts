import { collectGarbage } from '../garbage-collection.ts';
import { startWinston } from '../logging/index.ts';
import { undiciParts } from '../transport/undici.ts';

/**
 * Gives back what reading and compiling everything once has left behind: 20 MB that V8 would keep, as nothing makes it look at a server
 * that idles (OP-102). Takes about 100 ms, once, before the first message.
 */
export function releaseStartUpMemory(): void {
  collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** What a server does when it has said that it is ready: loads what it could wait with, before its first message, and tidies up. */
export function finishStart(): void {
  startWinston();
  undiciParts();
  releaseStartUpMemory();
}
