import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtExit } from '../../samples/activemq/clean-up-at-exit.ts';

/** A temporary folder that is removed when this process ends, also by Ctrl-C; whoever is done with it sooner calls {@link removeFolder}. */
export function benchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-bench-'));
  forgets.set(
    folder,
    cleanUpAtExit(() => remove(folder)),
  );
  return folder;
}

const forgets = new Map<string, () => void>();

/** Removes one of {@link benchFolder} with all that is in it. */
export function removeFolder(folder: string): void {
  remove(folder);
  forgets.get(folder)?.();
  forgets.delete(folder);
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
