import { randomUUID } from 'node:crypto';
import { lstat, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { linkOrCopy } from './write-file.ts';

/** Tells this process from an earlier one with the same id. */
const INSTANCE = randomUUID();
const SIGNATURE = `${hostname()} ${process.pid} ${INSTANCE}\n`;
/** How locks of this program begin and end, whichever process wrote them. */
const SIGNED = /^(?<host>\S+) (?<pid>\d+) (?<instance>\S+)$/;
/** Longer than any signature, bytes. */
const MAX_SIGNATURE = 1_024;

const LOCK_SUFFIX = '.lock';
/** Of the lock on taking a stale lock away. */
const TAKEOVER_SUFFIX = '.takeover.lock';
/** Of what becomes a lock when it is signed. It ends like a lock because everybody, other programs too, leaves those alone. */
const SIGNING_SUFFIX = '.signing.lock';
const SIGNING = /^\.[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\.signing\.lock$/;
/** A lock takes no longer to be signed, ms; whoever was stopped for longer than that in the middle of it tries again. */
const SIGNING_MS = 60_000;

export interface LockRules {
  /** Locks of other machines and of other programs that are older are taken away, ms; undefined: never. */
  readonly releaseAfterMs: number | undefined;
}

export function isLock(name: string): boolean {
  return name.endsWith(LOCK_SUFFIX);
}

/** Is this what a lock was to be made of? Nothing is locked by it. */
export function isUnfinishedLock(name: string): boolean {
  return SIGNING.test(name);
}

/** The file that a lock of this name is for. */
export function lockedName(lock: string): string {
  return lock.slice(0, -LOCK_SUFFIX.length);
}

/**
 * Locks a file for this process, with a file beside it that says who has it: it gets its name only when that is written. A lock of a
 * process of this machine that is gone, after a crash, is taken away, so that its file is processed again; one that another program has
 * made, whatever it says, counts as one of another machine.
 * @returns how to unlock it; undefined when somebody else has it
 * @throws when the lock cannot be written
 */
export async function lockFile(path: string, rules: LockRules): Promise<(() => Promise<void>) | undefined> {
  const lock = `${path}${LOCK_SUFFIX}`;
  if (!(await sweepLock(lock, rules)) || !(await create(lock))) return undefined;
  return () => unlock(lock);
}

/**
 * Takes a lock away that nobody has any more, or what a lock was to be made of; leaves any other one.
 * @returns true when it is not there, or not any more
 * @throws when it cannot be read or removed
 */
export async function sweepLock(lock: string, rules: LockRules): Promise<boolean> {
  const state = await stateOf(lock, rules);
  if (state !== 'stale') return state === 'free';
  if (isUnfinishedLock(basename(lock))) {
    await rm(lock, { force: true });
    return true;
  }
  // Of two that find the same stale lock, the slower one would take away the new lock of the quicker one. That holds for the lock on
  // taking it away, too: one whose writer has died on it is taken away as any other, by who has the lock on that.
  const takeover = `${lockedName(lock)}${TAKEOVER_SUFFIX}`;
  if (!(await create(takeover))) {
    // What somebody who died on it has left is out of the way for the next look at this lock.
    await sweepLock(takeover, rules);
    return false;
  }
  try {
    const again = await stateOf(lock, rules);
    if (again === 'stale') await rm(lock, { force: true });
    return again !== 'held';
  } finally {
    await unlock(takeover);
  }
}

/** False when it is there already. */
async function create(lock: string): Promise<boolean> {
  const signing = join(dirname(lock), `.${randomUUID()}${SIGNING_SUFFIX}`);
  try {
    await writeFile(signing, SIGNATURE, { flag: 'wx' });
    return await linkOrCopy(signing, lock);
  } finally {
    await rm(signing, { force: true });
  }
}

/** Where it was taken away because it was old, it may be somebody else's by now. */
async function unlock(lock: string): Promise<void> {
  if ((await look(lock))?.signature?.instance === INSTANCE) await rm(lock, { force: true });
}

/** `free`: there is none, maybe no more; `stale`: nobody has it. */
async function stateOf(lock: string, { releaseAfterMs }: LockRules): Promise<'free' | 'held' | 'stale'> {
  const found = await look(lock);
  if (!found) return 'free';
  const { signature, ageMs, isFile } = found;
  if (signature?.instance === INSTANCE) return 'held';
  if (signature?.host === hostname()) {
    return signature.pid === process.pid || !isAlive(signature.pid) ? 'stale' : 'held';
  }
  const limitMs = isUnfinishedLock(basename(lock)) ? SIGNING_MS : releaseAfterMs;
  return isFile && limitMs !== undefined && ageMs > limitMs ? 'stale' : 'held';
}

interface FoundLock {
  /** False: a folder, or a link, by which others lock; only they know what that means. */
  readonly isFile: boolean;
  readonly ageMs: number;
  /** Undefined: it is not of this program. */
  readonly signature: { readonly host: string; readonly pid: number; readonly instance: string } | undefined;
}

/** Undefined: it is not there. */
async function look(lock: string): Promise<FoundLock | undefined> {
  try {
    const status = await lstat(lock);
    const isFile = status.isFile();
    const text = isFile && status.size <= MAX_SIGNATURE ? await readFile(lock, 'utf8') : '';
    const { host = '', pid, instance = '' } = SIGNED.exec(text.trim())?.groups ?? {};
    const signature = pid === undefined ? undefined : { host, pid: Number(pid), instance };
    return { isFile, ageMs: Date.now() - status.mtimeMs, signature };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
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
