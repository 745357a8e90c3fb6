import { createServer } from 'node:http';
import Koa from 'koa';
import { announce } from './program.ts';

/*
 * Reads the body and answers 202: what a store that costs nothing would take.
 *
 *   node acknowledger.ts
 */

const application = new Koa();
application.use(async (context) => {
  const chunks: Buffer[] = [];
  for await (const chunk of context.req) chunks.push(chunk as Buffer);
  Buffer.concat(chunks);
  context.body = null;
  context.status = 202;
});
announce(createServer(application.callback()));
