import { pipeline } from 'node:stream/promises';
import { integerFlag, parseFlags, takeArguments, wordFlag } from './arguments.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import type { ManagementClient } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { serverEvents } from './remote/events.ts';
import { interruption } from './remote/interruption.ts';
import { type Colour, coloured, printable, type Terminal, terminalOf } from './show/terminal.ts';
import { LOGS } from './table/looking.ts';

/** One line of the log, as the management API shows it (OP-70). */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly artifact?: { readonly kind?: string; readonly name: string };
  readonly file?: string;
  readonly line?: number;
  readonly messageId?: string;
  readonly store?: string;
  readonly processor?: string;
  readonly attempt?: number;
  readonly endpoint?: string;
  readonly status?: number;
  readonly cause?: string;
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const COLOURS: Readonly<Record<string, Colour>> = {
  fatal: 'red',
  error: 'red',
  warn: 'yellow',
  debug: 'gray',
  trace: 'gray',
};

/** `mini-synapse logs [-f]` (OP-70). */
export async function logs(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, LOGS.options);
  takeArguments(positionals, [], LOGS);
  const level = wordFlag('level', values.level, LEVELS);
  const lines = integerFlag('lines', values.lines, 1, 2000) ?? 50;
  const { artifact, 'message-id': messageId } = values;
  const client = await connect(values, io);
  if (values.file !== undefined) return await wholeFile(values.file, values, client, io);
  const terminal = terminalOf(io);
  const write = (line: LogLine) => io.stdout.write(`${values.json ? JSON.stringify(line) : logText(line, terminal)}\n`);
  const query = { lines, level, artifact, messageId };
  const { list } = await client.get<{ readonly list: readonly LogLine[] }>('/management/logs/tail', query);
  list.forEach(write);
  if (!values.follow) return EXIT.fine;
  const interrupted = interruption();
  try {
    for await (const { name, data } of serverEvents(client, { logs: level ?? 'info' }, interrupted.signal)) {
      if (name === 'log' && concerns(data as LogLine, { artifact, messageId })) write(data as LogLine);
    }
    return EXIT.fine;
  } finally {
    interrupted.close();
  }
}

/** The audit log, and what stands in the folder `logs` of the data. */
async function wholeFile(
  file: string,
  { follow, json }: { readonly follow?: boolean | undefined; readonly json?: boolean | undefined },
  client: ManagementClient,
  io: CommandIo,
): Promise<number> {
  if (follow || json) throw new UsageError('--file is without -f and --json: the file as it is');
  const reply = await client.open('GET', '/management/logs', { query: { file }, headers: { Accept: '*/*' } });
  await pipeline(reply, io.stdout, { end: false });
  return EXIT.fine;
}

interface Wanted {
  readonly artifact?: string | undefined;
  readonly messageId?: string | undefined;
}

/** As the server filters what it has already. */
export function concerns(line: LogLine, { artifact, messageId }: Wanted): boolean {
  if (messageId !== undefined && line.messageId !== messageId) return false;
  if (artifact === undefined) return true;
  return [line.artifact?.name, line.store, line.processor, line.endpoint].includes(artifact);
}

/** `2026-01-31 12:00:00,123  WARN {Logger} message  processor=P attempt=2 …`. */
export function logText(line: LogLine, terminal: Terminal): string {
  const { time, level, logger, message, artifact, file, line: number, cause } = line;
  const at = new Date(time);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 23);
  const place = file === undefined ? undefined : `${file}${number === undefined ? '' : `:${number}`}`;
  const about = artifact && `${artifact.kind ? `${artifact.kind}:` : ''}${artifact.name}`;
  const { messageId, store, processor, attempt, endpoint, status } = line;
  const details = Object.entries({
    artifact: about,
    at: place,
    message: messageId,
    store,
    processor,
    attempt,
    endpoint,
    status,
  })
    // What the text says already need not be said twice.
    .filter(([, value]) => value !== undefined && !message.includes(String(value)))
    .map(([name, value]) => `${name}=${value}`);
  const why = cause !== undefined && !message.includes(cause) ? `\n    cause: ${cause}` : '';
  const head = `${local.replace('T', ' ').replace('.', ',')} ${coloured(level.toUpperCase().padStart(5), COLOURS[level], terminal)}`;
  const tail = details.length > 0 ? coloured(`  ${printable(details.join(' '))}`, 'gray', terminal) : '';
  return `${head} {${printable(logger)}} ${printable(message, 'lines')}${tail}${printable(why, 'lines')}`;
}
