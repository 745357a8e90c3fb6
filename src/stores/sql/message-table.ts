import type { IdRegister } from '../dedup/id-register.ts';
import type { TableClaim } from '../dedup/table-claim.ts';
import { placeholders, type SqlDialect } from './dialect.ts';
import { type SqlConnection, SqlRefusedError, type SqlRow, type SqlSession, type SqlValue } from './driver.ts';
import { isDeadOwner } from './owner.ts';
import { integer, requireTable, TableError, tableExists } from './required-table.ts';

/*
 * The documented table and, beside it, the table of claims (REQ-09, REQ-31, OP-16). The documented one keeps its shape, so that what
 * made it and what looks at it needs not know of us. A claim belongs to one message and tells who works on it:
 *
 *     (no claim) ──claim──► claimed ──renew──► claimed …      until the database's own clock has passed expires_at
 *                             │  │
 *                             │  └──release, expiry──► free: may be claimed by anybody; `deliveries` goes on counting
 *                             └──settle──► message and claim are deleted together
 *
 * `owner` and `deliveries` together are the fencing token: whoever comes with another pair than the table has was overtaken and
 * changes nothing. A claim that is gone altogether (a crash of the database may forget it) stands in nobody's way.
 */

/** So often others may have been faster before a claim is given up for now. */
const CLAIM_TURNS = 3;
/** How long a claim holds without being renewed, ms (OP-16: at most 30 s). */
export const LEASE_MS = 30_000;
/** Claims that outlived their message by this long are swept out, ms. */
const ORPHANED_AFTER_MS = 60_000;

/** The right to one message. */
export interface Lease {
  readonly indexId: number;
  /** Which delivery of the message it is, from 1. */
  readonly deliveries: number;
  /** Its number in a sequenced table. */
  readonly sequence?: bigint;
  /** An operator has taken it, whether or not it was its turn. */
  readonly outOfTurn?: true;
}

export interface MessageRow {
  readonly msgId: string;
  /** As in stored-message-bytes.ts. */
  readonly bytes: Uint8Array;
  /** Its number in a sequenced table. */
  readonly sequence?: bigint;
  /** Set for a message of which no repetition is to be inserted. */
  readonly once?: TableClaim;
}

/** A message with the right to it. */
export interface ClaimedMessage extends MessageRow {
  readonly lease: Lease;
  /** Set for a message that is not to be delivered: it is discarded, or goes where poison messages go. */
  readonly unwanted?: { readonly action: 'drop' | 'fail'; readonly reason: string };
}

export const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)?$/;
/** Leaves room for the names that are made from it: PostgreSQL cuts names at 63 characters. */
export const LONGEST_TABLE_NAME = 55;
const LONGEST_MSG_ID = 200;
/** Statements that are kept as they were written, one for each number of messages. */
const MAX_KNOWN_INSERTIONS = 64;

export interface TableOptions {
  readonly name: string;
  readonly dialect: SqlDialect;
  /** Who claims; see owner.ts. */
  readonly owner: string;
  /** Given when the table is not to have repetitions (OP-07). */
  readonly ids?: IdRegister;
}

/** The statements on the two tables of a store. They say what they do once, for all databases. */
export class MessageTable {
  readonly name: string;
  readonly dialect: SqlDialect;
  readonly #claims: string;
  readonly #owner: string;
  /** Where it is registered which messages must not be repeated. */
  readonly ids: IdRegister | undefined;
  #columnLimit: number | undefined;
  /** By the number of messages. */
  readonly #insertions = new Map<number, string>();

  constructor(options: TableOptions) {
    this.name = options.name;
    this.dialect = options.dialect;
    this.#claims = `${options.name}_claims`;
    this.#owner = options.owner;
    this.ids = options.ids;
  }

  /**
   * Looks whether the tables are there and makes what may be made: the table of claims always, that of messages with `create`.
   * @throws TableError with the statements that help
   */
  async prepare(connection: SqlConnection, create: boolean): Promise<void> {
    const { name } = this;
    const probe = `SELECT indexId, ${this.columns().join(', ')} FROM ${name} WHERE 1 = 0`;
    await requireTable(connection, { name, probe, statements: this.creation(), create });
    await this.#prepareClaims(connection);
    await this.ids?.prepare(connection, create);
    await this.#inspect(connection);
  }

  /** The columns of a message, in the order of {@link valuesOf}. */
  protected columns(): readonly string[] {
    return ['msg_id', 'message'];
  }

  protected valuesOf({ msgId, bytes }: MessageRow): readonly SqlValue[] {
    return [msgId.slice(0, LONGEST_MSG_ID), bytes];
  }

  /** The statements that make the table. */
  protected creation(): readonly string[] {
    return this.dialect.createMessages(this.name);
  }

  async #prepareClaims(connection: SqlConnection): Promise<void> {
    if (
      await tableExists(connection, `SELECT index_id, owner, expires_at, deliveries FROM ${this.#claims} WHERE 1 = 0`)
    )
      return;
    const statement = this.dialect.createClaims(this.#claims);
    try {
      await connection.query(statement);
    } catch (cause) {
      if (!(cause instanceof SqlRefusedError)) throw cause;
      const help = `the table ${this.#claims}, which tells the nodes who works on which message, cannot be created`;
      throw new TableError(`${help} (${cause.message}); create it: ${statement}`, { cause });
    }
  }

  /** What does not fit or cannot be rolled back must be known before somebody relies on it. */
  async #inspect(connection: SqlConnection): Promise<void> {
    const question = this.dialect.columnLimit?.(this.name);
    if (!question) return;
    const [row] = await connection.query(question.sql, question.values);
    const engine = row?.engine;
    if (typeof engine === 'string' && engine.toLowerCase() !== 'innodb') {
      throw new TableError(`the table ${this.name} has the engine ${engine}, which knows no transactions; use InnoDB`);
    }
    const bytes = Number(row?.bytes);
    this.#columnLimit = Number.isFinite(bytes) && bytes > 0 ? bytes : undefined;
  }

  /** The most bytes that a message may have; undefined when there is no limit. */
  get columnLimit(): number | undefined {
    return this.#columnLimit;
  }

  /** Why a message does not fit into the column; undefined when it does. MySQL's BLOB holds 65,535 bytes only (REQ-40). */
  refusal(bytes: Uint8Array): string | undefined {
    const limit = this.#columnLimit;
    if (limit === undefined || bytes.length <= limit) return undefined;
    return (
      `the message takes ${bytes.length} bytes, the column ${this.name}.message holds ${limit}; ` +
      `enlarge it: ${this.dialect.enlarge(this.name)}`
    );
  }

  /** Appends messages, in their order, but for repetitions, whose claims are told. */
  async insert(session: SqlSession, rows: readonly MessageRow[]): Promise<void> {
    const admitted = this.ids ? await this.ids.admit(session, rows) : rows;
    if (admitted.length === 0) return;
    const { sql, values } = this.insertion(admitted);
    await session.query(sql, values);
  }

  /** The statement that appends messages, in their order. */
  insertion(rows: readonly MessageRow[]): { readonly sql: string; readonly values: readonly SqlValue[] } {
    return { sql: this.#insertStatement(rows.length), values: rows.flatMap((row) => this.valuesOf(row)) };
  }

  #insertStatement(count: number): string {
    const known = this.#insertions.get(count);
    if (known !== undefined) return known;
    const columns = this.columns();
    const places = Array.from({ length: count }, () => `(${placeholders(columns.length)})`).join(', ');
    const statement = `INSERT INTO ${this.name} (${columns.join(', ')}) VALUES ${places}`;
    if (this.#insertions.size < MAX_KNOWN_INSERTIONS) this.#insertions.set(count, statement);
    return statement;
  }

  /**
   * Claims the first messages that nobody has, at most `count`. Others may be faster: fewer, even none, does not mean that there
   * are no more.
   */
  async claim(connection: SqlConnection, count: number): Promise<readonly ClaimedMessage[]> {
    for (let turn = 1; ; turn += 1) {
      const ids = await this.claimCandidates(connection, count);
      if (ids.length === 0) return [];
      const claimed = await this.#readClaimed(connection, ids);
      // Who was faster has committed by now, so that the next candidates are others: no reason to rest.
      if (claimed.length > 0 || turn === CLAIM_TURNS) return claimed;
    }
  }

  /**
   * Claims those of these messages that nobody has, for an operator. To be called by whoever makes all the claims of this owner: what
   * it has already would be taken for claimed just now.
   */
  async takeRows(session: SqlSession, ids: readonly number[]): Promise<readonly ClaimedMessage[]> {
    if (ids.length === 0) return [];
    const free = await session.query(
      `SELECT m.indexId AS id FROM ${this.name} m WHERE m.indexId IN (${placeholders(ids.length)}) AND ${this.isFree()}`,
      ids,
    );
    if (free.length === 0) return [];
    const taken = free.map(({ id }) => integer(id));
    await this.#claimThese(session, taken);
    return this.#readClaimed(session, taken);
  }

  /** Claims the rows to be claimed next, and returns them. Others may have been faster with some, even with all. */
  protected claimCandidates(connection: SqlConnection, count: number): Promise<readonly number[]> {
    return this.claimCandidatesWithin(connection, count);
  }

  /** As {@link claimCandidates}, each statement for itself or all in the transaction of `session`. */
  protected async claimCandidatesWithin(session: SqlSession, count: number): Promise<readonly number[]> {
    const ids = await this.candidates(session, count);
    if (ids.length > 0) await this.#claimThese(session, ids);
    return ids;
  }

  async #claimThese(session: SqlSession, ids: readonly number[]): Promise<void> {
    await session.query(
      this.#claimStatement(ids.length),
      ids.flatMap((id) => [id, this.#owner]),
    );
  }

  /**
   * Those of the claimed messages that we have. To be read when the claim is committed: a message that its former holder has settled
   * meanwhile is not there any more, and nobody waits for the bodies.
   */
  async #readClaimed(session: SqlSession, ids: readonly number[]): Promise<readonly ClaimedMessage[]> {
    const rows = await session.query(
      `SELECT m.indexId AS id, ${this.readColumns()}, c.deliveries AS deliveries ` +
        `FROM ${this.name} m JOIN ${this.#claims} c ON c.index_id = m.indexId ` +
        `WHERE m.indexId IN (${placeholders(ids.length)}) AND c.owner = ? ORDER BY m.indexId`,
      [...ids, this.#owner],
    );
    const claimed = rows.map((row) => this.claimedMessage(row));
    if (claimed.length < ids.length) await this.#forget(session, ids, claimed);
    return claimed;
  }

  /** The rows to be claimed next; they need not be there any more, or be free, when the claim is made. */
  protected async candidates(session: SqlSession, count: number): Promise<readonly number[]> {
    const found = await session.query(
      `SELECT m.indexId AS id FROM ${this.name} m WHERE ${this.isFree()} ORDER BY m.indexId LIMIT ${count}`,
    );
    return found.map(({ id }) => integer(id));
  }

  /**
   * The condition on row `m` that nobody has it. A subquery rather than a join: no database comes to the idea of looking at the
   * whole table for it.
   */
  isFree(): string {
    const expiry = `SELECT c.expires_at FROM ${this.#claims} c WHERE c.index_id = m.indexId`;
    return `COALESCE((${expiry}), 0) <= ${this.dialect.now}`;
  }

  /** What {@link claimedMessage} reads. */
  protected readColumns(): string {
    return 'm.msg_id AS msg_id, m.message AS message';
  }

  protected claimedMessage(row: SqlRow): ClaimedMessage {
    const { message, msg_id: msgId } = row;
    return {
      lease: { indexId: integer(row.id), deliveries: integer(row.deliveries) },
      msgId: typeof msgId === 'string' ? msgId : '',
      // Tables that were made with a text column give text.
      bytes: message instanceof Uint8Array ? message : Buffer.from(String(message ?? ''), 'utf8'),
    };
  }

  #claimStatement(count: number): string {
    const { now } = this.dialect;
    return this.dialect.insertOrUpdate({
      table: this.#claims,
      columns: ['index_id', 'owner', 'expires_at', 'deliveries'],
      rows: Array.from({ length: count }, () => `(?, ?, ${now} + ${LEASE_MS}, 1)`),
      condition: `old.expires_at <= ${now}`,
      changes: [
        ['owner', 'new.owner'],
        ['deliveries', 'old.deliveries + 1'],
        ['expires_at', 'new.expires_at'],
      ],
    });
  }

  /** Claims on messages that were settled in the same moment. */
  async #forget(session: SqlSession, ids: readonly number[], claimed: readonly ClaimedMessage[]): Promise<void> {
    const there = new Set(claimed.map(({ lease }) => lease.indexId));
    const gone = ids.filter((id) => !there.has(id));
    await session.query(`DELETE FROM ${this.#claims} WHERE index_id IN (${placeholders(gone.length)}) AND owner = ?`, [
      ...gone,
      this.#owner,
    ]);
  }

  /**
   * Deletes messages with their claims. Returns the leases that others have taken over; their messages stay. A message that is
   * gone already counts as settled.
   */
  async settle(session: SqlSession, leases: readonly Lease[]): Promise<readonly Lease[]> {
    const overtaken = await this.#overtaken(session, leases);
    const ours = leases.filter((lease) => !overtaken.includes(lease));
    if (ours.length > 0) await this.#delete(session, ours);
    return overtaken;
  }

  /** Deletes one message with its claim, if it is there and nobody has taken it over. */
  async take(session: SqlSession, lease: Lease): Promise<'taken' | 'overtaken' | 'gone'> {
    const overtaken = await this.#overtaken(session, [lease]);
    if (overtaken.length > 0) return 'overtaken';
    const sql = `SELECT indexId AS id FROM ${this.name} WHERE indexId = ?${this.dialect.forUpdate}`;
    const found = await session.query(sql, [lease.indexId]);
    await this.#delete(session, [lease]);
    return found.length > 0 ? 'taken' : 'gone';
  }

  /** Called in the transaction in which messages are deleted. */
  protected async onSettled(_session: SqlSession, _leases: readonly Lease[]): Promise<void> {}

  async #delete(session: SqlSession, leases: readonly Lease[]): Promise<void> {
    await this.onSettled(session, leases);
    const ids = leases.map(({ indexId }) => indexId);
    const places = placeholders(ids.length);
    await session.query(`DELETE FROM ${this.name} WHERE indexId IN (${places})`, ids);
    await session.query(`DELETE FROM ${this.#claims} WHERE index_id IN (${places})`, ids);
  }

  async #overtaken(session: SqlSession, leases: readonly Lease[]): Promise<readonly Lease[]> {
    const held = await session.query(
      `SELECT index_id AS id, owner, deliveries FROM ${this.#claims} ` +
        `WHERE index_id IN (${placeholders(leases.length)}) ORDER BY index_id${this.dialect.forUpdate}`,
      leases.map(({ indexId }) => indexId),
    );
    const holders = new Map(held.map((row) => [integer(row.id), row]));
    return leases.filter((lease) => {
      const holder = holders.get(lease.indexId);
      return holder !== undefined && !this.#isOurs(holder, lease);
    });
  }

  #isOurs(claim: SqlRow, lease: Lease): boolean {
    return claim.owner === this.#owner && integer(claim.deliveries) === lease.deliveries;
  }

  /** Makes claims hold for another {@link LEASE_MS}. Returns the leases that others have taken over meanwhile. */
  async renew(session: SqlSession, leases: readonly Lease[]): Promise<readonly Lease[]> {
    if (leases.length === 0) return [];
    const { now } = this.dialect;
    await session.query(
      `UPDATE ${this.#claims} SET expires_at = ${now} + ${LEASE_MS} ` +
        `WHERE owner = ? AND index_id IN (${placeholders(leases.length)})`,
      [this.#owner, ...leases.map(({ indexId }) => indexId)],
    );
    const held = await session.query(
      `SELECT index_id AS id, owner, deliveries FROM ${this.#claims} WHERE index_id IN (${placeholders(leases.length)})`,
      leases.map(({ indexId }) => indexId),
    );
    const holders = new Map(held.map((row) => [integer(row.id), row]));
    return leases
      .filter(({ indexId }) => holders.has(indexId))
      .filter((lease) => {
        return !this.#isOurs(holders.get(lease.indexId) as SqlRow, lease);
      });
  }

  /** Makes claims that the database has forgotten in a crash, unless others have made theirs. */
  async restore(session: SqlSession, leases: readonly Lease[]): Promise<void> {
    if (leases.length === 0) return;
    const { now } = this.dialect;
    const statement = this.dialect.insertOrUpdate({
      table: this.#claims,
      columns: ['index_id', 'owner', 'expires_at', 'deliveries'],
      rows: leases.map(() => `(?, ?, ${now} + ${LEASE_MS}, ?)`),
      condition: 'old.owner = new.owner',
      changes: [['expires_at', 'new.expires_at']],
    });
    await session.query(
      statement,
      leases.flatMap(({ indexId, deliveries }) => [indexId, this.#owner, deliveries]),
    );
  }

  /** Frees messages. With `unseen` they count as never delivered: nobody has looked at them. */
  async release(session: SqlSession, leases: readonly Lease[], unseen: boolean): Promise<void> {
    const count = unseen ? ', deliveries = deliveries - 1' : '';
    await session.query(
      `UPDATE ${this.#claims} SET expires_at = 0, owner = ''${count} ` +
        `WHERE owner = ? AND index_id IN (${placeholders(leases.length)})`,
      [this.#owner, ...leases.map(({ indexId }) => indexId)],
    );
  }

  /** Frees what this store claims without knowing of it (an answer was lost), and what dead stores of this node had claimed. */
  async releaseForgotten(session: SqlSession, held: readonly Lease[]): Promise<void> {
    const but = held.length === 0 ? '' : ` AND index_id NOT IN (${placeholders(held.length)})`;
    const ids = held.map(({ indexId }) => indexId);
    await session.query(`UPDATE ${this.#claims} SET expires_at = 0, owner = '' WHERE owner = ?${but}`, [
      this.#owner,
      ...ids,
    ]);
    const owners = await session.query(`SELECT DISTINCT owner FROM ${this.#claims}`);
    const dead = owners.map(({ owner }) => String(owner)).filter((owner) => isDeadOwner(owner, this.#owner));
    if (dead.length === 0) return;
    await session.query(
      `UPDATE ${this.#claims} SET expires_at = 0, owner = '' WHERE owner IN (${placeholders(dead.length)})`,
      dead,
    );
  }

  /** Frees what a process claims that has given no sign of life for the time of a lease; what it settles later changes nothing. */
  async releaseOwner(session: SqlSession, owner: string): Promise<void> {
    await session.query(`UPDATE ${this.#claims} SET expires_at = 0, owner = '' WHERE owner = ?`, [owner]);
  }

  /** Deletes claims on messages that are gone. */
  async sweep(session: SqlSession): Promise<void> {
    await session.query(
      `DELETE FROM ${this.#claims} WHERE expires_at <= ${this.dialect.now} - ${ORPHANED_AFTER_MS} ` +
        `AND NOT EXISTS (SELECT 1 FROM ${this.name} m WHERE m.indexId = ${this.#claims}.index_id)`,
    );
  }

  async count(session: SqlSession): Promise<number> {
    const [row] = await session.query(`SELECT COUNT(*) AS messages FROM ${this.name}`);
    return integer(row?.messages);
  }
}
