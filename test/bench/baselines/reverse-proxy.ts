import { createServer, type IncomingMessage } from 'node:http';
import Koa from 'koa';
import { Pool } from 'undici';
import { announce, option } from './program.ts';

/*
 * The least that a reverse proxy of koa and undici does: streams the request to the back end and the answer to the client, with the
 * headers that belong to neither connection. No mediation, no deadlines, no counting, no log.
 *
 *   node reverse-proxy.ts --target http://127.0.0.1:PORT
 */

/** Headers that belong to one connection. */
const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'expect', 'upgrade', 'te', 'trailer']);

function onward(request: IncomingMessage): string[] {
  const { rawHeaders } = request;
  const headers: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!HOP.has(name.toLowerCase())) headers.push(name, rawHeaders[index + 1] ?? '');
  }
  return headers;
}

const pool = new Pool(option('target'), { connections: 256, pipelining: 1 });
const application = new Koa();
application.use(async (context) => {
  const { statusCode, headers, body } = await pool.request({
    method: context.method as 'POST',
    path: context.url,
    headers: onward(context.req),
    body: context.req,
  });
  context.status = statusCode;
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP.has(name)) context.set(name, value);
  }
  context.body = body;
});
announce(createServer(application.callback()));
