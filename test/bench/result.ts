import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../docs/bench', import.meta.url));
const GIBIBYTE = 1024 ** 3;

/** What figures were measured on. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly node: string;
}

/** Where figures go; what differs in tests. */
export interface ResultOptions {
  readonly folder?: string;
  /** Of the bench's command line. */
  readonly args?: readonly string[];
}

/**
 * Keeps the figures of a bench as `docs/bench/NAME.json`, with when and where they were measured. A run with arguments of its own (fewer
 * rounds, some rows) is a trial, and leaves what is published as it is.
 */
export async function writeResult(
  name: string,
  figures: object,
  { folder = FOLDER, args = process.argv.slice(2) }: ResultOptions = {},
): Promise<void> {
  if (args.length > 0) {
    process.stdout.write(`docs/bench/${name}.json stays as it is: this was a trial (${args.join(' ')})\n`);
    return;
  }
  const file = join(folder, `${name}.json`);
  await mkdir(folder, { recursive: true });
  const result = { bench: name, date: new Date().toISOString().slice(0, 10), machine: machine(), ...figures };
  await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`docs/bench/${name}.json is written\n`);
}

function machine(): Machine {
  const all = cpus();
  return {
    cores: all.length,
    processor: all[0]?.model.trim() ?? '?',
    memoryGiB: Math.round(totalmem() / GIBIBYTE),
    node: process.version,
  };
}
