import { normalizedCause } from '../management/operations/failure-groups.ts';
import { integerFlag, parseFlags, takeArguments } from './arguments.ts';
import { CommandFailure, type CommandIo, EXIT, UsageError } from './io.ts';
import type { ManagementClient } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { ago } from './show/quantities.ts';
import { type Column, table } from './show/table.ts';
import { printable, terminalOf } from './show/terminal.ts';
import { rateOf, resendMessages } from './store-actions.ts';
import { pagesOf } from './store-pages.ts';
import { STORE_FAILURES } from './table/steering.ts';

interface Group {
  readonly cause: string;
  readonly endpoint?: string;
  readonly status?: number;
  readonly count: number;
  readonly oldest: string;
  readonly newest: string;
}

interface Failures {
  readonly list: readonly Group[];
  readonly complete: boolean;
  readonly scanned: number;
}

/** What tells of one message to which group it belongs. */
interface FailedRow {
  readonly id: string;
  readonly lastCause?: string;
  readonly lastEndpoint?: string;
  readonly lastStatus?: number;
  readonly poison?: string;
}

const COLUMNS: ReadonlyArray<Column<Group & { readonly number: number }>> = [
  { title: '#', align: 'right', cell: ({ number }) => String(number) },
  { title: 'COUNT', align: 'right', cell: ({ count }) => String(count) },
  { title: 'STATUS', align: 'right', cell: ({ status = '' }) => String(status) },
  { title: 'ENDPOINT', cell: ({ endpoint = '' }) => endpoint },
  { title: 'OLDEST', align: 'right', cell: ({ oldest }) => ago(oldest) },
  { title: 'NEWEST', align: 'right', cell: ({ newest }) => ago(newest) },
  { title: 'CAUSE', cell: ({ cause }) => cause },
];

/** `mini-synapse store failures STORE` (OP-48), and a whole group of them sent again (OP-63). */
export async function storeFailures(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_FAILURES.options);
  const [store] = takeArguments(positionals, ['STORE'], STORE_FAILURES);
  const wanted = integerFlag('resend', values.resend, 1, 1_000_000);
  if (wanted === undefined && values.rate !== undefined) throw new UsageError('--rate is of --resend');
  rateOf(values.rate);
  const client = await connect(values, io);
  const path = `/management/message-stores/${encodeURIComponent(store)}/failures`;
  const found = await client.get<Failures>(path, { force: values.force });
  if (wanted !== undefined) {
    const group = found.list[wanted - 1];
    if (!group) throw new CommandFailure(`there is no group ${wanted}, but ${found.list.length}`);
    const ids = await idsOf(group, store, values.force, client);
    return await resendMessages({ store, ids, about: causeText(group) }, values, client, io);
  }
  if (values.json) return json(found, io);
  const rows = found.list.map((group, index) => ({ ...group, number: index + 1 }));
  io.stdout.write(rows.length > 0 ? table(rows, COLUMNS, terminalOf(io)) : `No failed messages found in ${store}\n`);
  if (!found.complete) io.stderr.write(`Only the first ${found.scanned} messages were looked at\n`);
  return EXIT.fine;
}

/** The messages of a group, as they are now: what differs in their causes is no difference, as the server counts them. */
async function idsOf(
  { cause, endpoint, status }: Group,
  store: string,
  force: boolean | undefined,
  client: ManagementClient,
): Promise<readonly string[]> {
  const ids: string[] = [];
  const query = { force, endpoint, status };
  for await (const { list } of pagesOf<FailedRow>(client, store, query)) {
    for (const { id, lastCause, lastEndpoint, lastStatus, poison } of list) {
      const own = lastCause ?? poison;
      const belongs = own !== undefined && normalizedCause(own) === cause;
      if (belongs && lastEndpoint === endpoint && lastStatus === status) ids.push(id);
    }
  }
  return ids;
}

function causeText({ cause, endpoint, status }: Group): string {
  return printable([cause, endpoint && `at ${endpoint}`, status && `with ${status}`].filter(Boolean).join(' '));
}
