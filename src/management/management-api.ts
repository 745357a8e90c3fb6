import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { ConsoleFiles } from '../console/serve.ts';
import type { CertificatePair } from '../transport/certificate.ts';
import { listenOn } from '../transport/listening.ts';
import type { ManagedServer } from './managed-server.ts';
import { RequestHandler } from './request-handler.ts';
import type { Answer, Resource } from './resource.ts';
import { RESOURCES } from './resources/index.ts';

const HEADERS_TIMEOUT_MS = 10_000;
/** Long enough for an archive or an export over a slow line. */
const REQUEST_TIMEOUT_MS = 300_000;
const MAX_CONNECTIONS = 256;

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
  const app = new Koa();
  app.silent = true;
  const consoleFiles = new ConsoleFiles();
  app.use(async (context) => {
    const file = await consoleFiles.answer(context.req, context.path);
    write(context, file ?? (await handler.handle(context.req, context.res, context.path)));
  });
  const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS };
  const { certificate } = options;
  const http = certificate
    ? createSecureServer({ ...timeouts, ...certificate, minVersion: 'TLSv1.2' }, app.callback())
    : createServer(timeouts, app.callback());
  http.maxConnections = MAX_CONNECTIONS;
  await listenOn(http, options.port, options.host);
  return { port: (http.address() as AddressInfo).port, close: () => closeServer(http) };
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
