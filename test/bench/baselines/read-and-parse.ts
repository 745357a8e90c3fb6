import { readdirSync, readFileSync } from 'node:fs';
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
for (const name of readdirSync(folder)) {
  const root = parser.parseFromString(readFileSync(join(folder, name), 'utf8'), 'text/xml').documentElement;
  if (!root) throw new Error(`${name} is no XML`);
}
process.send?.({ ms: performance.now() - begun });
