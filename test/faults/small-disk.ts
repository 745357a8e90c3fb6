import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of a few MB that can be filled to the last byte. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all that is left, but for so many bytes. */
  fill(leave?: number): void;
  /** Gives it back. */
  free(): void;
  close(): void;
}

const PIECE_BYTES = 4_096;

/** Why there can be none here; undefined when there can. Mounting needs the rights of root, which containers may lack. */
export function whyNoSmallDisk(): string | undefined {
  try {
    smallDisk(1).close();
    return undefined;
  } catch (error) {
    return `no tmpfs can be mounted here: ${String(error).split('\n', 1)[0]}`;
  }
}

/** @throws when it cannot be mounted */
export function smallDisk(megabytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'mini-synapse-small-disk-'));
  try {
    const options = `size=${megabytes}m,mode=0755`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
  const ballast = join(path, 'ballast');
  return {
    path,
    fill(leave = 0) {
      const { bavail, bsize } = statfsSync(path);
      // Others write at the same time: in small pieces, until nothing goes in any more.
      for (let left = bavail * bsize - leave; left > 0; left -= PIECE_BYTES) {
        try {
          writeFileSync(ballast, Buffer.alloc(Math.min(left, PIECE_BYTES), 1), { flag: 'a' });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          return;
        }
      }
    },
    free: () => rmSync(ballast, { force: true }),
    close() {
      // Also when somebody still has a file open.
      execFileSync('umount', ['--lazy', path], { stdio: 'pipe' });
      rmdirSync(path);
    },
  };
}
