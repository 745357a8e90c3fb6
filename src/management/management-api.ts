import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type Koa from 'koa';
import { ConsoleFiles } from '../console/serve.ts';
import { logger } from '../logging/index.ts';
import { createServer } from '../node-http.ts';
import type { CertificatePair } from '../transport/certificate.ts';
import { listenOn } from '../transport/listening.ts';
import type { ManagedServer } from './managed-server.ts';
import { ManagementError } from './management-error.ts';
import { RequestHandler } from './request-handler.ts';
import { pathOf } from './request-path.ts';
import type { Answer, Resource } from './resource.ts';
import { RESOURCES } from './resources/index.ts';

const log = logger('ManagementApi');
const HEADERS_TIMEOUT_MS = 10_000;
/** How long the rest of a body may come that nobody reads any more, after the answer. */
const REST_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 256;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Data are no pages: whatever stands in them, a browser runs nothing of it, and pages of other origins cannot embed it. */
const DATA_HEADERS = {
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

export interface ManagementApi {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Opens the management API (spec stores 7.2, spec proxies 8; OP-74): everything that is declared in `resources/index.ts`.
 * @throws PortTakenError, ListenError
 */
export async function startManagementApi(options: {
  readonly host: string;
  readonly port: number;
  readonly server: ManagedServer;
  /** For HTTPS. */
  readonly certificate?: CertificatePair;
  /** Default: all. */
  readonly resources?: readonly Resource[];
}): Promise<ManagementApi> {
  const handler = new RequestHandler(options.server, options.resources ?? RESOURCES);
  const consoleFiles = new ConsoleFiles();
  const answer = async (context: Koa.Context): Promise<Answer> => {
    const path = pathOf(context);
    const file = await consoleFiles.answer(context.req, path);
    if (file) return file;
    context.set(DATA_HEADERS);
    return await handler.handle(context.req, context.res, path);
  };
  let application: Promise<Listener> | undefined;
  const listener: Listener = (request, response) => {
    application ??= openApplication(answer);
    application.then(
      (handle) => handle(request, response),
      (error: unknown) => {
        log.error(`The management API cannot answer: ${String(error)}`);
        response.destroy();
      },
    );
  };
  // Bodies have their own deadlines while they are read, see bodies.ts: an import may take hours.
  const timeouts = { requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS };
  const { certificate } = options;
  const http = certificate
    ? createSecureServer({ ...timeouts, ...certificate, minVersion: 'TLSv1.2' }, listener)
    : createServer(timeouts, listener);
  http.maxConnections = MAX_CONNECTIONS;
  await listenOn(http, options.port, options.host);
  return { port: (http.address() as AddressInfo).port, close: () => closeServer(http) };
}

/** With the first request: koa and its tables of media types take 10 MB, which a server that nobody asks anything goes without (OP-102). */
async function openApplication(answer: (context: Koa.Context) => Promise<Answer>): Promise<Listener> {
  const { default: Application } = await import('koa');
  const app = new Application();
  app.silent = true;
  app.use(async (context) => {
    boundRest(context.req, context.res);
    write(context, await answer(context).catch(refusal));
  });
  const handle = app.callback();
  return (request, response) => void handle(request, response);
}

/** What is wrong with a request before it has a path that could be told about. */
function refusal(error: unknown): Answer {
  if (error instanceof ManagementError) return error.toAnswer();
  throw error;
}

/** An answer may come before the end of a body, which then is read and thrown away; but not for ever. */
function boundRest(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete) return;
    const late = setTimeout(() => request.socket.destroy(), REST_TIMEOUT_MS).unref();
    request.once('close', () => clearTimeout(late));
  });
}

function write(context: Koa.Context, answer: Answer): void {
  context.status = answer.status;
  context.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', ...answer.headers });
  if ('stream' in answer) {
    context.type = answer.type;
    context.body = answer.stream;
  } else if ('text' in answer) {
    context.type = answer.type;
    context.body = typeof answer.text === 'string' ? answer.text : Buffer.from(answer.text);
  } else if (answer.body === undefined) {
    context.body = null;
    // Setting no body would make it 204.
    context.status = answer.status;
  } else {
    context.type = 'application/json';
    context.body = JSON.stringify(answer.body);
  }
}

async function closeServer(server: Server | SecureServer): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
