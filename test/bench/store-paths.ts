import { parseArgs } from 'node:util';
import { postgresql } from '../support/servers/index.ts';
import { DEFAULT_CONTEST } from './contest/contest.ts';
import type { Row } from './contest/contestant.ts';
import { postgresqlRow, rabbitmqRow, sqliteRow } from './contest/database-rows.ts';
import { drainRows, startCounting } from './contest/drain-rows.ts';
import { HttpClients } from './contest/http-contestants.ts';
import { javaMissing } from './contest/jms-producer.ts';
import { exitCodeOf, type Measured, measureRows } from './contest/rows.ts';
import { activemqRows } from './contest/store-rows.ts';
import { benchFolder, removeFolder } from './folder.ts';
import { packageVersions } from './package-versions.ts';
import { writeResult } from './result.ts';
import { activemqVersions, postgresqlVersion, rabbitmqVersion } from './server-versions.ts';
import { closeServers, startRoomyActiveMq, startRoomyRabbitMq, startServer } from './servers.ts';

/*
 * Storing and draining against bare drivers, on real servers, in alternating rounds. Servers, clients, back end and both contestants are
 * processes of their own. Writes docs/bench/store-paths.json, unless a server is missing.
 *
 *   node test/bench/store-paths.ts [ROW...] [--rounds 5] [--ms 1000] [--backlog 20000]
 *
 * A row's name may be its beginning: `activemq`, `java-64`, `sqlite`, `postgresql`, `rabbitmq`, `drain`. Rows whose server is missing are
 * left out, with a line that says so. Exit code 1 when a goal was not met, or a row was left out or has no figures.
 */

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: `${DEFAULT_CONTEST.rounds}` },
    ms: { type: 'string', default: '1000' },
    backlog: { type: 'string', default: '20000' },
  },
});
/** Other rows of the same programs differ by how many clients there are only. */
const REWARM_MS = 500;
/** What the rows of a server begin with. A server has its own messages only: those that others have left take its memory. */
const GROUPS = {
  activemq: ['activemq', 'java'],
  drain: ['drain'],
  sqlite: ['sqlite'],
  postgresql: ['postgresql'],
  rabbitmq: ['rabbitmq'],
};

const isWanted = (id: string) => positionals.length === 0 || positionals.some((begin) => id.startsWith(begin));
const wants = (group: keyof typeof GROUPS) =>
  positionals.length === 0 ||
  positionals.some((begin) => GROUPS[group].some((row) => begin.startsWith(row) || row.startsWith(begin)));

const clients = new HttpClients();
const folder = benchFolder();
const measured: Measured = { rows: [], failed: [] };
const servers = packageVersions(['stompit', 'pg', 'amqplib']);
let leftOut = false;

function leaveOut(what: string): readonly Row[] {
  process.stdout.write(`${what}\n\n`);
  leftOut = true;
  return [];
}

async function onActiveMq(): Promise<void> {
  const broker = await startRoomyActiveMq();
  if (!broker) return void leaveOut('the rows on ActiveMQ are left out: it is missing');
  Object.assign(servers, activemqVersions());
  const missing = javaMissing();
  if (missing !== undefined) leaveOut(`the rows against Java are left out: ${missing}`);
  const { rows, close } = activemqRows(clients, broker, missing === undefined);
  try {
    await measure(rows);
  } finally {
    await close();
  }
}

async function draining(): Promise<void> {
  const broker = await startRoomyActiveMq();
  if (!broker) return void leaveOut('the rows that drain are left out: ActiveMQ is missing');
  Object.assign(servers, activemqVersions());
  const counting = await startCounting();
  try {
    await measure(drainRows(broker, counting, Number(values.backlog)));
  } finally {
    await counting.close();
  }
}

async function onSqlite(): Promise<void> {
  servers.SQLite = process.versions.sqlite ?? '?';
  await measure([sqliteRow(clients, folder)]);
}

async function onPostgresql(): Promise<void> {
  const server = await startServer(postgresql);
  if (!server) return void leaveOut('the row on PostgreSQL is left out: it is missing');
  servers.PostgreSQL = await postgresqlVersion(server);
  await measure([postgresqlRow(clients, server)]);
}

async function onRabbitMq(): Promise<void> {
  const broker = await startRoomyRabbitMq();
  if (!broker) return void leaveOut('the row on RabbitMQ is left out: it is missing');
  servers.RabbitMQ = await rabbitmqVersion(broker.port);
  await measure([rabbitmqRow(clients, broker)]);
}

function measure(rows: readonly Row[]): Promise<void> {
  const options = {
    ...DEFAULT_CONTEST,
    rewarmMs: REWARM_MS,
    rounds: Number(values.rounds),
    roundMs: Number(values.ms),
  };
  return measureRows(
    rows.filter(({ id }) => isWanted(id)),
    options,
    measured,
  );
}

/** One server at a time: those that idle would still take memory and a little time. One that does not start is no reason to stop. */
async function group(name: keyof typeof GROUPS, work: () => Promise<void>): Promise<void> {
  if (!wants(name)) return;
  process.stderr.write(`  ${name}\n`);
  try {
    await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    measured.failed.push({ id: name, path: `rows of ${name}`, reason });
    process.stdout.write(`rows of ${name}\n  FAILED: ${reason}\n\n`);
  }
  await closeServers();
}

try {
  await group('activemq', onActiveMq);
  await group('drain', draining);
  await group('sqlite', onSqlite);
  await group('postgresql', onPostgresql);
  await group('rabbitmq', onRabbitMq);
  const { rows, failed } = measured;
  if (rows.length + failed.length === 0 && !leftOut) throw new Error(`no row begins with ${positionals.join(', ')}`);
  if (!leftOut) await writeResult('store-paths', { servers, ...measured });
  process.exitCode = leftOut ? 1 : exitCodeOf(measured);
} finally {
  await clients.close();
  await closeServers();
  removeFolder(folder);
}
