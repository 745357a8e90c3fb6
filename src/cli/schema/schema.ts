import { parseFlags, takeArguments, wordFlag } from '../arguments.ts';
import { type CommandIo, EXIT } from '../io.ts';
import { SCHEMA } from '../table/server.ts';

/** `mini-synapse schema [artifacts|configuration]` (OP-127). */
export async function schema(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseFlags(args, SCHEMA.options);
  if (positionals.length > 1) takeArguments(positionals, ['artifacts|configuration'], SCHEMA);
  const what = wordFlag('schema', positionals[0], ['artifacts', 'configuration']) ?? 'artifacts';
  io.stdout.write(what === 'artifacts' ? await artifacts() : await configuration());
  return EXIT.fine;
}

async function artifacts(): Promise<string> {
  const { artifactSchema } = await import('./artifact-schema.ts');
  return artifactSchema();
}

async function configuration(): Promise<string> {
  const { configurationSchema } = await import('./configuration-schema.ts');
  return `${JSON.stringify(configurationSchema(), undefined, 2)}\n`;
}
