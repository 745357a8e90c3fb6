import { createServer } from 'node:http';
import { announce } from './program.ts';

/*
 * The back end of all HTTP paths: answers with what it was sent, in the same length, as it comes.
 *
 *   node echo.ts
 */

announce(
  createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const length = request.headers['content-length'];
    const type = request.headers['content-type'] ?? 'text/plain';
    response.writeHead(200, { 'Content-Type': type, ...(length !== undefined && { 'Content-Length': length }) });
    request.pipe(response);
  }),
);
