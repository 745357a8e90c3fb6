import { isTerminal, type stdinOf } from '../io.ts';

/**
 * Calls back with every key that is pressed on a terminal, Ctrl-C (`\x03`) included, which is no signal then. Does nothing without a
 * terminal. Returns how to stop; the terminal is as before then.
 */
export function onKeys(stdin: ReturnType<typeof stdinOf>, pressed: (key: string) => void): () => void {
  if (!isTerminal(stdin) || !stdin.setRawMode) return () => {};
  const listener = (part: Buffer | string) => {
    for (const key of String(part)) pressed(key);
  };
  stdin.setRawMode(true);
  stdin.on('data', listener);
  stdin.resume();
  return () => {
    stdin.off('data', listener);
    stdin.pause();
    stdin.setRawMode?.(false);
  };
}
