import { nearestName } from '../grammar/diagnostic.ts';
import { integerFlag, parseFlags } from './arguments.ts';
import type { Row } from './columns.ts';
import type { CommandIo } from './io.ts';
import { CommandFailure, EXIT, UsageError } from './io.ts';
import { isPaged, isSearchable, KINDS, type Kind, kindWords, nameOf, rowsOf } from './kinds.ts';
import { connect } from './remote/connect.ts';
import { detail } from './show/detail.ts';
import { json } from './show/json.ts';
import { table } from './show/table.ts';
import { formatted } from './show/template.ts';
import { printable, terminalOf } from './show/terminal.ts';
import { GET } from './table/looking.ts';

/** What the server gives at most. */
const MOST_ROWS = 10_000;

/** `mini-synapse get KIND [NAME]` (spec stores 7.3). */
export async function get(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, GET.options);
  const [word, name, ...others] = positionals;
  if (word === undefined) throw new UsageError(`KIND is missing: one of ${words()}`);
  if (others.length > 0) throw new UsageError(`'${others[0]}' is too much; expected: get KIND [NAME]`);
  const kind = kindOf(word);
  const limit = integerFlag('limit', values.limit, 1, MOST_ROWS);
  if (limit !== undefined && !isPaged(kind)) throw new UsageError(`the list of ${kind.words[0]} has no --limit`);
  const client = await connect(values, io);
  if (name !== undefined) {
    const found = await one(kind, name);
    if (values.json) return json(found, io);
    if (values.format !== undefined) return write(formatted(values.format, [found]), io);
    io.stdout.write(detail(found, terminalOf(io)));
    return EXIT.fine;
  }
  const searchKey = isSearchable(kind) ? values.search : undefined;
  const body = await client.get<Row>(kind.path, { searchKey, limit: limit?.toString() });
  if (values.json) return json(body, io);
  const rows = rowsOf(kind, body);
  if (values.format !== undefined) return write(formatted(values.format, rows), io);
  if (values.quiet) io.stdout.write(rows.map((row) => `${printable(nameOf(row))}\n`).join(''));
  else io.stdout.write(rows.length > 0 ? table(rows, kind.columns, terminalOf(io)) : `No ${kind.title} found\n`);
  if (Number(body.total) > rows.length) io.stderr.write(`${rows.length} of ${body.total} are shown\n`);
  return EXIT.fine;

  async function one(of: Kind, wanted: string): Promise<Row> {
    if (of.one) return client.get<Row>(of.one(wanted));
    return of.parameter ? client.get<Row>(of.path, { [of.parameter]: wanted }) : inList(of, wanted);
  }

  async function inList(of: Kind, wanted: string): Promise<Row> {
    const rows = rowsOf(of, await client.get<Row>(of.path));
    const row = rows.find((one) => nameOf(one) === wanted);
    if (row) return row;
    const nearest = nearestName(wanted, rows.map(nameOf));
    throw new CommandFailure(`no '${wanted}' among the ${of.title}${nearest ? `, did you mean '${nearest}'?` : ''}`);
  }
}

function write(text: string, io: CommandIo): number {
  io.stdout.write(text);
  return EXIT.fine;
}

/** @throws UsageError */
function kindOf(word: string): Kind {
  const kinds = kindWords();
  const kind = kinds.get(word.toLowerCase());
  if (kind) return kind;
  const nearest = nearestName(word, kinds.keys());
  throw new UsageError(`unknown kind '${word}'${nearest ? `, did you mean '${nearest}'?` : `; there are: ${words()}`}`);
}

function words(): string {
  return KINDS.map((kind) => kind.words[0]).join(', ');
}

/** `mini-synapse messagestore show [NAME]`. */
export function showStore(args: string[], io: CommandIo): Promise<number> {
  return get(['message-stores', ...args], io);
}

/** `mini-synapse messageprocessor show [NAME]`. */
export function showProcessor(args: string[], io: CommandIo): Promise<number> {
  return get(['message-processors', ...args], io);
}
