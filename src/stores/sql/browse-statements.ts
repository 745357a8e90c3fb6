import { placeholders } from './dialect.ts';
import type { SqlRow, SqlSession, SqlValue } from './driver.ts';
import type { MessageTable } from './message-table.ts';
import { integer } from './required-table.ts';
import { SequencedTable } from './sequenced-table.ts';

/** Where a row stands in the order of its table. */
export interface RowPlace {
  readonly indexId: number;
  /** Of a sequenced table. */
  readonly sequence: string;
}

/** A row that was looked at. */
export interface SeenRow extends RowPlace {
  readonly msgId: string;
  /** The beginning of the message, or all of it. */
  readonly bytes: Buffer;
  /** Of the whole message. */
  readonly length: number;
  readonly held: boolean;
}

/** The most ids in one statement. */
const IDS_PER_STATEMENT = 100;
const LONGEST_MSG_ID = 200;

/** What is asked to look at the messages of a table, for all databases; see message-table.ts for the tables. */
export class BrowseStatements {
  readonly #table: MessageTable;
  readonly #sequenced: boolean;

  constructor(table: MessageTable) {
    this.#table = table;
    this.#sequenced = table instanceof SequencedTable;
  }

  /** Up to `count` rows behind a place, in their order, with so many bytes of their messages. */
  async after(session: SqlSession, place: RowPlace | undefined, count: number, bytes: number): Promise<SeenRow[]> {
    const rows = await session.query(
      `SELECT ${this.#columns(bytes)} FROM ${this.#table.name} m ${this.#behind(place)} ORDER BY ${this.#order} LIMIT ${count}`,
      this.#placeValues(place),
    );
    return rows.map(seenRow);
  }

  /** Those of these rows that are there, with their whole messages. */
  async rows(session: SqlSession, indexIds: readonly number[]): Promise<SeenRow[]> {
    if (indexIds.length === 0) return [];
    const rows = await session.query(
      `SELECT ${this.#columns(undefined)} FROM ${this.#table.name} m WHERE m.indexId IN (${placeholders(indexIds.length)})`,
      indexIds,
    );
    return rows.map(seenRow);
  }

  /** The rows whose messages have these ids, in their order, and whether they are in somebody's hands. */
  async find(
    session: SqlSession,
    ids: readonly string[],
  ): Promise<Array<{ readonly indexId: number; readonly msgId: string; readonly held: boolean }>> {
    const found: SqlRow[] = [];
    for (let at = 0; at < ids.length; at += IDS_PER_STATEMENT) {
      const some = ids.slice(at, at + IDS_PER_STATEMENT).map((id) => id.slice(0, LONGEST_MSG_ID));
      const rows = await session.query(
        `SELECT m.indexId AS id, m.msg_id AS msg_id, ${this.#held} FROM ${this.#table.name} m ` +
          `WHERE m.msg_id IN (${placeholders(some.length)}) ORDER BY ${this.#order}`,
        some,
      );
      found.push(...rows);
    }
    return found.map((row) => ({ indexId: integer(row.id), msgId: String(row.msg_id), held: integer(row.held) === 1 }));
  }

  get #order(): string {
    return this.#sequenced ? 'm.seq_id, m.indexId' : 'm.indexId';
  }

  get #held(): string {
    return `CASE WHEN ${this.#table.isFree()} THEN 0 ELSE 1 END AS held`;
  }

  #columns(bytes: number | undefined): string {
    const sequence = this.#sequenced ? 'CAST(m.seq_id AS CHAR(20)) AS sequence, ' : '';
    const message = bytes === undefined ? 'm.message' : `SUBSTR(m.message, 1, ${bytes})`;
    return `m.indexId AS id, m.msg_id AS msg_id, ${sequence}${this.#held}, LENGTH(m.message) AS size, ${message} AS message`;
  }

  #behind(place: RowPlace | undefined): string {
    if (!place) return '';
    return this.#sequenced ? 'WHERE (m.seq_id > ? OR (m.seq_id = ? AND m.indexId > ?))' : 'WHERE m.indexId > ?';
  }

  #placeValues(place: RowPlace | undefined): SqlValue[] {
    if (!place) return [];
    return this.#sequenced ? [place.sequence, place.sequence, place.indexId] : [place.indexId];
  }
}

function seenRow(row: SqlRow): SeenRow {
  const { message, msg_id: msgId, sequence } = row;
  return {
    indexId: integer(row.id),
    sequence: sequence === undefined ? '' : String(sequence).trim(),
    msgId: typeof msgId === 'string' ? msgId : '',
    // Tables that were made with a text column give text.
    bytes: message instanceof Uint8Array ? asBuffer(message) : Buffer.from(String(message ?? ''), 'utf8'),
    length: integer(row.size ?? 0),
    held: integer(row.held) === 1,
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
