import { mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { isArtifactFile } from '../deployment/artifact-files.ts';
import { parseFlags } from './arguments.ts';
import { type CommandIo, UsageError } from './io.ts';
import { RUN } from './table/server.ts';

const OF_DEMO = ['keep', 'activemq', 'orders'] as const;

/** `mini-synapse run DIR|FILE.xml|APP.car` (OP-123): like `start`, also of one file. Without a path the demo. */
export async function run(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, RUN.options);
  const [path] = positionals;
  const ofDemo = OF_DEMO.filter((name) => values[name] !== undefined);
  if (path === undefined) return (await import('./demo.ts')).demo(args, io);
  if (positionals.length > 1)
    throw new UsageError(`one path expected, got ${positionals.length}: ${positionals.join(' ')}`);
  if (ofDemo.length > 0) throw new UsageError(`--${ofDemo[0]} is of the demo, which has no path`);
  const found = await stat(path).catch((cause: Error) => {
    throw new UsageError(`'${path}' cannot be served: ${cause.message}`, { cause });
  });
  const { start } = await import('./start.ts');
  if (found.isDirectory()) return start(args, io);
  if (!isArtifactFile(basename(path)))
    throw new UsageError(`'${path}' is no artifact: expected a folder, *.xml, *.car or *.zip`);
  const folder = await mkdtemp(join(tmpdir(), 'mini-synapse-run-'));
  try {
    const artifacts = join(folder, 'artifacts');
    await mkdir(artifacts);
    // A link, so that saving the file deploys it anew.
    await symlink(resolve(path), join(artifacts, basename(path)));
    return await start([...flagsOf(values), artifacts], io);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Flags as they can be written again. */
function flagsOf(values: Readonly<Record<string, string | boolean | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return value === true ? [`--${name}`] : value === false ? [`--no-${name}`] : [`--${name}=${value}`];
  });
}
