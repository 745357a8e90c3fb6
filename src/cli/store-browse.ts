import { pipeline } from 'node:stream/promises';
import { integerFlag, parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT } from './io.ts';
import { filterQuery } from './message-filter.ts';
import { connect } from './remote/connect.ts';
import { detail } from './show/detail.ts';
import { json } from './show/json.ts';
import { bytes, clock, duration } from './show/quantities.ts';
import { type Column, table } from './show/table.ts';
import { printable, terminalOf } from './show/terminal.ts';
import { messagesPath } from './store-actions.ts';
import { STORE_BROWSE, STORE_SHOW } from './table/steering.ts';

interface MessageRow {
  readonly id: string;
  readonly ageMs?: number;
  readonly kind: string;
  readonly bytes: number;
  readonly attempts: number;
  readonly replays: number;
  readonly lastCause?: string;
  readonly lastStatus?: number;
  readonly poison?: string;
  readonly inDelivery?: boolean;
  readonly preview: string;
}

interface MessagePage {
  readonly count: number;
  readonly list: readonly MessageRow[];
  readonly next?: string;
  readonly scanned: number;
  readonly complete: boolean;
  readonly note?: string;
}

const MESSAGE_COLUMNS: readonly Column<MessageRow>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'AGE', align: 'right', cell: ({ ageMs }) => (ageMs === undefined ? '' : duration(ageMs)) },
  { title: 'KIND', cell: ({ kind }) => kind },
  { title: 'SIZE', align: 'right', cell: (row) => bytes(row.bytes) },
  { title: 'ATTEMPTS', align: 'right', cell: ({ attempts }) => String(attempts) },
  { title: 'REPLAYS', align: 'right', cell: ({ replays }) => (replays > 0 ? String(replays) : '') },
  {
    title: 'CAUSE',
    cell: ({ lastCause, lastStatus, poison }) => poison ?? [lastStatus, lastCause].filter(Boolean).join(' '),
  },
  { title: 'IN HAND', cell: ({ inDelivery }) => (inDelivery ? 'yes' : '') },
  { title: 'BODY', cell: ({ preview }) => preview },
];

/** `mini-synapse store browse STORE` (OP-42). */
export async function storeBrowse(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_BROWSE.options);
  const [store] = takeArguments(positionals, ['STORE'], STORE_BROWSE);
  const limit = integerFlag('limit', values.limit, 1, 500) ?? 50;
  const query = { limit, after: values.after, force: values.force, ...filterQuery(values) };
  const client = await connect(values, io);
  const page = await client.get<MessagePage>(messagesPath(store), query);
  if (values.json) return json(page, io);
  const terminal = terminalOf(io);
  io.stdout.write(
    page.list.length > 0 ? table(page.list, MESSAGE_COLUMNS, terminal) : `No messages found in ${store}\n`,
  );
  if (page.next !== undefined) io.stderr.write(`There are more: --after ${page.next}\n`);
  else if (!page.complete) io.stderr.write('There are more that the broker does not show\n');
  if (page.note !== undefined) io.stderr.write(`${printable(page.note)}\n`);
  return EXIT.fine;
}

interface MessageDetail extends MessageRow {
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly properties: ReadonlyArray<{
    readonly scope: string;
    readonly name: string;
    readonly type: string;
    readonly value: string;
  }>;
  readonly addressing: Readonly<Record<string, string>>;
  readonly body: {
    readonly text?: string;
    readonly pretty?: string;
    readonly base64?: string;
    readonly language: string;
    readonly truncated: boolean;
    readonly bytes: number;
  };
  readonly history: ReadonlyArray<Readonly<Record<string, string | number>>>;
}

/** `mini-synapse store show STORE ID` (OP-42). */
export async function storeShow(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_SHOW.options);
  const [store, id] = takeArguments(positionals, ['STORE', 'ID'], STORE_SHOW);
  const client = await connect(values, io);
  const path = `${messagesPath(store)}/${encodeURIComponent(id)}`;
  const query = { force: values.force };
  if (values.body) {
    const reply = await client.open('GET', path, { query: { ...query, body: 'full' } });
    await pipeline(reply, io.stdout, { end: false });
    return EXIT.fine;
  }
  const message = await client.get<MessageDetail>(path, query);
  if (values.json) return json(message, io);
  io.stdout.write(messageText(message, io));
  return EXIT.fine;
}

function messageText(message: MessageDetail, io: CommandIo): string {
  const { headers, properties, addressing, body, history, ageMs: _age, preview: _preview, ...row } = message;
  const terminal = terminalOf(io);
  const parts = [
    detail({ ...row, bytes: bytes(row.bytes) }, terminal),
    detail(
      {
        headers: headers.map(([name, value]) => `${name}: ${value}`),
        properties: properties.map(({ scope, name, type, value }) => `${scope} ${name} (${type}) = ${value}`),
        addressing,
      },
      terminal,
    ),
  ];
  if (history.length > 0) parts.push(`\nFailures :\n${table(history, HISTORY_COLUMNS, terminal)}`);
  const shown =
    body.pretty ?? body.text ?? (body.base64 === undefined ? '' : hexLines(Buffer.from(body.base64, 'base64')));
  const cutOff = body.truncated ? ', cut off; --body gives all of it' : '';
  parts.push(`\nBody (${body.language}, ${bytes(body.bytes)}${cutOff}) :\n${printable(shown, 'lines').trimEnd()}\n`);
  return parts.join('');
}

const HISTORY_COLUMNS: readonly Column<Readonly<Record<string, string | number>>>[] = [
  { title: 'LAST', cell: ({ lastAt }) => clock(String(lastAt)) },
  { title: 'PROCESSOR', cell: ({ processor = '' }) => String(processor) },
  { title: 'STORE', cell: ({ sourceStore = '' }) => String(sourceStore) },
  { title: 'ENDPOINT', cell: ({ endpoint = '' }) => String(endpoint) },
  { title: 'STATUS', align: 'right', cell: ({ status = '' }) => String(status) },
  { title: 'ATTEMPTS', align: 'right', cell: ({ attempts = '' }) => String(attempts) },
  { title: 'CAUSE', cell: ({ cause = '' }) => String(cause) },
];

const HEX_BYTES = 16;

/** `00000010  48 65 6c 6c 6f …  Hello…`. */
export function hexLines(content: Uint8Array): string {
  const lines: string[] = [];
  for (let start = 0; start < content.length; start += HEX_BYTES) {
    const part = content.subarray(start, start + HEX_BYTES);
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...part].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${start.toString(16).padStart(8, '0')}  ${hex.padEnd(HEX_BYTES * 3 - 1)}  ${text}`);
  }
  return lines.join('\n');
}
