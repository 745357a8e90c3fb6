import cluster, { type Worker } from 'node:cluster';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigurationFlags, ServerConfiguration } from '../config/config.ts';
import { ConfigurationError } from '../config/toml-reader.ts';
import { closeLogging, configureLogging, logger } from '../logging/index.ts';
import { endWithWorker } from './handed-connections.ts';
import { LineRelay } from './line-relay.ts';
import { type FromWorker, ROLE_VARIABLE, type ToWorker } from './process-messages.ts';
import {
  type Outcome,
  type ProcessEnd,
  type Role,
  Supervisor,
  type WorkerEvents,
  type WorkerProcess,
  type WorkerReady,
} from './supervisor.ts';

const log = logger('Server');
/** The shortest limit of the systems that have one, bytes. */
const LONGEST_SOCKET_PATH = 103;
/** The code of a command that does not get from the machine what it needs. */
const NO_PROCESS: ProcessEnd = { code: 3, signal: null };

export interface PrimaryOptions {
  readonly configuration: ServerConfiguration;
  readonly flags: ConfigurationFlags;
  readonly stdout: NodeJS.WritableStream;
  /** Resolves when the server is to end. */
  readonly signal: Promise<NodeJS.Signals>;
  readonly onReady: (ready: WorkerReady) => void;
}

/**
 * Runs `configuration.workers` workers until they are to end, or cannot go on. This process has nothing but the listening sockets, which
 * node:cluster keeps here and hands connections out of in turn, the output and the supervision.
 * @throws ConfigurationError for settings that do not go together with several workers
 */
export async function superviseWorkers(options: PrimaryOptions): Promise<Outcome> {
  const { configuration, stdout, signal, onReady } = options;
  refuseMisfits(configuration);
  configureLogging({ ...configuration.log, stream: stdout });
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  // A second signal ends the process where it stands.
  process.once('exit', removeFolder);
  const relay = new LineRelay(stdout);
  try {
    const supervisor = new Supervisor({
      workers: configuration.workers,
      shutdownMs: configuration.shutdownMs,
      fork: (role, events) => fork(role, events, { ...options, socket: socketIn(folder), relay }),
    });
    supervisor.start();
    void supervisor.ready.then(onReady);
    let isOver = false;
    void signal.then((name) => {
      // It outlives restarts.
      if (isOver) return;
      log.info(`Gracefully shutting down mini-synapse (${name}); a second signal stops at once`);
      supervisor.stop(name);
    });
    const outcome = await supervisor.ended;
    isOver = true;
    if (outcome.kind === 'stopped') log.info('mini-synapse shutdown complete');
    return outcome;
  } finally {
    closeLogging();
    relay.close();
    process.off('exit', removeFolder);
    removeFolder();
  }
}

/** @throws ConfigurationError */
function refuseMisfits({ workers, observability }: ServerConfiguration): void {
  if (process.platform === 'win32') throw new ConfigurationError(`${workers} workers are not possible on Windows`);
  if (observability.tracing !== 'off') {
    throw new ConfigurationError(
      `observability.tracing is ${observability.tracing}, and there are ${workers} workers: messages can be followed by one worker only`,
    );
  }
}

/** @throws ConfigurationError where the folder for temporary files has too long a name */
function socketIn(folder: string): string {
  const path = join(folder, 'owner');
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
  throw new ConfigurationError(`${path} is too long for the socket of the workers; set TMPDIR to a shorter folder`);
}

interface ForkOptions extends PrimaryOptions {
  readonly socket: string;
  readonly relay: LineRelay;
}

/** A worker without a process has ended at once, so that there is another attempt after a pause. */
function fork(role: Role, events: WorkerEvents, options: ForkOptions): WorkerProcess {
  const failed = (error: unknown) => {
    log.error(`A process for the ${role} cannot be had: ${error instanceof Error ? error.message : String(error)}`);
    events.ended(NO_PROCESS);
  };
  cluster.setupPrimary({ args: ['start'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  // A worker's output is no terminal, whatever this one's is.
  const details = `${options.configuration.log.details}`;
  try {
    const worker = cluster.fork({ [ROLE_VARIABLE]: role, MINI_SYNAPSE_LOG_DETAILS: details });
    // What cannot be told to a process that is ending is told by its end.
    worker.on('error', (error) => {
      if (worker.process.pid === undefined) failed(error);
    });
    return follow(worker, events, options);
  } catch (error) {
    // Nobody knows of the worker before this returns.
    setImmediate(failed, error);
    return { pid: undefined, begin: () => {}, stop: () => {}, kill: () => {} };
  }
}

function follow(worker: Worker, events: WorkerEvents, { flags, socket, relay }: ForkOptions): WorkerProcess {
  endWithWorker(worker.process);
  const { stdout } = worker.process;
  const exited = Promise.withResolvers<void>();
  const written = stdout ? relay.relay(stdout, exited.promise) : Promise.resolve();
  const up = Promise.withResolvers<void>();
  const tell = (message: ToWorker) =>
    void up.promise.then(() => {
      if (worker.isConnected()) worker.send(message, () => {});
    });
  worker.on('message', (message: FromWorker) => {
    if (message.type === 'up') up.resolve();
    else if (message.type === 'ready') events.ready(message.ready);
    else if (message.type === 'asked') events.asked(message.how);
  });
  worker.once('exit', (code: number | null, signal: string | null) => {
    exited.resolve();
    void written.then(() => events.ended({ code, signal }));
  });
  return {
    pid: worker.process.pid,
    begin: () => tell({ type: 'begin', flags, socket }),
    stop: (cause) => tell({ type: 'stop', cause }),
    kill: () => void worker.process.kill('SIGKILL'),
  };
}
