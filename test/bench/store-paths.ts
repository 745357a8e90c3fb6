import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { activemq, postgresql, rabbitmq } from '../support/servers/index.ts';
import { contest, DEFAULT_CONTEST, type RowFigures, WARM_AFTER } from './contest/contest.ts';
import type { Row } from './contest/contestant.ts';
import { postgresqlRow, rabbitmqRow, sqliteRow } from './contest/database-rows.ts';
import { type Counting, drainRows, startCounting } from './contest/drain-rows.ts';
import { HttpClients } from './contest/http-contestants.ts';
import { javaMissing } from './contest/jms-producer.ts';
import { activemqRows, javaRows } from './contest/store-rows.ts';
import { rowText } from './contest/table.ts';
import { writeResult } from './result.ts';
import { closeServers, startServer } from './servers.ts';

/*
 * Storing and draining against bare drivers, on real servers, in alternating rounds. Servers, clients, back end and both contestants are
 * processes of their own. Writes docs/bench/store-paths.json when all rows were measured.
 *
 *   node test/bench/store-paths.ts [ROW...] [--rounds 5] [--ms 1000] [--backlog 20000]
 *
 * A row's name may be its beginning: `activemq`, `java-64`, `sqlite`, `postgresql`, `rabbitmq`, `drain`. Rows whose server is missing are
 * left out, with a line that says so. Exit code 1 when a goal was not met.
 */

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: `${DEFAULT_CONTEST.rounds}` },
    ms: { type: 'string', default: '1000' },
    backlog: { type: 'string', default: '20000' },
  },
});
const WARM_UP_MS = 2_000;
const WARM_UPS = 3;
/** What the rows of a server begin with. */
const GROUPS = {
  activemq: ['activemq', 'java', 'drain'],
  sqlite: ['sqlite'],
  postgresql: ['postgresql'],
  rabbitmq: ['rabbitmq'],
};

const isWanted = (id: string) => positionals.length === 0 || positionals.some((begin) => id.startsWith(begin));
const wants = (group: keyof typeof GROUPS) =>
  positionals.length === 0 ||
  positionals.some((begin) => GROUPS[group].some((row) => begin.startsWith(row) || row.startsWith(begin)));

const clients = new HttpClients();
const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-bench-'));
const measured: RowFigures[] = [];
let leftOut = false;
let counting: Counting | undefined;

function leaveOut(what: string): Row[] {
  process.stdout.write(`${what}\n\n`);
  leftOut = true;
  return [];
}

async function onActiveMq(): Promise<Row[]> {
  const broker = await startServer(activemq, { heapMiB: 1024 });
  if (!broker) return leaveOut('the rows on ActiveMQ are left out: it is missing');
  counting = await startCounting();
  const missing = javaMissing();
  return [
    ...activemqRows(clients, broker),
    ...(missing === undefined ? javaRows(clients, broker) : leaveOut(`the rows against Java are left out: ${missing}`)),
    ...drainRows({ broker, counting, backlog: Number(values.backlog) }),
  ];
}

async function onPostgresql(): Promise<Row[]> {
  const server = await startServer(postgresql);
  return server ? [postgresqlRow(clients, server)] : leaveOut('the row on PostgreSQL is left out: it is missing');
}

async function onRabbitMq(): Promise<Row[]> {
  const broker = await startServer(rabbitmq);
  return broker ? [rabbitmqRow(clients, broker)] : leaveOut('the row on RabbitMQ is left out: it is missing');
}

/** One server at a time: those that idle would still take memory and a little time. */
async function measure(rows: readonly Row[]): Promise<void> {
  const options = {
    rounds: Number(values.rounds),
    roundMs: Number(values.ms),
    warmUpMs: WARM_UP_MS,
    warmAfter: WARM_AFTER,
    warmUps: WARM_UPS,
  };
  for (const row of rows.filter(({ id }) => isWanted(id))) {
    process.stderr.write(`  ${row.path}\n`);
    const figures = await contest(row, options);
    measured.push(figures);
    process.stdout.write(`${rowText(figures)}\n`);
  }
  await closeServers();
}

try {
  if (wants('activemq')) await measure(await onActiveMq());
  if (wants('sqlite')) await measure([sqliteRow(clients, folder)]);
  if (wants('postgresql')) await measure(await onPostgresql());
  if (wants('rabbitmq')) await measure(await onRabbitMq());
  if (measured.length === 0 && !leftOut) throw new Error(`no row begins with ${positionals.join(', ')}`);
  if (positionals.length === 0 && !leftOut) await writeResult('store-paths', { rows: measured });
  process.exitCode = measured.every(({ met }) => met) ? 0 : 1;
} finally {
  await clients.close();
  await counting?.close();
  await closeServers();
  rmSync(folder, { recursive: true, force: true });
}
