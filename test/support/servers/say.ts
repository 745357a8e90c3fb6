import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder that `run-folder.ts` makes for one run of all test files, each of which is a process of its own. */
export const runFolderVariable = 'MINI_SYNAPSE_TEST_RUN';

/** Prints a line where people see it, once in a run (without the run folder: once in a test file). */
export function sayOncePerRun(line: string): void {
  if (!isFirst(line)) return;
  process.stderr.write(`\n[servers] ${line}\n`);
}

const said = new Set<string>();

function isFirst(line: string): boolean {
  if (said.has(line)) return false;
  said.add(line);
  const folder = process.env[runFolderVariable];
  if (folder === undefined) return true;
  const marker = createHash('sha256').update(line).digest('hex');
  try {
    writeFileSync(join(folder, marker), line, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
