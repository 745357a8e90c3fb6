import { nearestName } from '../grammar/diagnostic.ts';
import { counted } from '../logging/counted.ts';
import { integerFlag, parseFlags, takeArguments } from './arguments.ts';
import { artifactReference } from './artifact-reference.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { type ManagementClient, RefusedError } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { serverEvents } from './remote/events.ts';
import { interruption } from './remote/interruption.ts';
import { json } from './show/json.ts';
import { confirmed } from './show/prompt.ts';
import { clock, duration } from './show/quantities.ts';
import { type Column, table } from './show/table.ts';
import { coloured, colourOfState, printable, terminalOf } from './show/terminal.ts';
import { type FullTrace, traceText } from './show/trace-text.ts';
import { TRACE, TRACING } from './table/looking.ts';

interface TraceRow {
  readonly id: string;
  readonly messageId: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly artifact: { readonly kind: string; readonly name: string };
  readonly status?: number;
  readonly outcome: string;
  readonly steps: number;
}

const COLUMNS: readonly Column<TraceRow>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'STARTED', cell: ({ startedAt }) => clock(startedAt) },
  { title: 'TOOK', align: 'right', cell: ({ durationMs }) => duration(durationMs) },
  { title: 'ARTIFACT', cell: ({ artifact }) => `${artifact.kind}:${artifact.name}` },
  { title: 'STATUS', align: 'right', cell: ({ status = '' }) => String(status) },
  { title: 'OUTCOME', cell: ({ outcome }) => ({ text: outcome, colour: colourOfState(outcome) }) },
  { title: 'STEPS', align: 'right', cell: ({ steps }) => String(steps) },
  { title: 'MESSAGE', cell: ({ messageId }) => messageId },
];

/** `mini-synapse trace [ID]` (OP-46). */
export async function trace(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, TRACE.options);
  const limit = integerFlag('limit', values.limit, 1, 1000) ?? 20;
  const [id] = positionals;
  if (positionals.length > 1) takeArguments(positionals, ['ID'], TRACE);
  if (values.forget && (id !== undefined || values.follow)) throw new UsageError('--forget is of all traces');
  const client = await connect(values, io);
  if (values.forget) return forget(client, values, io);
  if (id !== undefined) return one(client, id, values, io);
  const query = { artifact: values.artifact, errors: values.errors, limit };
  const found = await client.get<{ readonly list: readonly TraceRow[] }>('/management/traces', query);
  if (!values.follow) {
    if (values.json) return json(found, io);
    if (found.list.length > 0) io.stdout.write(table(found.list.toReversed(), COLUMNS, terminalOf(io)));
    else io.stdout.write(`No Traces found\n${await hint(client)}`);
    return EXIT.fine;
  }
  if (found.list.length === 0 && !values.json) io.stderr.write(await hint(client));
  return follow(client, found.list, values, io);
}

async function forget(
  client: ManagementClient,
  flags: { readonly yes?: boolean | undefined; readonly json?: boolean | undefined },
  io: CommandIo,
): Promise<number> {
  await confirmed('Forget all traces?', flags.yes, io);
  const { body } = await client.send('DELETE', '/management/traces');
  if (flags.json) return json(body, io);
  const { count } = body as { readonly count?: number };
  io.stdout.write(`${count === undefined ? 'All traces' : counted(count, 'trace')} forgotten\n`);
  return EXIT.fine;
}

async function hint(client: ManagementClient): Promise<string> {
  const { mode } = await client.get<Tracing>('/management/tracing');
  return mode === 'off' ? "Tracing is off; 'mini-synapse tracing on' follows every message from then on\n" : '';
}

async function one(
  client: ManagementClient,
  id: string,
  flags: { readonly json?: boolean | undefined },
  io: CommandIo,
): Promise<number> {
  const found = await fullTrace(client, id);
  if (flags.json) return json(found, io);
  io.stdout.write(traceText(found, terminalOf(io)));
  return EXIT.fine;
}

/** By the id of the trace, else by that of the message. */
async function fullTrace(client: ManagementClient, id: string): Promise<FullTrace> {
  const path = (trace: string) => `/management/traces/${encodeURIComponent(trace)}`;
  try {
    return await client.get<FullTrace>(path(id));
  } catch (error) {
    if (!(error instanceof RefusedError) || error.status !== 404) throw error;
    const { list } = await client.get<{ readonly list: readonly TraceRow[] }>('/management/traces', { id, limit: 1 });
    const [found] = list;
    if (!found) throw error;
    return client.get<FullTrace>(path(found.id));
  }
}

/** One line for each message, when its way is told to listeners. */
async function follow(
  client: ManagementClient,
  known: readonly TraceRow[],
  flags: {
    readonly json?: boolean | undefined;
    readonly artifact?: string | undefined;
    readonly errors?: boolean | undefined;
  },
  io: CommandIo,
): Promise<number> {
  const terminal = terminalOf(io);
  const write = (row: TraceRow) => {
    if (flags.json) {
      io.stdout.write(`${JSON.stringify(row)}\n`);
      return;
    }
    const { id, startedAt, durationMs, artifact, status, outcome, messageId } = row;
    const shown = coloured(outcome.padEnd(8), colourOfState(outcome), terminal);
    const about = [id, `${artifact.kind}:${artifact.name}`, status, duration(durationMs), messageId];
    io.stdout.write(
      `${clock(startedAt)}  ${shown}  ${printable(about.filter((part) => part !== undefined).join('  '))}\n`,
    );
  };
  known.toReversed().forEach(write);
  const interrupted = interruption();
  try {
    for await (const { name, data } of serverEvents(client, {}, interrupted.signal)) {
      if (name !== 'trace') continue;
      const row = data as TraceRow;
      const fits = flags.artifact === undefined || row.artifact?.name === flags.artifact;
      if (fits && (!flags.errors || row.outcome === 'fault')) write(row);
    }
    return EXIT.fine;
  } finally {
    interrupted.close();
  }
}

interface TracingSetting {
  readonly mode: string;
  /** 0 to 1. */
  readonly sample: number;
  readonly bodies: boolean;
}

interface Tracing extends TracingSetting {
  readonly artifacts: ReadonlyArray<TracingSetting & { readonly kind: string; readonly name: string }>;
}

const MODES = ['off', 'sampled', 'on', 'default'] as const;

/** `mini-synapse tracing [off|sampled|on|default]`. */
export async function tracing(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, TRACING.options);
  const [mode] = positionals;
  if (positionals.length > 1) takeArguments(positionals, ['MODE'], TRACING);
  if (mode !== undefined && !MODES.includes(mode as (typeof MODES)[number])) {
    const nearest = nearestName(mode, MODES);
    throw new UsageError(
      `'${mode}': expected one of ${MODES.join(', ')}${nearest ? `. Did you mean '${nearest}'?` : ''}`,
    );
  }
  const percent = integerFlag('sample', values.sample, 0, 100);
  const artifact = values.artifact === undefined ? undefined : artifactReference('--artifact', values.artifact);
  const client = await connect(values, io);
  const found =
    mode === undefined
      ? await client.get<Tracing>('/management/tracing')
      : ((
          await client.send('PUT', '/management/tracing', {
            body: {
              mode,
              ...(percent !== undefined && { sample: percent / 100 }),
              ...(values.bodies !== undefined && { bodies: values.bodies }),
              ...(artifact && { artifact }),
            },
          })
        ).body as Tracing);
  if (values.json) return json(found, io);
  io.stdout.write(`server: ${settingText(found)}\n`);
  for (const own of found.artifacts) io.stdout.write(`${printable(`${own.kind}:${own.name}`)}: ${settingText(own)}\n`);
  return EXIT.fine;
}

function settingText({ mode, sample, bodies }: TracingSetting): string {
  return `${mode}${mode === 'sampled' ? ` ${Math.round(sample * 100)} %` : ''}${bodies ? ', with bodies' : ''}`;
}
