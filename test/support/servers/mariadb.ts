import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
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

interface MariaDbInstallation {
  readonly server: string;
  /** The folder with the SQL that makes its system tables. */
  readonly share: string;
}

/** In the order in which mariadb-install-db, which needs more packages, runs them. */
const SYSTEM_TABLES = ['mysql_system_tables.sql', 'mysql_performance_tables.sql', 'mysql_system_tables_data.sql'];
const SHARES = ['/usr/share/mysql', '/usr/share/mariadb', '/usr/local/share/mysql', '/opt/homebrew/share/mysql'];

/** MariaDB as it comes: commits are flushed. The package without a service, so that none is started. */
export const mariadb: ServerKind<MariaDbInstallation, DatabaseOptions, DatabaseServer> = {
  name: 'MariaDB',
  debianPackage: 'mariadb-server-core',
  find() {
    const server = findOnPath('mariadbd') ?? (existsSync('/usr/sbin/mariadbd') ? '/usr/sbin/mariadbd' : undefined);
    const share = SHARES.find((folder) => SYSTEM_TABLES.every((file) => existsSync(join(folder, file))));
    if (server !== undefined && share !== undefined) return { server, share };
    throw new Error('no MariaDB server is installed: apt-get install mariadb-server-core, or put mariadbd on PATH');
  },
  start: ({ server, share }, options) =>
    startDatabase(
      {
        name: 'MariaDB',
        driverClass: 'org.mariadb.jdbc.Driver',
        jdbcUrl: (port) => `jdbc:mariadb://${HOST}:${port}/${DATABASE}`,
        initialize: (folder) => initialize(server, share, folder),
        program: (folder, port, tls) => unprivileged(server, serverArguments(folder, port, tls)),
        answers: (port) => answers(port).catch(() => createDatabase(port)),
      },
      options,
    ),
};

async function initialize(server: string, share: string, folder: string): Promise<void> {
  await mkdir(dataOf(folder));
  giveToServer(dataOf(folder));
  const texts = await Promise.all(SYSTEM_TABLES.map((file) => readFile(join(share, file), 'utf8')));
  // As mariadb-install-db does: the name of this machine has no part in it.
  const statements = texts.join('\n').replaceAll(/^.*@current_hostname.*$/gm, '');
  const sql = `CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n${statements}`;
  await run(server, ['--no-defaults', '--bootstrap', `--datadir=${dataOf(folder)}`, `--tmpdir=${folder}`], sql);
}

function dataOf(folder: string): string {
  return join(folder, 'data');
}

function serverArguments(folder: string, port: number, tls: TlsFiles | undefined): string[] {
  const settings = {
    datadir: dataOf(folder),
    tmpdir: folder,
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'pid'),
    'bind-address': HOST,
    port,
    'innodb-buffer-pool-size': '32M',
    'innodb-log-file-size': '16M',
    'max-connections': 60,
    ...(tls && { 'ssl-key': tls.key, 'ssl-cert': tls.certificate }),
  };
  const options = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  return ['--no-defaults', '--skip-name-resolve', '--skip-log-bin', ...options];
}

async function answers(port: number): Promise<boolean> {
  const connection = await createConnection({ host: HOST, port, user: USER, password: PASSWORD, database: DATABASE });
  await connection.end();
  return true;
}

/** The first time there is no database of ours yet; false while there is not even a server. */
async function createDatabase(port: number): Promise<boolean> {
  try {
    const root = await createConnection({ host: HOST, port, user: 'root', connectTimeout: 2_000 });
    await root.query(`CREATE DATABASE IF NOT EXISTS ${DATABASE} CHARACTER SET utf8mb4`);
    await root.query(`CREATE USER IF NOT EXISTS '${USER}'@'%' IDENTIFIED BY '${PASSWORD}'`);
    await root.query(`GRANT ALL ON *.* TO '${USER}'@'%' WITH GRANT OPTION`);
    await root.end();
    return true;
  } catch {
    return false;
  }
}
