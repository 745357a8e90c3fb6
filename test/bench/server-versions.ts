import { execFileSync } from 'node:child_process';
import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect } from 'amqplib';
import pg from 'pg';
import { findActiveMq } from '../../samples/activemq/installation.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';

/** Which ActiveMQ, on which Java: what figures were measured on. */
export function activemqVersions(): Readonly<Record<'ActiveMQ' | 'Java', string>> {
  const { home, java } = findActiveMq();
  // Debian's folder has links without a version to where the jar stands, with one, beside others.
  const lib = join(home, 'lib');
  const jars = readdirSync(lib).filter((name) => /^activemq-broker(?:-\d.*)?\.jar$/.test(name));
  const folders = [lib, ...jars.map((name) => dirname(realpathSync(join(lib, name))))];
  const versions = folders.flatMap((folder) =>
    readdirSync(folder).map((name) => /^activemq-broker-(\d.*)\.jar$/.exec(name)?.[1]),
  );
  const said = execFileSync(java, ['--version'], { encoding: 'utf8', timeout: 30_000 });
  return {
    ActiveMQ: versions.find((version) => version !== undefined) ?? '?',
    Java: / (\d[\w.]*)/.exec(said)?.[1] ?? '?',
  };
}

export async function postgresqlVersion({ host, port, user, password, database }: DatabaseServer): Promise<string> {
  const client = new pg.Client({ host, port, user, password, database, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query('SHOW server_version');
    return String(rows[0]?.server_version).split(' ')[0] ?? '?';
  } finally {
    await client.end();
  }
}

export async function rabbitmqVersion(port: number): Promise<string> {
  const connection = await connect(`amqp://guest:guest@127.0.0.1:${port}`, { timeout: 10_000 });
  try {
    const { serverProperties } = connection.connection;
    return String((serverProperties as { version?: unknown }).version ?? '?');
  } finally {
    await connection.close();
  }
}
