import { parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { newPassword } from './show/prompt.ts';
import { HASH_PASSWORD } from './table/server.ts';

/** `mini-synapse hash-password`: never takes it from the command line, which others can see. */
export async function hashPasswordCommand(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseFlags(args, HASH_PASSWORD.options);
  takeArguments(positionals, [], HASH_PASSWORD);
  const password = await newPassword(io);
  const { hashPassword } = await import('../management/security/passwords.ts');
  try {
    io.stdout.write(`${await hashPassword(password)}\n`);
    return EXIT.fine;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(cause.message, { cause });
  }
}
