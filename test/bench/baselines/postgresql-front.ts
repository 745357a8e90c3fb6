import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { option } from './program.ts';
import { batched, storeWhatComes } from './storing-front.ts';

/*
 * HTTP to PostgreSQL with the bare driver: what comes while one INSERT is under way is the next one.
 *
 *   node postgresql-front.ts --url postgresql://USER:PASSWORD@HOST:PORT/DATABASE --table NAME
 */

const client = new pg.Client({ connectionString: option('url') });
await client.connect();
const table = option('table');
await client.query(
  `CREATE TABLE ${table} (indexId BIGSERIAL PRIMARY KEY, msg_id VARCHAR(200) NOT NULL, message BYTEA NOT NULL)`,
);
const insert = {
  name: 'insert',
  text: `INSERT INTO ${table} (msg_id, message) SELECT * FROM unnest($1::text[], $2::bytea[])`,
};
storeWhatComes(
  batched(async (bodies) => {
    await client.query({ ...insert, values: [bodies.map(() => randomUUID()), bodies] });
  }),
);
