import { logger } from '../../logging/index.ts';
import { placeholders } from './dialect.ts';
import type { SqlConnection, SqlRow, SqlSession, SqlValue } from './driver.ts';
import { type ClaimedMessage, type Lease, type MessageRow, MessageTable, type TableOptions } from './message-table.ts';
import { integer, requireTable } from './required-table.ts';

const log = logger('ResequenceMessageStore');

/** Fixed by the reference (spec stores 2.6). */
const LAST_PROCESSED = 'tbl_lastprocessid';
const CREATE_LAST_PROCESSED =
  `CREATE TABLE IF NOT EXISTS ${LAST_PROCESSED} (statement VARCHAR(200) NOT NULL, seq_id BIGINT, ` +
  'PRIMARY KEY (statement))';
/** 64 bit integers as text: not every driver has numbers for them. */
const SEQUENCE = 'CAST(m.seq_id AS CHAR(20)) AS sequence';

/** What becomes of a message whose number has been passed (REQ-50). */
export type LatePolicy = 'deliver' | 'drop' | 'fail';

export interface SequencedTableOptions extends TableOptions {
  /** Under which the last number is kept. */
  readonly storeName: string;
  /** How long to wait for a number that is missing, ms; undefined: for ever. */
  readonly gapTimeoutMs: number | undefined;
  readonly late: LatePolicy;
}

/**
 * The table of the resequence store: messages come out by their numbers, one after the other (spec stores 2.6). The last number that
 * was settled is kept in the database and moves on in the very transaction in which its message is deleted (REQ-10); so whatever
 * happens to a delivery, the same number comes again.
 *
 *     AT last ──last + 1 is there──► delivering it ──settled──► AT last + 1
 *        │  ▲                             └──released, expired, crash──► AT last
 *        │  └── nothing, or a gap that is younger than its timeout: waits
 *        └──nothing came on for the timeout, some n > last + 1 is there──► delivering the smallest n ──settled──► AT n
 *
 * What an operator takes out moves the place only when its number is next at the time of its settlement and no other message has that
 * number any more: whatever was taken and comes back, or is in somebody's hands, is not late because of it.
 *
 * Messages with numbers up to `last` are late. They are dealt with when they are seen, and move nothing. Of several messages with one
 * number the first that is taken has it; the others are late when it is settled, also when they were put at the same time.
 *
 * Who looks for the next one holds the row of the last number until the claim is committed, so that nodes look one after the other:
 * what becomes visible in between (a number that was late, another message with the same one) is not taken beside it. A settlement
 * waits for that row, too. Whoever has the claim of a message first and wants the row then (the settlement of an expired lease) may
 * meet with who has them the other way round: the database ends one of them, and both are tried again.
 */
export class SequencedTable extends MessageTable {
  readonly #options: SequencedTableOptions;
  #last: bigint | undefined;
  /** When the last number was seen to change, on the monotonic clock. */
  #progressAt = performance.now();

  constructor(options: SequencedTableOptions) {
    super(options);
    this.#options = options;
  }

  override async prepare(connection: SqlConnection, create: boolean): Promise<void> {
    await super.prepare(connection, create);
    const probe = `SELECT statement, seq_id FROM ${LAST_PROCESSED} WHERE 1 = 0`;
    await requireTable(connection, { name: LAST_PROCESSED, probe, statements: [CREATE_LAST_PROCESSED], create });
    const start = (await this.#readLast(connection)) + 1n;
    log.info(`Starting sequence id recorded as:${start}`, { store: this.#options.storeName });
  }

  protected override columns(): readonly string[] {
    return [...super.columns(), 'seq_id'];
  }

  protected override valuesOf(row: MessageRow): readonly SqlValue[] {
    return [...super.valuesOf(row), String(row.sequence ?? 0n)];
  }

  protected override creation(): readonly string[] {
    return this.dialect.createSequencedMessages(this.name);
  }

  protected override claimCandidates(connection: SqlConnection, count: number): Promise<readonly number[]> {
    return connection.transaction((session) => super.claimCandidatesWithin(session, count));
  }

  protected override async candidates(session: SqlSession, count: number): Promise<readonly number[]> {
    const last = this.#notice(await this.#holdLast(session));
    const late = await session.query(
      `SELECT m.indexId AS id FROM ${this.name} m WHERE m.seq_id <= ? AND ${this.isFree()} ` +
        `ORDER BY m.seq_id, m.indexId LIMIT ${count}`,
      [String(last)],
    );
    if (late.length > 0) return late.map(({ id }) => integer(id));
    const [next] = await session.query(
      `SELECT m.indexId AS id, ${SEQUENCE}, CASE WHEN ${this.isFree()} THEN 1 ELSE 0 END AS free ` +
        `FROM ${this.name} m WHERE m.seq_id = (SELECT MIN(s.seq_id) FROM ${this.name} s WHERE s.seq_id > ?) ` +
        'ORDER BY free, m.indexId LIMIT 1',
      [String(last)],
    );
    // As long as somebody works on the next one nothing comes after it, and no other message of that number beside it: one that was put
    // at the same time may have come with a smaller index, after the other one was taken.
    if (!next || integer(next.free) === 0) return [];
    return sequenceOf(next) === last + 1n || this.#gapIsOver() ? [integer(next.id)] : [];
  }

  /** Whether they move the place is seen when they are settled: which of them are, and which come back, nobody knows yet. */
  override async takeRows(session: SqlSession, ids: readonly number[]): Promise<readonly ClaimedMessage[]> {
    const taken = await super.takeRows(session, ids);
    return taken.map(({ unwanted: _late, ...message }) => ({
      ...message,
      lease: { ...message.lease, outOfTurn: true as const },
    }));
  }

  protected override readColumns(): string {
    return `${super.readColumns()}, ${SEQUENCE}`;
  }

  protected override claimedMessage(row: SqlRow): ClaimedMessage {
    const message = super.claimedMessage(row);
    const sequence = sequenceOf(row);
    const claimed = { ...message, sequence, lease: { ...message.lease, sequence } };
    const { late } = this.#options;
    if (late === 'deliver' || this.#last === undefined || sequence > this.#last) return claimed;
    const reason = `its sequence number ${sequence} is late: ${this.#last} has been delivered already`;
    return { ...claimed, unwanted: { action: late, reason } };
  }

  protected override async onSettled(session: SqlSession, leases: readonly Lease[]): Promise<void> {
    const inTurn = leases.filter(({ outOfTurn }) => !outOfTurn);
    const sequences = inTurn.flatMap(({ sequence }) => (sequence === undefined ? [] : [sequence]));
    const highest = sequences.reduce<bigint | undefined>((a, b) => (a !== undefined && a > b ? a : b), undefined);
    const place = inTurn.length === leases.length ? highest : await this.#placeAfter(session, leases, highest);
    if (place === undefined) return;
    const statement = this.dialect.insertOrUpdate({
      table: LAST_PROCESSED,
      columns: ['statement', 'seq_id'],
      rows: ['(?, ?)'],
      condition: 'COALESCE(old.seq_id, 0) < new.seq_id',
      changes: [['seq_id', 'new.seq_id']],
    });
    await session.query(statement, [this.#options.storeName, String(place)]);
  }

  /** How far it comes when these messages go, `highest` of which is the last one in turn: over the numbers that nobody has any more. */
  async #placeAfter(session: SqlSession, leases: readonly Lease[], highest: bigint | undefined): Promise<bigint> {
    // Held: of two transactions with messages of one number the later one must see that the other one's are gone.
    const last = await this.#holdLast(session);
    const taken = new Set(
      leases.flatMap(({ outOfTurn, sequence }) => (outOfTurn && sequence !== undefined ? [sequence] : [])),
    );
    let place = highest !== undefined && highest > last ? highest : last;
    while (taken.has(place + 1n) && !(await this.#hasOthers(session, place + 1n, leases))) place += 1n;
    return place;
  }

  /** Whether there are messages with this number but for those of these leases. */
  async #hasOthers(session: SqlSession, sequence: bigint, leases: readonly Lease[]): Promise<boolean> {
    const others = await session.query(
      `SELECT m.indexId AS id FROM ${this.name} m ` +
        `WHERE m.seq_id = ? AND m.indexId NOT IN (${placeholders(leases.length)}) LIMIT 1`,
      [String(sequence), ...leases.map(({ indexId }) => indexId)],
    );
    return others.length > 0;
  }

  #gapIsOver(): boolean {
    const { gapTimeoutMs } = this.#options;
    return gapTimeoutMs !== undefined && performance.now() - this.#progressAt >= gapTimeoutMs;
  }

  /** Reads the last number that was settled, and keeps others from looking or settling until the transaction ends. */
  async #holdLast(session: SqlSession): Promise<bigint> {
    const held = await this.#selectLast(session, this.dialect.forUpdate);
    if (held) return sequenceOf(held);
    // What is not there cannot be held. Without effect when somebody else makes it in the same moment.
    const statement = this.dialect.insertOrUpdate({
      table: LAST_PROCESSED,
      columns: ['statement', 'seq_id'],
      rows: ['(?, 0)'],
      condition: '1 = 0',
      changes: [['seq_id', 'old.seq_id']],
    });
    await session.query(statement, [this.#options.storeName]);
    const made = await this.#selectLast(session, this.dialect.forUpdate);
    return made ? sequenceOf(made) : 0n;
  }

  async #readLast(session: SqlSession): Promise<bigint> {
    const row = await this.#selectLast(session, '');
    return this.#notice(row ? sequenceOf(row) : 0n);
  }

  async #selectLast(session: SqlSession, lock: string): Promise<SqlRow | undefined> {
    const [row] = await session.query(
      `SELECT CAST(COALESCE(m.seq_id, 0) AS CHAR(20)) AS sequence FROM ${LAST_PROCESSED} m WHERE m.statement = ?${lock}`,
      [this.#options.storeName],
    );
    return row;
  }

  /** Takes note of the last number that was settled, and returns it. */
  #notice(last: bigint): bigint {
    if (last !== this.#last) {
      this.#last = last;
      this.#progressAt = performance.now();
    }
    return last;
  }
}

function sequenceOf({ sequence }: SqlRow): bigint {
  return BigInt(String(sequence).trim());
}
