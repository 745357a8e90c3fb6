import { pause } from '../scheduling/pause.ts';
import { parseFlags, takeArguments } from './arguments.ts';
import { ENDPOINT_COLUMNS, PROCESSOR_COLUMNS, type Row, STORE_COLUMNS } from './columns.ts';
import { type CommandIo, EXIT, isTerminal, stdinOf } from './io.ts';
import type { ManagementClient } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { serverEvents } from './remote/events.ts';
import { interruption } from './remote/interruption.ts';
import { json } from './show/json.ts';
import { onKeys } from './show/keys.ts';
import { bytes, duration, rate } from './show/quantities.ts';
import { table } from './show/table.ts';
import { coloured, printable, type Terminal, terminalOf } from './show/terminal.ts';
import { TOP } from './table/looking.ts';

/** The server's picture of itself, as the management API gives it. */
export interface Overview {
  readonly server: {
    readonly name: string;
    readonly version: string;
    readonly uptimeMs: number;
    readonly rssBytes: number;
    readonly eventLoopP99Ms: number;
  };
  readonly health: { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly counts: Readonly<Record<string, number>>;
  readonly traffic: { readonly requestsPerSecond: number; readonly errorsPerSecond: number; readonly inFlight: number };
  readonly stores: readonly Row[];
  readonly processors: readonly Row[];
}

/** The events do not tell about endpoints' counts. */
const ENDPOINTS_EVERY_MS = 2_000;
/** Of a terminal that does not say how many it has. */
const LINES = 24;
const MOST_LINES = 1_000;
const OTHER_SCREEN = '\x1b[?1049h\x1b[?25l';
const OWN_SCREEN = '\x1b[?25h\x1b[?1049l';

/** `mini-synapse top`: live on a terminal, from the stream of events; once elsewhere, and as JSON. */
export async function top(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, TOP.options);
  takeArguments(positionals, [], TOP);
  const client = await connect(values, io);
  const first = await client.get<Overview>('/management/overview');
  const isOnce = values.json || values.once || !isTerminal(io.stdout);
  const endpoints = await readEndpoints(client, isOnce ? undefined : io);
  if (values.json) return json({ ...first, endpoints }, io);
  if (isOnce) {
    io.stdout.write(topText(first, endpoints, terminalOf(io)));
    return EXIT.fine;
  }
  return live(client, first, endpoints, io);
}

async function live(client: ManagementClient, first: Overview, known: readonly Row[], io: CommandIo): Promise<number> {
  const interrupted = interruption();
  let endpoints = known;
  let overview = first;
  const draw = () => io.stdout.write(frame(topText(overview, endpoints, terminalOf(io)), terminalOf(io)));
  const stopKeys = onKeys(stdinOf(io), (key) => {
    if (key === 'q' || key === '\x03' || key === '\x1b') interrupted.interrupt();
  });
  io.stdout.on('resize', draw);
  io.stdout.write(OTHER_SCREEN);
  const looking = lookAtEndpoints(client, io, interrupted.signal, (rows) => {
    endpoints = rows;
  });
  try {
    draw();
    for await (const { name, data } of serverEvents(client, {}, interrupted.signal)) {
      if (name !== 'overview') continue;
      overview = data as Overview;
      draw();
    }
    return EXIT.fine;
  } finally {
    interrupted.interrupt();
    await looking;
    io.stdout.off('resize', draw);
    io.stdout.write(OWN_SCREEN);
    stopKeys();
    interrupted.close();
  }
}

/** Until the signal aborts. What fails now may work the next time; the stream of events tells when nobody is there. */
async function lookAtEndpoints(
  client: ManagementClient,
  io: CommandIo,
  signal: AbortSignal,
  found: (rows: readonly Row[]) => void,
): Promise<void> {
  while (!signal.aborted) {
    await pause(ENDPOINTS_EVERY_MS, signal);
    if (!signal.aborted) await readEndpoints(client, io).then(found, () => {});
  }
}

/** @param io of a live picture, which has room for as many as its terminal has lines; undefined: all */
async function readEndpoints(client: ManagementClient, io: CommandIo | undefined): Promise<readonly Row[]> {
  const limit = io && Math.min(terminalOf(io).rows ?? LINES, MOST_LINES);
  return (await client.get<{ readonly list: readonly Row[] }>('/management/endpoints', { limit: limit?.toString() }))
    .list;
}

/** Over what stood there before, and no longer than the screen. */
export function frame(text: string, { rows = 24 }: Terminal): string {
  const lines = text.split('\n').slice(0, rows - 1);
  return `\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`;
}

/** Head line, stores, processors, endpoints. */
export function topText(overview: Overview, endpoints: readonly Row[], terminal: Terminal): string {
  const { server, health, traffic, counts, stores, processors } = overview;
  const ready = health.ready ? coloured('ready', 'green', terminal) : coloured('not ready', 'red', terminal);
  const faulty = counts.faulty ? coloured(` · ${counts.faulty} faulty`, 'red', terminal) : '';
  const head = [
    `mini-synapse ${printable(server.version)} ${printable(server.name)} · ${ready} · up ${duration(server.uptimeMs)} · ${bytes(server.rssBytes)}${faulty}`,
    `${rate(traffic.requestsPerSecond)} requests/s · ${rate(traffic.errorsPerSecond)} errors/s · ${traffic.inFlight} in flight · event loop p99 ${server.eventLoopP99Ms} ms`,
    ...health.reasons.map((reason) => `  ${printable(reason)}`),
  ];
  const parts = [
    { rows: stores, columns: STORE_COLUMNS },
    { rows: processors, columns: PROCESSOR_COLUMNS },
    { rows: endpoints, columns: ENDPOINT_COLUMNS },
  ].filter(({ rows }) => rows.length > 0);
  return `${head.join('\n')}\n${parts.map(({ rows, columns }) => `\n${table(rows, columns, terminal)}`).join('')}`;
}
