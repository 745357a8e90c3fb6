import { parseFlags, takeArguments } from './arguments.ts';
import { artifactReference } from './artifact-reference.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { duration, spanOf } from './show/quantities.ts';
import { printable } from './show/terminal.ts';
import { LOG_LEVEL } from './table/administering.ts';

/** `mini-synapse log-level [LOGGER] LEVEL [--artifact KIND:NAME] [--for TIME]` (OP-67). */
export async function logLevelCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, LOG_LEVEL.options);
  const artifact = values.artifact === undefined ? undefined : artifactReference('--artifact', values.artifact);
  const [loggerName, loggingLevel] =
    positionals.length === 2 && !artifact
      ? takeArguments(positionals, ['LOGGER', 'LEVEL'], LOG_LEVEL)
      : [undefined, ...takeArguments(positionals, ['LEVEL'], LOG_LEVEL)];
  const resetAfterMs = spanFlag(values.for);
  const client = await connect(values, io);
  const { body } = await client.send('PATCH', '/management/logging', {
    body: {
      ...(artifact ? { artifact } : { loggerName: loggerName ?? 'rootLogger' }),
      loggingLevel,
      ...(resetAfterMs !== undefined && { resetAfterMs }),
    },
  });
  if (values.json) return json(body, io);
  const back = resetAfterMs === undefined ? '' : `, for ${duration(resetAfterMs)}`;
  io.stdout.write(`${printable((body as { readonly message: string }).message)}${back}\n`);
  return EXIT.fine;
}

function spanFlag(written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  const span = spanOf(written);
  if (span !== undefined) return span;
  throw new UsageError(`--for ${written}: expected a time like 90s, 15m, 2h`);
}
