import { arch, type as osType, release } from 'node:os';
import { jsonBody } from '../bodies.ts';
import { ManagementError } from '../management-error.ts';
import { resource } from '../resource.ts';
import { object, TEXT } from '../schemas.ts';

const INFORMATION = object({
  carbonHome: TEXT,
  javaHome: TEXT,
  javaVersion: TEXT,
  javaVendor: TEXT,
  osName: TEXT,
  osVersion: TEXT,
  productName: TEXT,
  productVersion: TEXT,
});

/** `GET /management/server` (spec proxies 8.3): the members called java tell of Node.js. */
export const readServer = resource({
  method: 'GET',
  path: '/management/server',
  role: 'viewer',
  summary: 'What runs here',
  tag: 'server',
  answers: { 200: INFORMATION },
  answer: (_request, { health, options }) => ({
    status: 200,
    body: {
      carbonHome: options.data,
      javaHome: process.execPath,
      javaVersion: process.version,
      javaVendor: 'Node.js',
      osName: osType(),
      osVersion: `${release()} (${arch()})`,
      productName: 'mini-synapse',
      productVersion: health.version,
      workDirectory: process.cwd(),
      repositoryLocation: options.artifacts,
    },
  }),
});

const ENDINGS: Readonly<Record<string, 'shutdown' | 'restart'>> = {
  shutdown: 'shutdown',
  shutdowngracefully: 'shutdown',
  restart: 'restart',
  restartgracefully: 'restart',
};

/**
 * `PATCH /management/server` `{"status":"shutdown"|"shutdownGracefully"|"restart"|"restartGracefully"}` (spec proxies 8.4). Both end what is
 * in flight first, within the server's time for that (OP-110).
 */
export const endServer = resource({
  method: 'PATCH',
  path: '/management/server',
  role: 'operator',
  summary: 'Stops the server, or starts it anew',
  tag: 'server',
  body: jsonBody<{ status: string }>({
    type: 'object',
    required: ['status'],
    properties: { status: { type: 'string', description: 'shutdown, shutdownGracefully, restart, restartGracefully' } },
  }),
  answers: { 200: object({ Message: TEXT }) },
  answer({ body: { status }, audit, signal }, server) {
    const word = status.toLowerCase();
    const wanted = Object.hasOwn(ENDINGS, word) ? ENDINGS[word] : undefined;
    audit({ type: 'server', action: wanted ?? '', name: 'mini-synapse' });
    if (!wanted) throw new ManagementError(400, 'Provided state is not valid');
    // Once the answer is out, or nobody waits for it any more.
    signal.addEventListener('abort', () => server.end(wanted), { once: true });
    return {
      status: 200,
      body: { Message: `The server is going to ${wanted === 'shutdown' ? 'shut down' : 'restart'}` },
    };
  },
});
