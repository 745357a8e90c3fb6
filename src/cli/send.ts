import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseFlags, takeArguments, wordFlag } from './arguments.ts';
import { type ArtifactReference, artifactReference } from './artifact-reference.ts';
import { CommandFailure, type CommandIo, EXIT, stdinOf, UsageError } from './io.ts';
import type { ManagementClient } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { duration } from './show/quantities.ts';
import { table } from './show/table.ts';
import { coloured, printable, terminalOf } from './show/terminal.ts';
import { type FullTrace, traceText } from './show/trace-text.ts';
import { SEND } from './table/administering.ts';

const KINDS = ['proxy', 'api', 'sequence', 'store'] as const;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
const FIRST_FAULT = 400;

interface Sample {
  readonly name: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly body: string;
}

interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly durationMs: number;
  readonly messageId?: string;
  readonly traceId?: string;
}

/** `mini-synapse send KIND:NAME` (OP-47). */
export async function send(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, SEND.options);
  if (values.samples) return listSamples(await connect(values, io), values, io);
  const [written] = takeArguments(positionals, ['KIND:NAME'], SEND);
  const target = targetOf(written);
  const client = await connect(values, io);
  const sample = values.sample === undefined ? undefined : await sampleNamed(values.sample, client);
  const body = (await bodyOf(values, io)) ?? (sample?.body || undefined);
  const method = wordFlag('method', values.method?.toUpperCase(), METHODS) ?? sample?.method;
  const contentType =
    values.type ?? (sample?.contentType || undefined) ?? (body === undefined ? undefined : typeOf(body));
  const { body: answer } = await client.send('POST', '/management/test-message', {
    body: {
      target: { ...target, ...(values.path !== undefined && { path: values.path }) },
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...sample?.headers, ...headersOf(values.header ?? []) },
      ...(contentType !== undefined && { contentType }),
      ...(body !== undefined && { body }),
    },
  });
  const sent = answer as Sent;
  const code = sent.status >= FIRST_FAULT ? EXIT.wrong : EXIT.fine;
  const trace = values.trace ? await traceOf(sent, client) : undefined;
  if (values.json) json(trace ? { ...sent, trace } : sent, io);
  else io.stdout.write(`${sentText(sent, io)}${trace ? `\n${traceText(trace, terminalOf(io))}` : ''}`);
  return code;
}

function sentText({ status, body, durationMs, messageId, traceId }: Sent, io: CommandIo): string {
  const shown = coloured(String(status), status >= FIRST_FAULT ? 'red' : 'green', terminalOf(io));
  const ids = [messageId && `message ${messageId}`, traceId && `trace ${traceId}`].filter(Boolean).join(', ');
  const head = `${shown} after ${duration(durationMs)}${ids === '' ? '' : `, ${printable(ids)}`}\n`;
  return body === '' ? head : `${head}${printable(body, 'lines').replace(/\n?$/, '\n')}`;
}

async function traceOf({ traceId }: Sent, client: ManagementClient): Promise<FullTrace | undefined> {
  return traceId === undefined
    ? undefined
    : await client.get<FullTrace>(`/management/traces/${encodeURIComponent(traceId)}`);
}

async function listSamples(
  client: ManagementClient,
  flags: { readonly json?: boolean | undefined },
  io: CommandIo,
): Promise<number> {
  const found = await client.get<{ readonly list: readonly Sample[] }>(SAMPLES);
  if (flags.json) return json(found, io);
  const columns = [
    { title: 'NAME', cell: ({ name }: Sample) => name },
    { title: 'METHOD', cell: ({ method }: Sample) => method },
    { title: 'TYPE', cell: ({ contentType }: Sample) => contentType },
    { title: 'BODY', cell: ({ body }: Sample) => body.replaceAll(/\s+/g, ' ') },
  ];
  io.stdout.write(table(found.list, columns, terminalOf(io)));
  return EXIT.fine;
}

const SAMPLES = '/management/test-message/samples';

async function sampleNamed(name: string, client: ManagementClient): Promise<Sample> {
  const { list } = await client.get<{ readonly list: readonly Sample[] }>(SAMPLES);
  const found = list.find((sample) => sample.name === name);
  if (found) return found;
  throw new CommandFailure(`no sample '${name}'; there are: ${list.map((sample) => sample.name).join(', ')}`);
}

function targetOf(written: string): ArtifactReference {
  const target = artifactReference('', written);
  wordFlag('kind', target.kind, KINDS);
  return target;
}

async function bodyOf(
  { data, file }: { readonly data?: string | undefined; readonly file?: string | undefined },
  io: CommandIo,
): Promise<string | undefined> {
  if (data !== undefined && file !== undefined) throw new UsageError('only one of --data and --file');
  if (file === undefined) return data;
  if (file === '-') return await text(stdinOf(io) as AsyncIterable<Buffer>);
  return await readFile(file, 'utf8').catch((cause: Error) => {
    throw new UsageError(`${file} cannot be read: ${cause.message}`, { cause });
  });
}

/** What most senders would say of such a body. */
function typeOf(body: string): string {
  const [first] = body.trimStart();
  if (first === '<') return /^<[^>]*:?Envelope[\s>]/.test(body.trimStart()) ? 'text/xml' : 'application/xml';
  return first === '{' || first === '[' ? 'application/json' : 'text/plain';
}

/** @throws UsageError */
function headersOf(written: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    written.map((line) => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new UsageError(`--header ${line}: expected 'NAME: VALUE'`);
      return [name, value];
    }),
  );
}
