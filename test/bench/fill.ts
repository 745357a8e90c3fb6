import pg from 'pg';
import { storedMessageBytes } from '../../src/stores/sql/stored-message-bytes.ts';
import { newStoredId } from '../../src/stores/stored-id.ts';
import { storedOrder } from './messages.ts';
import { atOnce } from './percentiles.ts';
import { type Medium, openStore } from './store-kinds.ts';

/** Puts at a time. */
const CONCURRENCY = 256;
const ROWS_AT_ONCE = 50_000;

/**
 * Fills a store that the runtime has made: a table of PostgreSQL by copies of one message in the database itself, each with ids of
 * its own; every other medium through the store's own put. Says which.
 */
export async function fill(
  medium: Medium,
  count: number,
  options: { dataDirectory: string; onProgress: (filled: number) => void },
): Promise<string> {
  if (medium.database && /postgresql/.test(medium.database.jdbcUrl)) {
    await fillTable(medium, count, options.onProgress);
    return 'by copies in the database, in the format of the store';
  }
  const store = openStore(medium.artifact, options.dataDirectory);
  let filled = 0;
  await atOnce(count, CONCURRENCY, async (number) => {
    await store.put(storedOrder(number));
    filled += 1;
    options.onProgress(filled);
  });
  await store.close();
  return `through the store's put, ${CONCURRENCY} at a time`;
}

async function fillTable({ database, artifact }: Medium, count: number, onProgress: (filled: number) => void) {
  if (!database) throw new Error('no database');
  const { host, port, user, password } = database;
  const client = new pg.Client({ host, port, user, password, database: database.database });
  await client.connect();
  const template = storedOrder(1);
  const bytes = storedMessageBytes(template);
  const at = idPlaces(bytes, template.id);
  for (let filled = 0; filled < count; filled += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, count - filled);
    const placed = at.reduce(
      (message, place) => `overlay(${message} placing convert_to(id, 'UTF8') from ${place} for ${template.id.length})`,
      '$1::bytea',
    );
    await client.query(
      `INSERT INTO ${artifact.parameters['store.jdbc.table']} (msg_id, message) SELECT id, ${placed} ` +
        'FROM unnest($2::text[]) AS ids (id)',
      [bytes, Array.from({ length: rows }, () => newStoredId(Date.now()))],
    );
    onProgress(filled + rows);
  }
  await client.query(`ANALYZE ${artifact.parameters['store.jdbc.table']}`);
  await client.end();
}

/** Where an id begins in the bytes, counted from 1. */
function idPlaces(bytes: Buffer, id: string): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(id); at >= 0; at = bytes.indexOf(id, at + 1)) places.push(at + 1);
  return places;
}
