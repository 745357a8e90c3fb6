import type * as Http from 'node:http';

/*
 * What is used of node:http. An `import` of it reads everything that the module exports, its WebSocket among it, for which Node.js loads
 * the undici that it brings along: 9 MB in every process that nobody needs here (OP-102). Asked for as an object, it stays away.
 */

const http: typeof Http = process.getBuiltinModule('node:http');

export const { createServer, request, STATUS_CODES } = http;
