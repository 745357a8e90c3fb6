import { createServer } from 'node:http';
import { DOMParser } from '@xmldom/xmldom';
import Koa from 'koa';
import { Pool } from 'undici';
import { announce, option } from './program.ts';

/*
 * The reverse proxy, with one bare parse of the request on its way: the body is read, parsed with xmldom as it comes, and sent on as it
 * was. The answer is streamed. Nothing is looked up in the document.
 *
 *   node parsing-proxy.ts --target http://127.0.0.1:PORT
 */

const pool = new Pool(option('target'), { connections: 256, pipelining: 1 });
const parser = new DOMParser();
const application = new Koa();
application.use(async (context) => {
  const chunks: Buffer[] = [];
  for await (const chunk of context.req) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const root = parser.parseFromString(bytes.toString('utf8'), 'text/xml').documentElement;
  if (!root) throw new Error('the request is no XML');
  const { statusCode, headers, body } = await pool.request({
    method: 'POST',
    path: context.url,
    headers: { 'content-type': context.get('content-type'), soapaction: context.get('soapaction') },
    body: bytes,
  });
  context.status = statusCode;
  context.set('content-type', String(headers['content-type']));
  context.body = body;
});
announce(createServer(application.callback()));
