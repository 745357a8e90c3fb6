import { parseArgs } from 'node:util';
import { contest, DEFAULT_CONTEST, type RowFigures } from './contest/contest.ts';
import { HttpClients, startEcho } from './contest/http-contestants.ts';
import { httpRows } from './contest/http-rows.ts';
import { rowText } from './contest/table.ts';
import { writeResult } from './result.ts';

/*
 * The HTTP paths against the bare baselines of `test/bench/baselines`, in alternating rounds. Clients, listener and back end are processes
 * of their own. Writes docs/bench/http.json when all rows were measured.
 *
 *   node test/bench/http.ts [ROW...] [--rounds 5] [--ms 1200]
 *
 * Exit code 1 when a goal was not met.
 */

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: `${DEFAULT_CONTEST.rounds}` },
    ms: { type: 'string', default: `${DEFAULT_CONTEST.roundMs}` },
  },
});
const echo = await startEcho();
const clients = new HttpClients();
const measured: RowFigures[] = [];
try {
  const all = httpRows(clients, echo.port);
  const wanted = all.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  if (wanted.length === 0) throw new Error(`there are these rows: ${all.map(({ id }) => id).join(', ')}`);
  const options = { ...DEFAULT_CONTEST, rounds: Number(values.rounds), roundMs: Number(values.ms) };
  for (const [index, row] of wanted.entries()) {
    process.stderr.write(`  ${index + 1} of ${wanted.length}: ${row.path}\n`);
    const figures = await contest(row, options);
    measured.push(figures);
    process.stdout.write(`${rowText(figures)}\n`);
  }
  if (wanted.length === all.length) await writeResult('http', { rows: measured });
  process.exitCode = measured.every(({ met }) => met) ? 0 : 1;
} finally {
  await clients.close();
  await echo.close();
}
