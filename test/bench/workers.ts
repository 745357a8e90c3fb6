import { parseArgs } from 'node:util';
import { contest, DEFAULT_CONTEST } from './contest/contest.ts';
import type { Row } from './contest/contestant.ts';
import { HttpClients, type HttpRowLoad, runtimeContestant } from './contest/http-contestants.ts';
import { rowText } from './contest/table.ts';
import { writeResult } from './result.ts';

/*
 * Two workers against one, in alternating rounds: a proxy that reads a document of 10 KB and evaluates XPath on it, and answers by itself,
 * so that nearly all of the CPU is the workers'. The clients are a process of their own, and their share is what the ratio lacks to 2 on
 * two cores. Writes docs/bench/workers.json.
 *
 *   node test/bench/workers.ts [--rounds 5] [--ms 1000]
 *
 * Exit code 1 when the goal was not met.
 */

const GOAL = 1.5;
const LOAD: HttpRowLoad = { bytes: 10 * 1024, connections: 16, status: 200, echoed: true };
/** Each goes over the whole document, some for every order in it. */
const EXPRESSIONS = [
  'count(//m0:order[m0:quantity &gt; 5])',
  'sum(//m0:price)',
  "//m0:order[m0:symbol = 'ORDER-7']/@id",
  '//m0:order[last()]/m0:symbol',
  'count(//m0:note[string-length(.) &gt; 10]/ancestor::m0:order)',
  'count(//m0:order[m0:quantity &gt; preceding-sibling::m0:order[1]/m0:quantity])',
  'count(//m0:order[count(preceding-sibling::m0:order) mod 2 = 0])',
  "count(//m0:symbol[starts-with(., concat('ORDER-', ../@id))])",
  'count(//m0:order[not(m0:symbol = following-sibling::m0:order/m0:symbol)])',
];

function artifact(): string {
  const properties = EXPRESSIONS.map((expression, index) => `<property name="p${index}" expression="${expression}"/>`);
  return (
    '<proxy xmlns="http://ws.apache.org/ns/synapse" xmlns:m0="http://services.samples" name="Read" transports="http"><target>' +
    `<inSequence>${properties.join('')}<filter xpath="//m0:order/m0:quantity &gt; 0"><then><respond/></then>` +
    '<else><drop/></else></filter></inSequence></target></proxy>'
  );
}

function workers(clients: HttpClients): Row {
  const common = { artifacts: { Read: artifact() }, path: '/services/Read', clients, load: LOAD };
  return {
    id: 'workers',
    path: `two workers, proxy with ${EXPRESSIONS.length} XPath properties and a filter, 10 KB, ${LOAD.connections} connections`,
    goal: GOAL,
    baseline: runtimeContestant({ name: 'one worker', ...common }),
    ours: runtimeContestant({ name: 'two workers', ...common, args: ['--workers', '2'] }),
  };
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: `${DEFAULT_CONTEST.rounds}` },
    ms: { type: 'string', default: `${DEFAULT_CONTEST.roundMs}` },
  },
});
const clients = new HttpClients();
try {
  const options = { ...DEFAULT_CONTEST, rounds: Number(values.rounds), roundMs: Number(values.ms) };
  const figures = await contest(workers(clients), options);
  process.stdout.write(`${rowText(figures)}\n`);
  await writeResult('workers', { rows: [figures] });
  process.exitCode = figures.met ? 0 : 1;
} finally {
  await clients.close();
}
