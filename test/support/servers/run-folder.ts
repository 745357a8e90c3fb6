import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runFolderVariable } from './say.ts';

/** A `globalSetup` of vitest: a folder that all test files of one run see, removed at its end. @returns the tear-down */
export default async function makeRunFolder(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'mini-synapse-test-run-'));
  process.env[runFolderVariable] = folder;
  return () => rm(folder, { recursive: true, force: true });
}
