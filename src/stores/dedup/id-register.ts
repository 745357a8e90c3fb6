import { placeholders, type SqlDialect } from '../sql/dialect.ts';
import type { SqlConnection, SqlSession } from '../sql/driver.ts';
import { integer, requireTable } from '../sql/required-table.ts';
import type { TableClaim } from './table-claim.ts';

/** What one statement forgets, and what one sweep does at most. */
const FORGOTTEN_AT_ONCE = 500;
const MOST_FORGOTTEN = 20_000;

/** A message that is to be inserted. */
export interface RegisteredRow {
  readonly msgId: string;
  readonly once?: TableClaim;
}

/** What a sweep has done. */
export interface IdSweep {
  /** Ids that were forgotten before their time. */
  readonly early: number;
  /** It came to its bound: the next one should come soon. */
  readonly more: boolean;
}

export interface IdRegisterOptions {
  /** Of the table of messages. */
  readonly table: string;
  readonly dialect: SqlDialect;
  readonly maxIds: number;
}

/**
 * The table of ids beside a table of messages (OP-07): `<table>_dedup`, whose key is the hash of an id. The row of an id is made in
 * the very transaction that inserts its message, so both are there or neither is, and its key makes transactions of other nodes with
 * the same id wait for that one's end.
 */
export class IdRegister {
  readonly name: string;
  readonly #dialect: SqlDialect;
  readonly #maxIds: number;

  constructor({ table, dialect, maxIds }: IdRegisterOptions) {
    this.name = `${table}_dedup`;
    this.#dialect = dialect;
    this.#maxIds = maxIds;
  }

  /** @throws TableError with the statement that helps, when the table is missing and must not be made */
  async prepare(connection: SqlConnection, create: boolean): Promise<void> {
    const { name } = this;
    const probe = `SELECT dedup_key, msg_id, expires_at FROM ${name} WHERE 1 = 0`;
    const statement =
      `CREATE TABLE IF NOT EXISTS ${name} (dedup_key VARCHAR(64) NOT NULL, msg_id VARCHAR(200) NOT NULL, ` +
      'expires_at BIGINT NOT NULL, PRIMARY KEY (dedup_key))';
    await requireTable(connection, { name, probe, statements: [statement], create });
  }

  /**
   * Those of the rows that are to be inserted, in their order; the claims of the others are told who was first. To be called in the
   * transaction that inserts.
   */
  async admit<R extends RegisteredRow>(session: SqlSession, rows: readonly R[]): Promise<readonly R[]> {
    const claimed = firstOfEachKey(rows);
    if (claimed.size === 0) return rows;
    await this.#claim(session, claimed);
    const holders = await this.#holders(session, [...claimed.keys()]);
    return rows.filter(({ msgId, once }) => {
      if (!once) return true;
      const holder = holders.get(once.key);
      once.first = holder === msgId ? undefined : holder;
      return once.first === undefined;
    });
  }

  /** Makes the rows of ids that nobody has, and takes over those whose time is over. */
  async #claim(session: SqlSession, claimed: ReadonlyMap<string, RegisteredRow>): Promise<void> {
    const { now } = this.#dialect;
    const statement = this.#dialect.insertOrUpdate({
      table: this.name,
      columns: ['dedup_key', 'msg_id', 'expires_at'],
      rows: Array.from({ length: claimed.size }, () => `(?, ?, ${now} + ?)`),
      condition: `old.expires_at <= ${now}`,
      // The end comes last: the condition is about it.
      changes: [
        ['msg_id', 'new.msg_id'],
        ['expires_at', 'new.expires_at'],
      ],
    });
    // In one order for all nodes, so that none waits for one that waits for it.
    const keys = [...claimed.keys()].sort();
    await session.query(
      statement,
      keys.flatMap((key) => [key, claimed.get(key)?.msgId ?? '', claimed.get(key)?.once?.windowMs ?? 0]),
    );
  }

  async #holders(session: SqlSession, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await session.query(
      `SELECT dedup_key, msg_id FROM ${this.name} WHERE dedup_key IN (${placeholders(keys.length)})${this.#dialect.forUpdate}`,
      keys,
    );
    return new Map(rows.map(({ dedup_key: key, msg_id: msgId }) => [String(key), String(msgId)]));
  }

  /** Forgets ids whose time is over, and the oldest of too many; in batches, and not without an end. */
  async sweep(session: SqlSession): Promise<IdSweep> {
    const over = await this.#forgetSome(session, this.#dialect.now, MOST_FORGOTTEN);
    // Those that are over and still there must not count as too many.
    if (over === MOST_FORGOTTEN) return { early: 0, more: true };
    const [row] = await session.query(`SELECT COUNT(*) AS ids FROM ${this.name}`);
    const tooMany = integer(row?.ids) - this.#maxIds;
    if (tooMany <= 0) return { early: 0, more: false };
    const count = Math.min(tooMany, MOST_FORGOTTEN);
    const [last] = await session.query(
      `SELECT expires_at FROM ${this.name} ORDER BY expires_at LIMIT 1 OFFSET ${count - 1}`,
    );
    // Looked for once: with every batch the whole table would be sorted again.
    const early = last ? await this.#forgetSome(session, String(integer(last.expires_at)), count) : 0;
    return { early, more: tooMany > count };
  }

  /** @returns how many there were of those that end at `end` or before, `most` of them at most */
  async #forgetSome(session: SqlSession, end: string, most: number): Promise<number> {
    let forgotten = 0;
    while (forgotten < most) {
      const wanted = Math.min(most - forgotten, FORGOTTEN_AT_ONCE);
      const found = await this.#forget(session, `WHERE expires_at <= ${end}`, wanted);
      forgotten += found;
      if (found < wanted) break;
    }
    return forgotten;
  }

  /** Each with the end that was read: one that was taken over meanwhile stays. */
  async #forget(session: SqlSession, which: string, count: number): Promise<number> {
    const found = await session.query(`SELECT dedup_key, expires_at FROM ${this.name} ${which} LIMIT ${count}`);
    if (found.length === 0) return 0;
    const each = found.map(() => '(dedup_key = ? AND expires_at = ?)').join(' OR ');
    await session.query(
      `DELETE FROM ${this.name} WHERE ${each}`,
      found.flatMap(({ dedup_key: key, expires_at: end }) => [String(key), integer(end)]),
    );
    return found.length;
  }
}

/** One statement must not touch a row twice; of messages with one key in one transaction the first one has it. */
function firstOfEachKey<R extends RegisteredRow>(rows: readonly R[]): ReadonlyMap<string, R> {
  const found = new Map<string, R>();
  for (const row of rows) if (row.once && !found.has(row.once.key)) found.set(row.once.key, row);
  return found;
}
