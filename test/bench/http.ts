import { parseArgs } from 'node:util';
import { DEFAULT_CONTEST } from './contest/contest.ts';
import { HttpClients, startEcho } from './contest/http-contestants.ts';
import { httpPaths } from './contest/http-rows.ts';
import { exitCodeOf, type Measured, measureLimit, measureRows } from './contest/rows.ts';
import { packageVersions } from './package-versions.ts';
import { writeResult } from './result.ts';

/*
 * The HTTP paths against the bare baselines of `test/bench/baselines`, in alternating rounds. Clients, listener and back end are processes
 * of their own. Writes docs/bench/http.json.
 *
 *   node test/bench/http.ts [ROW...] [--rounds 5] [--ms 1000]
 *
 * Exit code 1 when a goal was not met, or a row has no figures.
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
const paths = httpPaths(clients, echo.port);
const measured: Measured = { rows: [], failed: [] };
try {
  const all = paths.rows.map(({ id }) => id);
  const wanted = paths.rows.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  const wantsSizes = positionals.length === 0 || positionals.includes('resident');
  if (wanted.length === 0 && !wantsSizes) throw new Error(`there are these rows: ${all.join(', ')}, resident`);
  const options = { ...DEFAULT_CONTEST, rounds: Number(values.rounds), roundMs: Number(values.ms) };
  await measureRows(wanted, options, measured);
  const sizes = wantsSizes ? await measureLimit(paths.resident, measured) : undefined;
  const limits = sizes ? [sizes] : [];
  const servers = packageVersions(['koa', 'undici', '@xmldom/xmldom']);
  await writeResult('http', { servers, ...measured, limits });
  process.exitCode = exitCodeOf(measured) || Number(limits.some(({ met }) => !met));
} finally {
  await paths.close();
  await clients.close();
  await echo.close();
}
