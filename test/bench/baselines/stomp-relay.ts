import { createServer } from 'node:http';
import { Pool } from 'undici';
import { announce, option } from './program.ts';
import { bareStomp } from './stomp-client.ts';

/*
 * The way of a message through a queue, bare: taken over HTTP, sent with a receipt, answered with 202; consumed over another connection,
 * posted, acknowledged with a receipt.
 *
 *   node stomp-relay.ts --port PORT --queue NAME --target http://127.0.0.1:PORT
 */

const port = Number(option('port'));
const queue = option('queue');
const pool = new Pool(option('target'), { connections: 1, pipelining: 1 });
const [producer, consumer] = await Promise.all([bareStomp(port), bareStomp(port)]);

async function forward(body: Buffer, acknowledge: () => Promise<void>): Promise<void> {
  const answer = await pool.request({ method: 'POST', path: '/', headers: { 'content-type': 'text/xml' }, body });
  await answer.body.dump();
  await acknowledge();
}

await consumer.subscribe(queue, 1, (body, acknowledge) => {
  forward(body, acknowledge).catch((error: unknown) => {
    process.stderr.write(`the relay failed: ${String(error)}\n`);
    process.exit(1);
  });
});
announce(
  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      producer.send(queue, Buffer.concat(chunks)).then(
        () => response.writeHead(202).end(),
        () => response.writeHead(500).end(),
      );
    });
  }),
);
