import { createServer } from 'node:http';
import { createHistogram } from 'node:perf_hooks';
import type { RoundFigures } from '../contest/contestant.ts';
import { announce } from './program.ts';

/*
 * The back end of the rows that drain: accepts everything at once. Told 'begin' by its parent it forgets what came before; told 'end'
 * it answers with what came since: how many, and RoundFigures of the times between two of them.
 *
 *   node counting.ts
 */

const NANOSECONDS_PER_MS = 1e6;
const gaps = createHistogram();
let first = 0;
let last = 0;
let arrived = 0;

announce(
  createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    request.on('end', () => {
      const now = performance.now();
      arrived += 1;
      if (arrived === 1) first = now;
      else gaps.record(Math.max(1, Math.round((now - last) * NANOSECONDS_PER_MS)));
      last = now;
      response.writeHead(202).end();
    });
  }),
);
process.on('message', (told) => {
  if (told === 'end') process.send?.({ arrived, figures: figures() });
  gaps.reset();
  arrived = 0;
});

function figures(): RoundFigures {
  return {
    messages: gaps.count,
    failed: 0,
    seconds: (last - first) / 1000,
    p50Ms: gaps.percentile(50) / NANOSECONDS_PER_MS,
    p99Ms: gaps.percentile(99) / NANOSECONDS_PER_MS,
  };
}
