import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ConnectParameters, connectingFor } from '../../stores/sql/connect-parameters.ts';
import {
  type SqlConnection,
  type SqlDriver,
  SqlRefusedError,
  STATEMENT_TIMEOUT_MS,
  within,
} from '../../stores/sql/driver.ts';
import type { MessageStoreDefinition } from '../../synapse/message-store.ts';
import { bytes, duration } from '../show/quantities.ts';
import { type Finding, ok, warning } from './finding.ts';
import { firstMade, removeEmpty } from './machine.ts';
import { attemptsOf, deadLetterTargets, type StoreSurroundings } from './surroundings.ts';

/** More than this between our clock and a database's is worth a word. */
const MUCH_SKEW_MS = 2_000;
/** Columns of that size are the small ones of MySQL, BLOB and TEXT. */
const SMALL_COLUMN_BYTES = 65_535;
/** The largest value of a column, where the database does not tell it. */
const LARGEST_VALUE_BYTES = { PostgreSQL: 1_073_741_823, SQLite: 1_000_000_000 } as const;

interface Looked {
  readonly name: string;
  readonly table: string;
  readonly driver: SqlDriver;
  readonly connection: SqlConnection;
}

/** PostgreSQL, MySQL, MariaDB, SQLite. @throws SqlConnectError, and what the database says */
export async function checkDatabase(
  { name, parameters }: MessageStoreDefinition,
  surroundings: StoreSurroundings,
): Promise<readonly Finding[]> {
  const values = parameters as unknown as ConnectParameters;
  const { driver } = connectingFor(name, values, surroundings.services);
  const removeMade = await remover(driver);
  const connection = await connected(driver, surroundings.deadlineMs);
  try {
    const looked = { name, table: values['store.jdbc.table'], driver, connection };
    const isThere = await hasTable(looked);
    const subject = `store ${name}`;
    const isFile = driver.dialect.name === 'SQLite';
    return [
      reachability(looked, isThere),
      ok(subject, isFile ? 'none needed: a file' : `${driver.where} takes the user`, 'credentials'),
      ok(
        subject,
        isFile ? 'none needed' : `a statement without an answer is given up after ${duration(STATEMENT_TIMEOUT_MS)}`,
        'heart-beat',
      ),
      ok(subject, 'one message for each worker, taken for a time that is prolonged', 'prefetch'),
      ...persistence(looked),
      await sizeLimits(looked, isThere, surroundings.maxBodyBytes),
      ...deadLetterTargets(name, surroundings),
      ok(subject, `none: ${attemptsOf(name, surroundings)}`, 'delivery limit'),
      await clockSkew(looked),
    ];
  } finally {
    await connection.close();
    await removeMade();
  }
}

/** A database in a file is made by opening it: how to take away what was not there. */
async function remover({ where }: SqlDriver): Promise<() => Promise<void>> {
  const [, file] = /^sqlite:(\/.+)$/.exec(where) ?? [];
  const made = file === undefined ? undefined : await firstMade(file);
  return async () => {
    if (file === undefined || made === undefined) return;
    for (const ending of ['', '-wal', '-shm']) await rm(`${file}${ending}`, { force: true });
    if (made !== file) await removeEmpty(dirname(file), made);
  };
}

async function connected(driver: SqlDriver, deadlineMs: number): Promise<SqlConnection> {
  const connecting = driver.connect('messages');
  const tooLate = () => new Error(`${driver.where} has not answered within ${duration(deadlineMs)}`);
  return await within(connecting, deadlineMs, tooLate).catch((error: unknown) => {
    // It may still come about; then nobody wants it any more.
    void connecting.then(
      (late) => late.close(),
      () => {},
    );
    throw error;
  });
}

async function hasTable({ connection, table }: Looked): Promise<boolean> {
  return await connection.query(`SELECT 1 FROM ${table} WHERE 1 = 0`).then(
    () => true,
    (error: unknown) => {
      if (error instanceof SqlRefusedError && error.refusal === 'no such table') return false;
      throw error;
    },
  );
}

function reachability({ name, connection, driver, table }: Looked, isThere: boolean): Finding {
  const text = `${connection.server} at ${driver.where}; table ${table}`;
  return isThere
    ? ok(`store ${name}`, text, 'reachability')
    : warning(`store ${name}`, `${text} is not there; x.create.table makes it`, 'reachability');
}

function persistence({ name, connection }: Looked): readonly Finding[] {
  const subject = `store ${name}`;
  const committed = 'messages count as stored when they are committed';
  const { cautions } = connection;
  if (cautions.length === 0) return [ok(subject, committed, 'persistence')];
  return cautions.map((caution) => warning(subject, `${committed}; ${caution}`, 'persistence'));
}

async function sizeLimits({ name, table, driver, connection }: Looked, isThere: boolean, maxBodyBytes: number) {
  const subject = `store ${name}`;
  const requests = `requests have at most ${bytes(maxBodyBytes)}`;
  const { columnLimit, enlarge, name: kind } = driver.dialect;
  const limits: number[] = [];
  if (kind === 'PostgreSQL' || kind === 'SQLite') limits.push(LARGEST_VALUE_BYTES[kind]);
  else limits.push(Number((await connection.query('SELECT @@max_allowed_packet AS most'))[0]?.most));
  if (columnLimit && isThere) {
    const { sql, values } = columnLimit(table);
    const [row] = await connection.query(sql, values);
    const column = Number(row?.bytes);
    if (column <= SMALL_COLUMN_BYTES)
      return warning(
        subject,
        `${requests}; the column message holds ${bytes(column)}: ${enlarge(table)}`,
        'size limits',
      );
    if (Number.isFinite(column)) limits.push(column);
  }
  const most = Math.min(...limits);
  const text = `${requests}; ${kind} takes ${bytes(most)}`;
  return maxBodyBytes > most ? warning(subject, text, 'size limits') : ok(subject, text, 'size limits');
}

async function clockSkew({ name, driver, connection }: Looked): Promise<Finding> {
  const subject = `store ${name}`;
  const begun = Date.now();
  const [row] = await connection.query(`SELECT ${driver.dialect.now} AS now_ms`);
  const skew = Math.abs(Number(row?.now_ms) - (begun + Date.now()) / 2);
  const text = `clocks differ by ${duration(skew)}`;
  return skew > MUCH_SKEW_MS
    ? warning(subject, `${text}: ages and rates will be wrong by that`, 'clock skew')
    : ok(subject, text, 'clock skew');
}
