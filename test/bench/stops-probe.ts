import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { bareStomp } from './baselines/stomp-client.ts';
import { HttpConnection, wireRequest } from './contest/http-connection.ts';
import { soapOrders } from './messages.ts';
import { percentile } from './percentiles.ts';

/*
 * Does one thing again and again, and remembers when it took long. One of them per process: none waits for another one's work.
 *
 *   node stops-probe.ts bare STOMP-PORT QUEUE BYTES    a persistent message with a receipt, by the bare client
 *   node stops-probe.ts http HTTP-PORT PATH BYTES      a request that mini-synapse stores and answers
 *   node stops-probe.ts disk FILE                      4 KiB written and synchronized, every 10 ms
 *   node stops-probe.ts machine                        a timer of 2 ms: how late it comes
 */

/** From when to when nothing came back, ms since 1970. */
export interface Stop {
  readonly from: number;
  readonly to: number;
}

/** What came of a run. */
export interface Probed {
  readonly count: number;
  readonly medianMs: number;
  /** Those of at least so many ms as was asked for. */
  readonly stops: readonly Stop[];
}

/** What a probe is told: how long, and from how many ms on it is a stop. */
export interface Probing {
  readonly ms: number;
  readonly leastMs: number;
}

type Once = () => Promise<unknown> | undefined;

const PAGE = Buffer.alloc(4096, 1);
const DISK_EVERY_MS = 10;
const TIMER_MS = 2;

const KINDS: Readonly<Record<string, (...args: string[]) => Promise<{ once: Once; restMs?: number }>>> = {
  async bare(port = '', queue = '', bytes = '') {
    const stomp = await bareStomp(Number(port));
    const body = Buffer.from(soapOrders(Number(bytes)));
    return { once: () => stomp.send(queue, body) };
  },
  async http(port = '', path = '', bytes = '') {
    const headers = { 'Content-Type': 'text/xml; charset=UTF-8', SOAPAction: '"urn:placeOrder"' };
    const request = wireRequest(Number(port), path, headers, Buffer.from(soapOrders(Number(bytes))));
    const connection = await HttpConnection.open(Number(port), request);
    return { once: () => connection.exchange().then(accepted) };
  },
  async disk(file = '') {
    const descriptor = openSync(file, 'w');
    process.once('exit', () => closeSync(descriptor));
    const once = () => {
      writeSync(descriptor, PAGE, 0, PAGE.length, 0);
      fdatasyncSync(descriptor);
      return undefined;
    };
    return { once, restMs: DISK_EVERY_MS };
  },
  async machine() {
    return { once: () => delay(TIMER_MS) };
  },
};

function accepted({ status }: { status: number }): void {
  if (status !== 202) throw new Error(`mini-synapse answered ${status}`);
}

async function probe(once: Once, restMs: number, { ms, leastMs }: Probing): Promise<Probed> {
  const times: number[] = [];
  const stops: Stop[] = [];
  const until = performance.now() + ms;
  for (let begun = performance.now(); begun < until; begun = performance.now()) {
    await once();
    const ended = performance.now();
    times.push(ended - begun);
    if (ended - begun >= leastMs) stops.push({ from: sinceEpoch(begun), to: sinceEpoch(ended) });
    if (restMs > 0) await delay(restMs);
  }
  return { count: times.length, medianMs: percentile(times, 0.5), stops };
}

function sinceEpoch(now: number): number {
  return performance.timeOrigin + now;
}

if (import.meta.main) {
  const [, , kind = '', ...args] = process.argv;
  const prepare = KINDS[kind];
  if (!prepare) throw new Error(`there is no probe '${kind}'; there are: ${Object.keys(KINDS).join(', ')}`);
  const { once, restMs = 0 } = await prepare(...args);
  process.on('message', (probing: Probing) => {
    probe(once, restMs, probing).then(
      (probed) => process.send?.(probed),
      (error: unknown) => {
        process.stderr.write(`${kind} failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
  process.send?.({ ready: true });
}
