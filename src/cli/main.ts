import { nearestName } from '../grammar/diagnostic.ts';
import type { CommandDescription } from './command.ts';
import { CommandFailure, type CommandIo, EXIT, UsageError } from './io.ts';
import { LOADERS } from './loaders.ts';
import { heedReader } from './reader-gone.ts';
import { printable } from './show/terminal.ts';
import { COMMANDS } from './table/index.ts';
import { version } from './version.ts';

const PROGRAM = 'mini-synapse';
/** They go on until they are stopped. */
const SERVING: readonly string[] = ['start', 'run', 'demo'];

/** Runs one command; returns the exit code. */
export async function main(args: string[], io: CommandIo): Promise<number> {
  const ended = heedReader(io, SERVING.includes(args[0] ?? ''));
  try {
    return await dispatch(args, io);
  } finally {
    ended();
  }
}

async function dispatch(args: string[], io: CommandIo): Promise<number> {
  const [name] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return await help(args, io);
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${version()}\n`);
    return EXIT.fine;
  }
  const found = findCommand(args);
  if (!found) return await unknownCommand(args, io);
  const { command, rest } = found;
  if (asksForHelp(rest)) {
    const { commandText } = await import('./help.ts');
    io.stdout.write(commandText(command));
    return EXIT.fine;
  }
  return await run(command, rest, io);
}

async function run(command: CommandDescription, rest: string[], io: CommandIo): Promise<number> {
  try {
    const load = LOADERS[command.name];
    if (!load) throw new Error(`Nothing runs '${command.name}'`);
    return await (await load())(rest, io);
  } catch (error) {
    const isTold = error instanceof UsageError || error instanceof CommandFailure;
    if (!isTold) throw error;
    io.stderr.write(`${PROGRAM} ${command.name}: ${printable(error.message, 'lines')}\n`);
    return error instanceof CommandFailure ? error.exitCode : EXIT.usage;
  }
}

/** The command whose words the arguments begin with. */
function findCommand(args: readonly string[]): { command: CommandDescription; rest: string[] } | undefined {
  for (const command of COMMANDS) {
    const words = command.name.split(' ');
    if (words.every((word, index) => args[index] === word)) return { command, rest: args.slice(words.length) };
  }
  return undefined;
}

async function help(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  const { commandText, documentation, overviewText } = await import('./help.ts');
  if (name === 'help' && rest[0] === '--markdown') {
    io.stdout.write(documentation());
    return EXIT.fine;
  }
  const named = name === 'help' ? findCommand(rest) : undefined;
  (name === undefined ? io.stderr : io.stdout).write(named ? commandText(named.command) : overviewText());
  return name === undefined ? EXIT.usage : EXIT.fine;
}

/** Says what may have been meant: `store brwse` is near to `store browse`, and `store` is the beginning of nine. */
async function unknownCommand([name = '', second]: readonly string[], io: CommandIo): Promise<number> {
  const family = COMMANDS.filter((command) => !command.hidden && command.name.startsWith(`${name} `));
  if (family.length > 0) {
    const words = family.map((command) => command.name.slice(name.length + 1));
    if (second === '--help' || second === '-h') {
      const { familyText } = await import('./help.ts');
      io.stdout.write(familyText(family));
      return EXIT.fine;
    }
    const nearest = second === undefined ? undefined : nearestName(second, words);
    const wrong = second === undefined ? 'a word is missing' : `unknown command '${name} ${second}'`;
    const hint = nearest ? `, did you mean '${name} ${nearest}'?` : `; there are: ${words.join(', ')}`;
    io.stderr.write(`${PROGRAM}: ${wrong}${hint}\n`);
    return EXIT.usage;
  }
  const firstWords = new Set(
    COMMANDS.filter(({ hidden }) => !hidden).map((command) => command.name.split(' ', 1)[0] ?? ''),
  );
  const nearest = nearestName(name, firstWords);
  const { overviewText } = await import('./help.ts');
  io.stderr.write(
    `${PROGRAM}: unknown command '${name}'${nearest ? `, did you mean '${nearest}'?` : ''}\n\n${overviewText()}`,
  );
  return EXIT.usage;
}

/** Not behind `--`, where words are taken as they are. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const flags = end < 0 ? args : args.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}
