import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BENCHES, type Bench } from './registry.ts';
import { writeReport } from './report.ts';

/*
 *   npm run bench                    those with a goal that take less than ten minutes together; the others run by name
 *   npm run bench -- NAME [ARG...]   one of them, with arguments of its own
 *   npm run bench -- --list          what there is
 *
 * Exit code 0 when all goals were met, 1 when one was not, 2 for an unknown name.
 */

/** Runs what the arguments say. @returns the exit code */
export async function runBenches(
  args: readonly string[],
  benches: Readonly<Record<string, Bench>> = BENCHES,
  say: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Promise<number> {
  const [name, ...own] = args;
  if (name === '--list') {
    for (const [known, { title, minutes }] of Object.entries(benches))
      say(`${known.padEnd(14)} ${title}, ${minutes} min`);
    return 0;
  }
  if (name !== undefined && !Object.hasOwn(benches, name)) {
    say(`there is no bench '${name}'; there are: ${Object.keys(benches).join(', ')}`);
    return 2;
  }
  const wanted = Object.entries(benches).filter(([known, { onlyByName }]) => (name ? known === name : !onlyByName));
  const failed: string[] = [];
  for (const [index, [known, bench]] of wanted.entries()) {
    say(`[${index + 1}/${wanted.length}] ${known}: ${bench.title}, about ${bench.minutes} min`);
    const begun = performance.now();
    const code = await run(bench, own);
    say(`      ${known} ended with ${code} after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    if (code !== 0) failed.push(known);
  }
  if (failed.length > 0) say(`not as it should be: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

async function run({ module }: Bench, args: readonly string[]): Promise<number> {
  const file = fileURLToPath(new URL(module, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: 'inherit' });
  const stop = () => child.kill('SIGTERM');
  process.once('exit', stop);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    process.off('exit', stop);
  }
}

if (import.meta.main) {
  process.exitCode = await runBenches(process.argv.slice(2));
  await writeReport();
}
