import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DOMParser } from '@xmldom/xmldom';
import { option } from './program.ts';

/*
 * Reads and parses all files of a folder, and says how long that took, ms.
 *
 *   node read-and-parse.ts --folder FOLDER
 */

const folder = option('folder');
const begun = performance.now();
const parser = new DOMParser();
for (const name of await readdir(folder)) {
  const root = parser.parseFromString(await readFile(join(folder, name), 'utf8'), 'text/xml').documentElement;
  if (!root) throw new Error(`${name} is no XML`);
}
process.send?.({ ms: performance.now() - begun });
