import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { readConfiguration, type ServerConfiguration } from '../config/config.ts';
import { closeLogging, configureLogging, flushLogging, logger } from '../logging/index.ts';
import type { RunningServer } from '../server.ts';
import { OwnerPart } from './owner-part.ts';
import { type FromWorker, ROLE_VARIABLE, type ToWorker } from './process-messages.ts';
import type { ServerPart } from './server-part.ts';
import type { EndCause, Role } from './supervisor.ts';
import { TakerPart } from './taker-part.ts';

const log = logger('Server');

/** The role of this process among several workers; undefined: it is none. */
export function takeRole(environment: NodeJS.ProcessEnv): Role | undefined {
  const role = environment[ROLE_VARIABLE];
  // What this process starts is no worker.
  delete environment[ROLE_VARIABLE];
  return role === 'owner' || role === 'taker' ? role : undefined;
}

export interface WorkerOptions {
  readonly role: Role;
  readonly stdout: NodeJS.WritableStream;
  start(configuration: ServerConfiguration, part: ServerPart): Promise<RunningServer>;
  /** When the server is open, before that is told. */
  opened(): void;
}

/**
 * One worker: begins and ends when the supervising process says so. Signals are for that one: a terminal and systemd send them to all
 * processes at once, and takers need the owner until they have ended what is in flight. It ends at once when the supervising process is
 * gone, as if that had been the whole server: node:cluster sees to that.
 * @throws what the start throws
 */
export async function work({ role, stdout, start, opened }: WorkerOptions): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => {});
  const { promise: stopped, resolve: stop } = Promise.withResolvers<EndCause>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<Extract<ToWorker, { type: 'begin' }>>();
  process.on('message', (message: ToWorker) => {
    if (message.type === 'begin') begin(message);
    else if (message.type === 'stop') stop(message.cause);
  });
  tell({ type: 'up' });
  const first = await Promise.race([begun, stopped]);
  if (typeof first === 'string') return;
  process.once('exit', () => {
    // The supervising process, whose folder that is, was killed.
    if (!process.connected) rmSync(dirname(first.socket), { recursive: true, force: true });
  });
  const configuration = readConfiguration(first.flags);
  configureLogging({ ...configuration.log, stream: stdout, startsWinstonLater: true });
  const part =
    role === 'owner' ? new OwnerPart(first.socket) : new TakerPart(first.socket, configuration.storeDeadlineMs);
  const server = await start(configuration, part);
  opened();
  const { host, httpPort, httpsPort, managementHost, managementPort, artifactCount, faultyCount } = server;
  const ready = { host, httpPort, httpsPort, managementHost, managementPort, artifactCount, faultyCount };
  flushLogging();
  tell({ type: 'ready', ready });
  if (role === 'owner') void server.askedToEnd.then((how) => tell({ type: 'asked', how }));
  const cause = await stopped;
  if (role === 'owner') log.info(`All workers end (${cause})`);
  await server.stop();
  closeLogging();
}

function tell(message: FromWorker): void {
  process.send?.(message, undefined, undefined, () => {});
}
