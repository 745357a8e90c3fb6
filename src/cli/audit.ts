import { integerFlag, parseFlags, takeArguments } from './arguments.ts';
import { AUDIT_COLUMNS, type Row } from './columns.ts';
import { type CommandIo, EXIT } from './io.ts';
import { timeFlag } from './message-filter.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { table } from './show/table.ts';
import { terminalOf } from './show/terminal.ts';
import { AUDIT } from './table/administering.ts';

const MOST = 1000;

/** `mini-synapse audit` (OP-66): the last entries, the newest last. */
export async function audit(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, AUDIT.options);
  takeArguments(positionals, [], AUDIT);
  const limit = integerFlag('limit', values.limit, 1, MOST) ?? 100;
  const since = timeFlag('since', values.since);
  const client = await connect(values, io);
  const { list } = await client.get<{ readonly list: readonly Row[] }>('/management/audit', { limit });
  const found = list.filter(
    ({ who, action, name, result, time }) =>
      (values.who === undefined || who === values.who) &&
      (values.action === undefined || action === values.action) &&
      (values.name === undefined || name === values.name) &&
      (!values.failed || result !== 'done') &&
      (since === undefined || Date.parse(String(time)) >= Date.parse(since)),
  );
  if (values.json) return json({ count: found.length, list: found }, io);
  const rows = found.toReversed();
  io.stdout.write(rows.length > 0 ? table(rows, AUDIT_COLUMNS, terminalOf(io)) : 'No Audit Entries found\n');
  return EXIT.fine;
}
