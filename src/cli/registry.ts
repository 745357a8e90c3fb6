import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseFlags, takeArguments } from './arguments.ts';
import type { Row } from './columns.ts';
import { type CommandIo, EXIT, isTerminal, stdinOf, UsageError } from './io.ts';
import { RefusedError } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { detail } from './show/detail.ts';
import { json } from './show/json.ts';
import { confirmed } from './show/prompt.ts';
import { bytes } from './show/quantities.ts';
import { type Column, table } from './show/table.ts';
import { printable, terminalOf } from './show/terminal.ts';
import { REGISTRY_DELETE, REGISTRY_LIST, REGISTRY_PUT, REGISTRY_SET, REGISTRY_SHOW } from './table/artifacts.ts';

const ROOT = '/management/registry-resources';
const CONTENT = `${ROOT}/content`;
const PROPERTIES = `${ROOT}/properties`;

interface Entry {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes?: number;
  readonly files?: readonly Entry[];
}

const COLUMNS: readonly Column<Entry>[] = [
  { title: 'NAME', cell: ({ name, mediaType }) => (mediaType === 'directory' ? `${name}/` : name) },
  { title: 'TYPE', cell: ({ mediaType }) => (mediaType === 'directory' ? '' : mediaType) },
  { title: 'SIZE', align: 'right', cell: (entry) => (entry.bytes === undefined ? '' : bytes(entry.bytes)) },
];

/** `mini-synapse registry list [PATH]`. */
export async function registryList(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, REGISTRY_LIST.options);
  const [path = 'registry'] = positionals;
  if (positionals.length > 1) takeArguments(positionals, ['PATH'], REGISTRY_LIST);
  const client = await connect(values, io);
  const query = { path, expand: values.recursive };
  const found = await client.get<{ readonly list?: readonly Entry[]; readonly files?: readonly Entry[] }>(ROOT, query);
  if (values.json) return json(found, io);
  const rows = found.list ?? flat(found.files ?? [], '');
  io.stdout.write(rows.length > 0 ? table(rows, COLUMNS, terminalOf(io)) : `No Registry Resources found in ${path}\n`);
  return EXIT.fine;
}

/** Entries of a tree, named by their paths in it. */
function flat(entries: readonly Entry[], above: string): Entry[] {
  return entries.flatMap((entry) => {
    const named = { ...entry, name: `${above}${entry.name}` };
    return entry.files ? [named, ...flat(entry.files, `${named.name}/`)] : [named];
  });
}

/** `mini-synapse registry show PATH`: the content as it is. */
export async function registryShow(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, REGISTRY_SHOW.options);
  const [path] = takeArguments(positionals, ['PATH'], REGISTRY_SHOW);
  const client = await connect(values, io);
  if (!values.about && !values.json) {
    const reply = await client.open('GET', CONTENT, { query: { path }, headers: { Accept: 'text/plain' } });
    await pipeline(reply, io.stdout, { end: false });
    return EXIT.fine;
  }
  const about = await client.get<Row>(`${ROOT}/metadata`, { path });
  const { list: properties } = await client.get<{ readonly list: readonly Row[] }>(PROPERTIES, { path });
  if (values.json) return json({ ...about, properties }, io);
  io.stdout.write(detail({ ...about, properties }, terminalOf(io)));
  return EXIT.fine;
}

/** `mini-synapse registry put PATH [FILE]`: makes the resource, or changes it when it is there. */
export async function registryPut(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, REGISTRY_PUT.options);
  const [, file] = positionals;
  const [path] = takeArguments(positionals.slice(0, 1), ['PATH'], REGISTRY_PUT);
  if (positionals.length > 2) throw new UsageError(`'${positionals[2]}' is too much; one file at a time`);
  if (file === undefined && isTerminal(stdinOf(io)))
    throw new UsageError('FILE is missing, and nothing comes from the standard input');
  const client = await connect(values, io);
  const isThere = await client.get(`${ROOT}/metadata`, { path }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof RefusedError && error.status === 404) return false;
      throw error;
    },
  );
  const { body } = await client.send(isThere ? 'PUT' : 'POST', CONTENT, {
    query: { path },
    headers: { 'Content-Type': 'text/plain' },
    body: await content(file, io),
  });
  return told(body, values, io);
}

/** @throws UsageError for a file that cannot be read */
async function content(file: string | undefined, io: CommandIo): Promise<Readable> {
  if (file === undefined) return Readable.from(stdinOf(io) as AsyncIterable<Buffer>, { objectMode: false });
  await stat(file).catch((cause: Error) => {
    throw new UsageError(`${file} cannot be read: ${cause.message}`, { cause });
  });
  return createReadStream(file);
}

/** `mini-synapse registry delete PATH`. */
export async function registryDelete(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, REGISTRY_DELETE.options);
  const [path] = takeArguments(positionals, ['PATH'], REGISTRY_DELETE);
  const client = await connect(values, io);
  await confirmed(`Delete the registry resource ${path}?`, values.yes, io);
  return told((await client.send('DELETE', CONTENT, { query: { path } })).body, values, io);
}

/** `mini-synapse registry set PATH NAME=VALUE...`; an empty value removes the property. */
export async function registrySet(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, REGISTRY_SET.options);
  const [path, ...written] = positionals;
  if (path === undefined || written.length === 0)
    throw new UsageError(`NAME=VALUE is missing; expected: ${REGISTRY_SET.name} ${REGISTRY_SET.usage}`);
  const pairs = written.map((text) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new UsageError(`'${text}': expected NAME=VALUE`);
    return [name, value] as const;
  });
  const client = await connect(values, io);
  const wanted = pairs.filter(([, value]) => value !== '');
  let last: unknown = {};
  if (wanted.length > 0)
    last = (await client.send('POST', PROPERTIES, { query: { path }, body: Object.fromEntries(wanted) })).body;
  for (const [name, value] of pairs)
    if (value === '') last = (await client.send('DELETE', PROPERTIES, { query: { path, name } })).body;
  return told(last, values, io);
}

function told(body: unknown, flags: { readonly json?: boolean | undefined }, io: CommandIo): number {
  if (flags.json) return json(body, io);
  io.stdout.write(`${printable((body as { readonly Message?: string }).Message ?? 'done')}\n`);
  return EXIT.fine;
}
