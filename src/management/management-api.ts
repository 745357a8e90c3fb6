import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { logger } from '../logging/index.ts';
import { listenOn } from '../transport/listening.ts';
import { answerHealth, type Health } from './health.ts';
import type { ManagedServer, ManagementAnswer, ManagementRequest } from './managed-server.ts';
import { answerMessageProcessors } from './message-processors.ts';
import { answerMessageStores } from './message-stores.ts';
import { answerProxyServices } from './proxy-services.ts';

const log = logger('ManagementApi');
/** Requests here are small; anything larger is no management request. */
const MAX_BODY_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

export interface ManagementApi {
  readonly port: number;
  close(): Promise<void>;
}

type Answer = (request: ManagementRequest, server: ManagedServer) => Promise<ManagementAnswer> | ManagementAnswer;

/** Path -> who answers. The console and the rest of the reference's resources come beside these. */
const RESOURCES: Readonly<Record<string, Answer>> = {
  '/management': () => ({ status: 200, body: { 'WSO2 Micro Integrator': 'mini-synapse', ManagementApi: 'Active' } }),
  '/management/message-stores': answerMessageStores,
  '/management/message-processors': answerMessageProcessors,
  '/management/proxy-services': answerProxyServices,
};

/**
 * The management API on loopback (spec stores 7.2, spec proxies 8; OP-74): health, proxy services, message stores, message processors.
 * @throws PortTakenError
 */
export async function startManagementApi(options: {
  host: string;
  port: number;
  server: ManagedServer;
  health: Health;
}): Promise<ManagementApi> {
  const app = new Koa();
  app.silent = true;
  app.use(async (context) => {
    const request = await readRequest(context);
    const { status, body } = await answer(request, options.server, options.health);
    context.status = status;
    context.type = 'application/json';
    context.body = JSON.stringify(body);
  });
  const http = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, app.callback());
  await listenOn(http, options.port, options.host);
  return { port: (http.address() as AddressInfo).port, close: () => closeServer(http) };
}

async function answer(request: ManagementRequest, server: ManagedServer, health: Health): Promise<ManagementAnswer> {
  const path = request.path.replace(/\/+$/, '') || '/';
  const healthy = answerHealth(path, health, server);
  if (healthy) return healthy;
  const resource = Object.hasOwn(RESOURCES, path) ? RESOURCES[path] : undefined;
  if (!resource) {
    log.warn(`No Internal API found to dispatch the message to : ${path}`);
    return { status: 404, body: { Error: `There is no management resource ${path}` } };
  }
  try {
    return await resource(request, server);
  } catch (error) {
    log.error(`${request.method} ${path} failed: ${error instanceof Error ? error.message : String(error)}`);
    return { status: 500, body: { Error: 'The request could not be carried out; the log has the reason' } };
  }
}

async function readRequest(context: Koa.Context): Promise<ManagementRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of context.req as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) context.throw(413);
    chunks.push(chunk);
  }
  return {
    method: context.method,
    path: context.path,
    query: new URLSearchParams(context.querystring),
    body: Buffer.concat(chunks).toString('utf8'),
    // Pages of other origins must not steer the server through its user's browser.
    crossOrigin: context.get('sec-fetch-site') === 'cross-site',
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
