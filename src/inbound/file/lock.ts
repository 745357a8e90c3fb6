import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Tells this process from an earlier one with the same id. */
const INSTANCE = randomUUID();
const LOCK_SUFFIX = '.lock';

export interface LockRules {
  /** Locks of other machines that are older are taken away, ms; undefined: never. */
  readonly releaseAfterMs: number | undefined;
}

export function isLock(name: string): boolean {
  return name.endsWith(LOCK_SUFFIX);
}

/**
 * Locks a file for this process, with a file beside it that says who has it. A lock of a process of this machine that is gone, after a
 * crash, is taken away, so that its file is processed again.
 * @returns how to unlock it; undefined when somebody else has it
 * @throws when the lock cannot be written
 */
export async function lockFile(path: string, rules: LockRules): Promise<(() => Promise<void>) | undefined> {
  const lock = `${path}${LOCK_SUFFIX}`;
  const text = `${hostname()} ${process.pid} ${INSTANCE}\n`;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      await writeFile(lock, text, { flag: 'wx' });
      return () => rm(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (!(await isStale(lock, rules))) return undefined;
    await rm(lock, { force: true });
  }
  return undefined;
}

async function isStale(lock: string, { releaseAfterMs }: LockRules): Promise<boolean> {
  try {
    const [host, pid, instance] = (await readFile(lock, 'utf8')).trim().split(' ');
    if (host === hostname() && pid !== undefined) {
      if (Number(pid) === process.pid) return instance !== INSTANCE;
      return !isAlive(Number(pid));
    }
    return releaseAfterMs !== undefined && Date.now() - (await stat(lock)).mtimeMs > releaseAfterMs;
  } catch (error) {
    // It was taken away in between.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
