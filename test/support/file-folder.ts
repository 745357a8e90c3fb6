import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that is there until all tests of the file have ended. To be imported by files of tests only. */
export function fileFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `mini-synapse-${name}-`));
  made.push(folder);
  return folder;
}
