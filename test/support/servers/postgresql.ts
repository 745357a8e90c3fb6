import { existsSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import {
  DATABASE,
  type DatabaseOptions,
  type DatabaseServer,
  HOST,
  PASSWORD,
  startDatabase,
  type TlsFiles,
  USER,
} from './database-server.ts';
import type { ServerKind } from './kind.ts';
import { findOnPath } from './process.ts';
import { giveToServer, run, unprivileged } from './unprivileged.ts';

/** The folder that has `initdb` and `postgres`. */
interface PostgresqlInstallation {
  readonly bin: string;
}

/** Where Debian has its versions, and the tools' folders of others. */
const DEBIAN = '/usr/lib/postgresql';

/** PostgreSQL as it comes: commits are flushed. */
export const postgresql: ServerKind<PostgresqlInstallation, DatabaseOptions, DatabaseServer> = {
  name: 'PostgreSQL',
  debianPackage: 'postgresql',
  find() {
    const bin = folders().find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
    if (bin !== undefined) return { bin };
    throw new Error('no PostgreSQL server is installed: apt-get install postgresql, or put its initdb on PATH');
  },
  start: ({ bin }, options) =>
    startDatabase(
      {
        name: 'PostgreSQL',
        driverClass: 'org.postgresql.Driver',
        jdbcUrl: (port) => `jdbc:postgresql://${HOST}:${port}/${DATABASE}`,
        initialize: (folder) => initialize(bin, folder),
        // As `pg_ctl stop` does. SIGTERM would let clients go on for as long as they like.
        stopSignal: 'SIGINT',
        program: (folder, port, tls) => unprivileged(join(bin, 'postgres'), serverArguments(folder, port, tls)),
        answers: (port) => answers(port, DATABASE).catch(() => createDatabase(port)),
      },
      options,
    ),
};

function folders(): string[] {
  const onPath = findOnPath('initdb');
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return [
    ...(onPath === undefined ? [] : [join(onPath, '..')]),
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
  ];
}

async function initialize(bin: string, folder: string): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, PASSWORD, { mode: 0o600 });
  giveToServer(passwordFile);
  const user = [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  await run(join(bin, 'initdb'), [`--pgdata=${dataOf(folder)}`, ...user, '--encoding=UTF8', '--locale=C', '--no-sync']);
  await rm(passwordFile);
}

function dataOf(folder: string): string {
  return join(folder, 'data');
}

/** Small, on loopback only, without a socket in the file system. */
function serverArguments(folder: string, port: number, tls: TlsFiles | undefined): string[] {
  const settings = {
    listen_addresses: HOST,
    port,
    unix_socket_directories: '',
    max_connections: 60,
    shared_buffers: '16MB',
    // A server that was killed comes back sooner.
    checkpoint_timeout: '30s',
    ...(tls && { ssl: 'on', ssl_key_file: tls.key, ssl_cert_file: tls.certificate }),
  };
  return ['-D', dataOf(folder), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

async function answers(port: number, database: string): Promise<boolean> {
  await withClient(port, database, (client) => client.query('SELECT 1'));
  return true;
}

/** The first time there is no database of ours yet; false while there is not even a server. */
async function createDatabase(port: number): Promise<boolean> {
  try {
    await withClient(port, 'postgres', (client) => client.query(`CREATE DATABASE ${DATABASE}`));
    return true;
  } catch {
    return false;
  }
}

async function withClient(
  port: number,
  database: string,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({
    host: HOST,
    port,
    database,
    user: USER,
    password: PASSWORD,
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end();
  }
}
