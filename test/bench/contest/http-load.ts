import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { soapOrders } from '../messages.ts';
import type { RoundFigures } from './contestant.ts';
import { HttpConnection, wireRequest } from './http-connection.ts';

/*
 * The clients, in a process of their own: each connection waits for its answer before it sends the next request. Told what to do by
 * messages of its parent, answers each with RoundFigures.
 */

/** One round of load. */
export interface HttpLoad {
  readonly port: number;
  readonly path: string;
  /** Of the body, about. */
  readonly bytes: number;
  readonly connections: number;
  readonly ms: number;
  /** What a good answer has. */
  readonly status: number;
  /** The answer is the request's body. */
  readonly echoed: boolean;
}

const HEADERS = {
  'Content-Type': 'text/xml; charset=UTF-8',
  SOAPAction: '"urn:placeOrder"',
  'User-Agent': 'stockquote-client',
  Accept: '*/*',
};
const NANOSECONDS_PER_MS = 1e6;

/** Loads for as long as asked. */
export async function httpLoad(load: HttpLoad): Promise<RoundFigures> {
  const body = Buffer.from(soapOrders(load.bytes));
  const request = wireRequest(load.port, load.path, HEADERS, body);
  const opened = Array.from({ length: load.connections }, () => HttpConnection.open(load.port, request));
  const connections = await Promise.all(opened);
  const times = createHistogram();
  const begun = performance.now();
  const until = begun + load.ms;
  const isGood = ({ status, bytes }: { status: number; bytes: number }) =>
    status === load.status && (!load.echoed || bytes >= body.byteLength);
  const lanes = connections.map((connection) => lane(connection, until, times, isGood));
  const failed = (await Promise.all(lanes)).reduce((sum, failures) => sum + failures, 0);
  const seconds = (performance.now() - begun) / 1000;
  for (const connection of connections) connection.close();
  return {
    messages: times.count - failed,
    failed,
    seconds,
    p50Ms: times.percentile(50) / NANOSECONDS_PER_MS,
    p99Ms: times.percentile(99) / NANOSECONDS_PER_MS,
  };
}

async function lane(
  connection: HttpConnection,
  until: number,
  times: RecordableHistogram,
  isGood: (answer: { status: number; bytes: number }) => boolean,
): Promise<number> {
  let failed = 0;
  for (let now = performance.now(); now < until; ) {
    const answer = await connection.exchange();
    const ended = performance.now();
    times.record(Math.max(1, Math.round((ended - now) * NANOSECONDS_PER_MS)));
    if (!isGood(answer)) failed += 1;
    now = ended;
  }
  return failed;
}

if (import.meta.main) {
  process.on('message', (load: HttpLoad) => {
    httpLoad(load).then(
      (figures) => process.send?.(figures),
      (error: unknown) => {
        process.stderr.write(`the load failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
}
