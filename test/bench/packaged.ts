import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
/** What the package has besides its compiled sources. */
const COPIED = ['bin', 'package.json', 'artifacts', 'src/console/static'];
const DEADLINE_MS = 180_000;

/**
 * Makes what `npm pack` packs, compiled and bundled, with the packages of this checkout. dist of the checkout stays as it is.
 * @param folder is made
 * @returns its `mini-synapse`
 */
export async function packaged(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const compiled = join(folder, 'dist');
  const tsc = join(CHECKOUT, 'node_modules/typescript/bin/tsc');
  await run([tsc, '-p', join(CHECKOUT, 'tsconfig.build.json'), '--outDir', compiled]);
  await run([join(CHECKOUT, 'packaging/bundle.ts'), compiled]);
  for (const path of COPIED) await cp(join(CHECKOUT, path), join(folder, path), { recursive: true });
  await symlink(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'bin/mini-synapse');
}

async function run(args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, args, { cwd: CHECKOUT, timeout: DEADLINE_MS });
}
