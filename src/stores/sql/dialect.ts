/**
 * Where the databases' SQL differs. Everything else is said once, in message-table.ts, sequenced-table.ts and task-tables.ts. Table names have been
 * checked to be identifiers and stand in the statements as they are (spec stores 2.4).
 */
export interface SqlDialect {
  /** As people call it. */
  readonly name: string;
  /** The database's own time, epoch ms: leases must not depend on the clocks of the nodes. */
  readonly now: string;
  /** Locks the rows that a SELECT finds until the transaction ends; empty where a transaction has the database for itself. */
  readonly forUpdate: string;
  /** The statements that make the documented table, with room for large messages (REQ-09, REQ-40). */
  createMessages(table: string): readonly string[];
  /** The same with the sequence number of the resequence store (spec stores 2.6). */
  createSequencedMessages(table: string): readonly string[];
  /** The statement that makes the table of claims. */
  createClaims(table: string): string;
  /**
   * INSERT of rows `(?, ?, …)` into `columns`, the first of which is the key. A row whose key exists is updated by `changes` (column
   * to expression, in this order) when `condition` holds. `old.c` and `new.c` in both stand for the columns of the row there is
   * and of the row that was to be inserted.
   */
  insertOrUpdate(insert: InsertOrUpdate): string;
  /** What the message column holds at most, bytes; undefined where there is no such limit. */
  readonly columnLimit: ((table: string) => { readonly sql: string; readonly values: readonly string[] }) | undefined;
  /** How an operator makes the message column large enough. */
  enlarge(table: string): string;
}

export interface InsertOrUpdate {
  readonly table: string;
  readonly columns: readonly string[];
  /** One row of placeholders and expressions for each row, such as `(?, 5)`. */
  readonly rows: readonly string[];
  readonly condition: string;
  readonly changes: ReadonlyArray<readonly [column: string, expression: string]>;
}

/** PostgreSQL and SQLite say it in the same words. */
export function onConflict({ table, columns, rows, condition, changes }: InsertOrUpdate): string {
  const [key] = columns;
  const said = (text: string) => text.replaceAll('old.', 'held.').replaceAll('new.', 'excluded.');
  const sets = changes.map(([column, expression]) => `${column} = ${said(expression)}`);
  return (
    `INSERT INTO ${table} AS held (${columns.join(', ')}) VALUES ${rows.join(', ')} ` +
    `ON CONFLICT (${key}) DO UPDATE SET ${sets.join(', ')} WHERE ${said(condition)}`
  );
}

/** `schema.table` in its parts. */
export function nameParts(table: string): { readonly schema: string | undefined; readonly name: string } {
  const [first = '', second] = table.split('.');
  return second === undefined ? { schema: undefined, name: first } : { schema: first, name: second };
}

/** `?, ?, ?` */
export function placeholders(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ');
}
