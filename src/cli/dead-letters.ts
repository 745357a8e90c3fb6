import { readConfiguration } from '../config/config.ts';
import { ConfigurationError } from '../config/toml-reader.ts';
import { counted } from '../logging/counted.ts';
import { maskedHeader } from '../management/operations/message-rows.ts';
import { type FoundLetter, letterBytes, readDeadLetters } from '../processors/dead-letter-files.ts';
import { parseFlags, takeArguments } from './arguments.ts';
import { Replay, type ReplayResult } from './dead-letter-replay.ts';
import { CommandFailure, type CommandIo, EXIT, environmentOf, UsageError } from './io.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { Progress } from './show/progress.ts';
import { confirmed } from './show/prompt.ts';
import { ago, bytes } from './show/quantities.ts';
import { type Column, table } from './show/table.ts';
import { printable, terminalOf } from './show/terminal.ts';
import { DEAD_LETTER_LIST, DEAD_LETTER_REPLAY, DEAD_LETTER_SHOW } from './table/dead-letters.ts';

const COLUMNS: ReadonlyArray<Column<FoundLetter>> = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'STORE', cell: ({ store }) => store },
  { title: 'PROCESSOR', cell: ({ processor }) => processor },
  { title: 'SINCE', align: 'right', cell: ({ at }) => ago(at) },
  { title: 'SIZE', align: 'right', cell: (letter) => bytes(letter.bytes) },
  { title: 'REASON', cell: ({ reason }) => reason },
];

interface AreaFlags {
  readonly data?: string | undefined;
  readonly config?: string | undefined;
  readonly store?: string | undefined;
}

/** `mini-synapse dead-letter list` (REQ-26). */
export async function deadLetterList(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, DEAD_LETTER_LIST.options);
  takeArguments(positionals, [], DEAD_LETTER_LIST);
  const letters = await lettersOf(values, io);
  if (values.json) return json({ count: letters.length, list: letters.map(rowOf) }, io);
  io.stdout.write(letters.length === 0 ? 'No dead letters\n' : table(letters, COLUMNS, terminalOf(io)));
  return EXIT.fine;
}

/** `mini-synapse dead-letter show ID`. */
export async function deadLetterShow(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, DEAD_LETTER_SHOW.options);
  const [id] = takeArguments(positionals, ['ID'], DEAD_LETTER_SHOW);
  const [letter] = named(await lettersOf(values, io), [id]);
  if (!letter) throw new CommandFailure(`no dead letter has the id ${id}`);
  const body = await bodyOf(letter);
  if (values.body) {
    io.stdout.write(body);
    return EXIT.fine;
  }
  if (values.json) return json({ ...letter, headers: shownHeaders(letter), text: body.toString('utf8') }, io);
  const { store, processor, reason, at, history } = letter;
  const lines = [
    `${letter.id}, of store ${store}, put aside by ${processor} ${ago(at)} ago: ${reason}`,
    ...shownHeaders(letter).map(([name, value]) => `  ${name}: ${value}`),
    ...history.map(({ attempts, cause }) => `  ${attempts} attempts: ${cause}`),
  ];
  for (const line of lines) io.stdout.write(`${printable(line)}\n`);
  io.stdout.write(`\n${printable(body.toString('utf8'), 'lines')}\n`);
  return EXIT.fine;
}

/** For scripts: without what belongs to one letter's detail. */
function rowOf(letter: FoundLetter) {
  const { base: _, history: __, ...row } = letter;
  return { ...row, headers: shownHeaders(letter) };
}

/** As the management API shows them: without secrets. */
function shownHeaders({ headers }: FoundLetter): ReadonlyArray<readonly [string, string]> {
  return headers.map(([name, value]) => [name, maskedHeader(name, value)]);
}

/** @throws CommandFailure */
async function bodyOf(letter: FoundLetter): Promise<Buffer> {
  try {
    return await letterBytes(letter);
  } catch (cause) {
    throw new CommandFailure(`the body of ${letter.id} cannot be read: ${(cause as Error).message}`, EXIT.wrong, {
      cause,
    });
  }
}

/** `mini-synapse dead-letter replay ID... | --all` (OP-62). A letter leaves the area when the server has said that it is stored. */
export async function deadLetterReplay(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, DEAD_LETTER_REPLAY.options);
  if (positionals.length > 0 === (values.all === true))
    throw new UsageError('say which dead letters: their ids, or --all');
  const all = await lettersOf(values, io);
  const letters = values.all ? all : named(all, positionals);
  const missing = positionals.filter((id) => !letters.some((letter) => letter.id === id));
  if (missing.length > 0) throw new CommandFailure(`no dead letter has the id ${missing.join(', ')}`);
  if (letters.length > 0) await confirmed(`Replay ${counted(letters.length, 'dead letter')}?`, values.yes, io);
  const client = await connect(values, io);
  const progress = new Progress('replay', io);
  try {
    const replay = new Replay(letters, values, client, (...state) => progress.show(...state));
    const result = await replay.run();
    progress.end();
    return report(result, values, io);
  } finally {
    progress.end();
  }
}

function report(result: ReplayResult, flags: { readonly json?: boolean | undefined }, io: CommandIo): number {
  const { done, count, failed } = result;
  if (flags.json) json(result, io);
  else io.stdout.write(`${done === count ? '' : `${done} of `}${counted(count, 'dead letter')} stored again\n`);
  if (!flags.json) for (const { id, Error: reason } of failed) io.stderr.write(`${printable(`${id}: ${reason}`)}\n`);
  return failed.length === 0 ? EXIT.fine : EXIT.wrong;
}

/** @throws CommandFailure for a configuration that cannot be read; what is damaged is told and passed over */
async function lettersOf({ data, config, store }: AreaFlags, io: CommandIo): Promise<FoundLetter[]> {
  const { letters, damaged } = await readDeadLetters(dataFolder({ data, config }, io));
  for (const { file, problem } of damaged) io.stderr.write(`${printable(`${file} cannot be read: ${problem}`)}\n`);
  return letters.filter((letter) => store === undefined || letter.store === store);
}

function dataFolder({ data, config }: AreaFlags, io: CommandIo): string {
  if (data !== undefined) return data;
  try {
    return readConfiguration(config === undefined ? {} : { config }, environmentOf(io)).data;
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new CommandFailure(cause.message, EXIT.wrong, { cause });
  }
}

function named(letters: readonly FoundLetter[], ids: readonly string[]): FoundLetter[] {
  return letters.filter(({ id }) => ids.includes(id));
}
