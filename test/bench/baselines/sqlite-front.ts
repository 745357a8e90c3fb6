import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { option } from './program.ts';
import { batched, storeWhatComes } from './storing-front.ts';

/*
 * HTTP to SQLite with the bare driver: what has come together is one transaction, written through to the disk.
 *
 *   node sqlite-front.ts --file FILE
 */

const database = new DatabaseSync(option('file'));
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
database.exec(
  'CREATE TABLE messages (indexId INTEGER PRIMARY KEY AUTOINCREMENT, msg_id TEXT NOT NULL, message BLOB NOT NULL)',
);
const insert = database.prepare('INSERT INTO messages (msg_id, message) VALUES (?, ?)');
storeWhatComes(
  batched((bodies) => {
    database.exec('BEGIN IMMEDIATE');
    for (const body of bodies) insert.run(randomUUID(), body);
    database.exec('COMMIT');
  }),
);
