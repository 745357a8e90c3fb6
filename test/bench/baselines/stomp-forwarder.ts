import { Pool } from 'undici';
import { option } from './program.ts';
import { bareStomp } from './stomp-client.ts';

/*
 * A bare consumer: takes so many messages at a time from a queue, posts each, and acknowledges it, with a receipt, when the back end has
 * accepted it. Told 'active' and 'inactive' by its parent; says so when it is.
 *
 *   node stomp-forwarder.ts --port PORT --queue NAME --target http://127.0.0.1:PORT --concurrency 16
 */

const concurrency = Number(option('concurrency'));
const pool = new Pool(option('target'), { connections: concurrency, pipelining: 1 });
const stomp = await bareStomp(Number(option('port')));
let leave: (() => Promise<void>) | undefined;

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
    leave = await stomp.subscribe(option('queue'), concurrency, (body, acknowledge) => {
      forward(body, acknowledge).catch(failed);
    });
  } else {
    await leave?.();
  }
  process.send?.(state);
}

process.on('message', (state: string) => void become(state).catch(failed));
process.once('disconnect', () => process.exit(0));
process.send?.('ready');
