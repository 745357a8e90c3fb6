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

/** Keeps the figures of a bench as `docs/bench/NAME.json`, with when and where they were measured. */
export async function writeResult(name: string, figures: object, folder: string = FOLDER): Promise<string> {
  const file = join(folder, `${name}.json`);
  await mkdir(folder, { recursive: true });
  const result = { bench: name, date: new Date().toISOString().slice(0, 10), machine: machine(), ...figures };
  await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`docs/bench/${name}.json is written\n`);
  return file;
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
