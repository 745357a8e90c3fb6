import { parseArgs } from 'node:util';
import { activemq } from '../support/servers/index.ts';
import { contest, DEFAULT_CONTEST, type RowFigures } from './contest/contest.ts';
import { HttpClients } from './contest/http-contestants.ts';
import { activemqRows } from './contest/store-rows.ts';
import { rowText } from './contest/table.ts';
import { closeServers, startServer } from './servers.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, ms: { type: 'string', default: '1500' } },
});
const clients = new HttpClients();
try {
  const broker = await startServer(activemq, { heapMiB: 1024 });
  if (!broker) throw new Error('no broker');
  const rows = activemqRows(clients, broker).filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  const measured: RowFigures[] = [];
  for (const row of rows) {
    const figures = await contest(row, { ...DEFAULT_CONTEST, rounds: Number(values.rounds), roundMs: Number(values.ms) });
    measured.push(figures);
    process.stdout.write(`${rowText(figures)}\n`);
  }
} finally {
  await clients.close();
  await closeServers();
}
