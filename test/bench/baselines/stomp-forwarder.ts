import { Pool } from 'undici';
import { option } from './program.ts';
import { bareStomp } from './stomp-client.ts';

/*
 * A bare consumer: takes so many messages at a time from a queue, over as many connections, one at a time each, posts each, and
 * acknowledges it, with a receipt, when the back end has accepted it: over a single connection the broker would write one acknowledgement
 * to the disk after the other (592 messages a second instead of 1,679). Told 'active' and 'inactive' by its parent; says so when it is.
 *
 *   node stomp-forwarder.ts --port PORT --queue NAME --target http://127.0.0.1:PORT --concurrency 16
 */

const concurrency = Number(option('concurrency'));
const pool = new Pool(option('target'), { connections: concurrency, pipelining: 1 });
const opened = Array.from({ length: concurrency }, () => bareStomp(Number(option('port'))));
const consumers = await Promise.all(opened);
let leave: ReadonlyArray<() => Promise<void>> = [];

async function forward(body: Buffer, acknowledge: () => Promise<void>): Promise<void> {
  const headers = { 'content-type': 'text/xml; charset=UTF-8', soapaction: '"urn:placeOrder"' };
  const answer = await pool.request({ method: 'POST', path: '/', headers, body });
  await answer.body.dump();
  if (answer.statusCode === 202) await acknowledge();
}

function failed(error: unknown): void {
  process.stderr.write(`the forwarder failed: ${String(error)}\n`);
  process.exit(1);
}

async function become(state: string): Promise<void> {
  if (state === 'active') {
    const subscribed = consumers.map((stomp) =>
      stomp.subscribe(option('queue'), 1, (body, acknowledge) => {
        forward(body, acknowledge).catch(failed);
      }),
    );
    leave = await Promise.all(subscribed);
  } else {
    await Promise.all(leave.map((unsubscribe) => unsubscribe()));
  }
  process.send?.(state);
}

process.on('message', (state: string) => void become(state).catch(failed));
process.once('disconnect', () => process.exit(0));
process.send?.('ready');
