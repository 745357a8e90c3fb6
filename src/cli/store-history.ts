import { integerFlag, parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT } from './io.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { clock } from './show/quantities.ts';
import { type Column, table } from './show/table.ts';
import { terminalOf } from './show/terminal.ts';
import { STORE_HISTORY } from './table/steering.ts';

const MINUTE_MS = 60_000;
const BAR = 40;

interface Point {
  /** Epoch ms. */
  readonly t: number;
  readonly depth: number | null;
  readonly in: number;
  readonly out: number;
}

/** One minute. */
interface Minute extends Point {
  /** The largest depth of all minutes shown. */
  readonly most: number;
}

const COLUMNS: readonly Column<Minute>[] = [
  { title: 'TIME', cell: ({ t }) => clock(new Date(t).toISOString()) },
  { title: 'DEPTH', align: 'right', cell: ({ depth }) => (depth === null ? '?' : String(depth)) },
  { title: 'IN', align: 'right', cell: (minute) => String(minute.in) },
  { title: 'OUT', align: 'right', cell: ({ out }) => String(out) },
  { title: '', cell: ({ depth, most }) => '█'.repeat(most === 0 ? 0 : Math.round(((depth ?? 0) / most) * BAR)) },
];

/** `mini-synapse store history STORE` (OP-41): one line a minute; with --json every point that was measured. */
export async function storeHistory(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_HISTORY.options);
  const [store] = takeArguments(positionals, ['STORE'], STORE_HISTORY);
  const minutes = integerFlag('minutes', values.minutes, 1, 60) ?? 60;
  const client = await connect(values, io);
  const path = `/management/message-stores/${encodeURIComponent(store)}/history`;
  const found = await client.get<{ readonly points: readonly Point[] }>(path, { minutes });
  if (values.json) return json(found, io);
  const rows = byMinute(found.points);
  io.stdout.write(rows.length > 0 ? table(rows, COLUMNS, terminalOf(io)) : `No History found for ${store}\n`);
  return EXIT.fine;
}

/** The last depth of every minute, and all that came and went in it. */
function byMinute(points: readonly Point[]): Minute[] {
  const groups = [...Map.groupBy(points, ({ t }) => Math.floor(t / MINUTE_MS)).values()];
  const minutes = groups.map((group) => ({
    t: Math.floor((group[0]?.t ?? 0) / MINUTE_MS) * MINUTE_MS,
    depth: group.findLast(({ depth }) => depth !== null)?.depth ?? null,
    in: group.reduce((sum, point) => sum + point.in, 0),
    out: group.reduce((sum, point) => sum + point.out, 0),
  }));
  const most = Math.max(0, ...minutes.map(({ depth }) => depth ?? 0));
  return minutes.map((minute) => ({ ...minute, most }));
}
