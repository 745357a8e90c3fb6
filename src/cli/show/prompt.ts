import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandFailure, type CommandIo, isTerminal, stdinOf, UsageError } from '../io.ts';

/** Asks before something that cannot be undone. @throws UsageError without a terminal and without --yes; CommandFailure for a no */
export async function confirmed(question: string, yes: boolean | undefined, io: CommandIo): Promise<void> {
  if (yes) return;
  const stdin = stdinOf(io);
  if (!isTerminal(stdin) || !isTerminal(io.stderr))
    throw new UsageError(`${question} Say --yes, since nobody can be asked`);
  const reader = createInterface({ input: stdin, output: io.stderr });
  try {
    const answer = await reader.question(`${question} [y/N] `);
    if (!/^y(?:es)?$/i.test(answer.trim())) throw new CommandFailure('nothing was done');
  } finally {
    reader.close();
  }
}

/** What is typed, without showing it; undefined without a terminal. */
export async function hidden(question: string, io: CommandIo): Promise<string | undefined> {
  const stdin = stdinOf(io);
  if (!isTerminal(stdin) || !isTerminal(io.stderr)) return undefined;
  io.stderr.write(question);
  // With a terminal of its own, readline sees to it that the real one does not echo.
  const silent = new Writable({ write: (_part, _encoding, done) => done() });
  const reader = createInterface({ input: stdin, output: silent, terminal: true, historySize: 0 });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    io.stderr.write('\n');
  }
}

/**
 * A new password, typed twice; without a terminal the first line of the standard input. Never from the command line, which others can
 * see. @throws UsageError for an empty one, or two that differ
 */
export async function newPassword(io: CommandIo, question = 'Password: '): Promise<string> {
  const first = await hidden(question, io);
  const password = first ?? (await firstLine(io));
  if (first !== undefined && (await hidden('Again: ', io)) !== first) throw new UsageError('the two passwords differ');
  if (password === '') throw new UsageError('the password is empty');
  return password;
}

/** The first line of the standard input. */
async function firstLine(io: CommandIo): Promise<string> {
  const reader = createInterface({ input: stdinOf(io), terminal: false });
  try {
    for await (const line of reader) return line;
    return '';
  } finally {
    reader.close();
  }
}
