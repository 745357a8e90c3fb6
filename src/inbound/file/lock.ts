import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Tells this process from an earlier one with the same id. */
const INSTANCE = randomUUID();
const LOCK_SUFFIX = '.lock';
/** Of the lock on taking a stale lock away. */
const TAKEOVER_SUFFIX = '.takeover.lock';
/** A lock without a name in it is one that is just being written, or whose writer died there. */
const UNSIGNED_MS = 10_000;

export interface LockRules {
  /** Locks of other machines that are older are taken away, ms; undefined: never. */
  readonly releaseAfterMs: number | undefined;
}

export function isLock(name: string): boolean {
  return name.endsWith(LOCK_SUFFIX);
}

/** The file that a lock of this name is for. */
export function lockedName(lock: string): string {
  return lock.slice(0, -LOCK_SUFFIX.length);
}

/**
 * Locks a file for this process, with a file beside it that says who has it. A lock of a process of this machine that is gone, after a
 * crash, is taken away, so that its file is processed again.
 * @returns how to unlock it; undefined when somebody else has it
 * @throws when the lock cannot be written
 */
export async function lockFile(path: string, rules: LockRules): Promise<(() => Promise<void>) | undefined> {
  const lock = `${path}${LOCK_SUFFIX}`;
  const unlock = () => rm(lock, { force: true });
  if (await create(lock)) return unlock;
  await sweepLock(lock, rules);
  return (await create(lock)) ? unlock : undefined;
}

/**
 * Takes a lock away that nobody has any more; leaves any other one.
 * @throws when it cannot be read or removed
 */
export async function sweepLock(lock: string, rules: LockRules): Promise<void> {
  if (!(await isStale(lock, rules))) return;
  if (lock.endsWith(TAKEOVER_SUFFIX)) {
    await rm(lock, { force: true });
    return;
  }
  // Of two that find the same stale lock, the slower one would take away the new lock of the quicker one.
  const takeover = `${lockedName(lock)}${TAKEOVER_SUFFIX}`;
  if (!(await create(takeover))) return;
  try {
    if (await isStale(lock, rules)) await rm(lock, { force: true });
  } finally {
    await rm(takeover, { force: true });
  }
}

/** False when it is there already. */
async function create(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, `${hostname()} ${process.pid} ${INSTANCE}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(lock: string, { releaseAfterMs }: LockRules): Promise<boolean> {
  try {
    const [host, pid, instance] = (await readFile(lock, 'utf8')).trim().split(' ');
    if (instance === undefined) return (await ageMs(lock)) > UNSIGNED_MS;
    if (host === hostname()) return Number(pid) === process.pid ? instance !== INSTANCE : !isAlive(Number(pid));
    return releaseAfterMs !== undefined && (await ageMs(lock)) > releaseAfterMs;
  } catch (error) {
    // It was taken away in between.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

async function ageMs(lock: string): Promise<number> {
  return Date.now() - (await stat(lock)).mtimeMs;
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
