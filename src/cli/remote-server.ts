import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { parseFlags, takeArguments } from './arguments.ts';
import type { Row } from './columns.ts';
import { type CommandIo, EXIT } from './io.ts';
import { connect } from './remote/connect.ts';
import { detail } from './show/detail.ts';
import { json } from './show/json.ts';
import { confirmed } from './show/prompt.ts';
import { printable, terminalOf } from './show/terminal.ts';
import { METRICS, OPENAPI, SERVER_RESTART, SERVER_SHOW, SERVER_SHUTDOWN } from './table/administering.ts';

const SERVER = '/management/server';

/** `mini-synapse server show`. */
export async function serverShow(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, SERVER_SHOW.options);
  takeArguments(positionals, [], SERVER_SHOW);
  const client = await connect(values, io);
  const found = await client.get<Row>(SERVER);
  if (values.json) return json(found, io);
  io.stdout.write(detail(found, terminalOf(io)));
  return EXIT.fine;
}

/** `mini-synapse server restart`. */
export function serverRestart(args: string[], io: CommandIo): Promise<number> {
  return end('restart', 'Restart', args, io);
}

/** `mini-synapse server shutdown`. */
export function serverShutdown(args: string[], io: CommandIo): Promise<number> {
  return end('shutdown', 'Shut down', args, io);
}

async function end(status: 'restart' | 'shutdown', verb: string, args: string[], io: CommandIo): Promise<number> {
  const command = status === 'restart' ? SERVER_RESTART : SERVER_SHUTDOWN;
  const { values, positionals } = parseFlags(args, command.options);
  takeArguments(positionals, [], command);
  const client = await connect(values, io);
  await confirmed(`${verb} the server at ${client.base.origin}?`, values.yes, io);
  const { body } = await client.send('PATCH', SERVER, { body: { status } });
  if (values.json) return json(body, io);
  io.stdout.write(`${printable((body as { readonly Message: string }).Message)}\n`);
  return EXIT.fine;
}

/** `mini-synapse metrics [TEXT]`: whole families, with what describes them. */
export async function metrics(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, METRICS.options);
  const [wanted] = positionals;
  if (positionals.length > 1) takeArguments(positionals, ['TEXT'], METRICS);
  const client = await connect(values, io);
  const lines = await text(await client.open('GET', '/metrics', { headers: { Accept: 'text/plain' } }));
  io.stdout.write(wanted === undefined ? lines : matching(lines, wanted));
  return EXIT.fine;
}

/** `# HELP name …` and `# TYPE name …` stand before `name{…} value`. */
function matching(lines: string, wanted: string): string {
  return lines
    .split('\n')
    .filter((line) => (/^(?:# \w+ )?([^\s{]+)/.exec(line)?.[1] ?? '').includes(wanted))
    .map((line) => `${line}\n`)
    .join('');
}

/** `mini-synapse openapi`. */
export async function openapi(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPENAPI.options);
  takeArguments(positionals, [], OPENAPI);
  const client = await connect(values, io);
  await pipeline(await client.open('GET', '/management/openapi.json'), io.stdout, { end: false });
  return EXIT.fine;
}
