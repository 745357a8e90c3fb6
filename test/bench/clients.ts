import { Pool } from 'undici';
import { order } from './messages.ts';
import { atOnce, percentile } from './percentiles.ts';

export interface Accepted {
  readonly accepted: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface SendOptions {
  readonly port: number;
  readonly count: number;
  readonly connections: number;
  /** Told how many have been sent. */
  readonly onProgress?: (sent: number) => void;
}

/** Posts orders to the proxy `Orders`; each connection waits for its answer before it sends the next. */
export async function sendOrders({ port, count, connections, onProgress }: SendOptions): Promise<Accepted> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 });
  const times: number[] = [];
  let accepted = 0;
  const begun = performance.now();
  await atOnce(count, connections, async (number) => {
    const sentAt = performance.now();
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/services/Orders',
      headers: { 'content-type': 'text/xml; charset=UTF-8', soapaction: '"urn:placeOrder"' },
      body: order(number),
    });
    await body.dump();
    times.push(performance.now() - sentAt);
    if (statusCode === 202) accepted += 1;
    onProgress?.(times.length);
  });
  const perSecond = count / ((performance.now() - begun) / 1000);
  await pool.close();
  return {
    accepted,
    refused: count - accepted,
    perSecond,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  };
}
