import { type ConfigurationFlags, readConfiguration, type ServerConfiguration } from '../config/config.ts';
import { OPTIONS } from '../config/options.ts';
import { ConfigurationError } from '../config/toml-reader.ts';
import { DataFolderError } from '../data-folder.ts';
import { counted } from '../logging/counted.ts';
import { closeLogging, configureLogging, flushLogging, logger } from '../logging/index.ts';
import { UsersFileError } from '../management/security/users.ts';
import { type RunningServer, startServer } from '../server.ts';
import { ListenError } from '../transport/listening.ts';
import { TlsFilesError } from '../transport/tls.ts';
import type { PrimaryOptions } from '../workers/primary.ts';
import { ROLE_VARIABLE } from '../workers/process-messages.ts';
import type { Outcome, WorkerReady } from '../workers/supervisor.ts';
import { integerFlag, parseFlags, portFlag, wordFlag } from './arguments.ts';
import { type CommandIo, EXIT, isTerminal, stdinOf, UsageError } from './io.ts';
import { finishStart, releaseStartUpMemory } from './start-up-memory.ts';
import { START } from './table/server.ts';
import { version } from './version.ts';

/** `mini-synapse start [DIR]`: serves until a signal; returns the exit code (design 2). */
export async function start(args: string[], io: CommandIo): Promise<number> {
  if (process.env[ROLE_VARIABLE] !== undefined) return serveAsWorker(io);
  const flags = readFlags(args);
  const signal = stopSignal();
  // A start begins with the process, where reading the code takes most of the time; a restart begins here.
  for (let begun = 0; ; begun = performance.now()) {
    const outcome = await serve(flags, signal, io, begun);
    if (outcome !== 'restart') return outcome;
  }
}

/**
 * Serves until a signal comes or the management API is asked to end it; the exit code, or that it is to be started anew.
 * @param begun when this start has begun, ms since the process did
 */
async function serve(
  flags: ConfigurationFlags,
  signal: Promise<NodeJS.Signals>,
  io: CommandIo,
  begun: number,
): Promise<number | 'restart'> {
  let server: RunningServer;
  let configuration: ServerConfiguration;
  try {
    configuration = readConfiguration(flags);
    if (configuration.workers > 1) return await supervise({ configuration, flags, signal }, io, begun);
    configureLogging({ ...configuration.log, stream: io.stdout, startsWinstonLater: true });
    server = await startServer(configuration, { version: version() });
  } catch (error) {
    closeLogging();
    return reportFailure(error, io);
  }
  writeReadyLine(server, performance.now() - begun, io);
  finishStart();
  const stopKeys = await keys(server, configuration, io);
  const cause = await Promise.race([signal, server.askedToEnd]);
  stopKeys();
  await stop(cause, server, configuration.shutdownMs);
  closeLogging();
  return cause === 'restart' ? cause : EXIT.fine;
}

/** The same with several processes that do it. */
async function supervise(
  what: Pick<PrimaryOptions, 'configuration' | 'flags' | 'signal'>,
  io: CommandIo,
  begun: number,
): Promise<number | 'restart'> {
  const { superviseWorkers } = await import('../workers/primary.ts');
  const onReady = (ready: WorkerReady) => {
    writeReadyLine(ready, performance.now() - begun, io);
    releaseStartUpMemory();
  };
  return outcomeOf(await superviseWorkers({ ...what, stdout: io.stdout, onReady }));
}

function outcomeOf(outcome: Outcome): number | 'restart' {
  if (outcome.kind === 'stopped') return outcome.cause === 'restart' ? 'restart' : EXIT.fine;
  // The worker that could not start has said why.
  return outcome.kind === 'not started' ? outcome.end.code || EXIT.wrong : EXIT.wrong;
}

/** This process is one of several workers: ends itself, as the channel to the supervising process would keep it alive. */
async function serveAsWorker(io: CommandIo): Promise<never> {
  const { takeRole, work } = await import('../workers/worker.ts');
  const role = takeRole(process.env) ?? 'taker';
  let code: number = EXIT.fine;
  try {
    await work({
      role,
      stdout: io.stdout,
      start: (configuration, part) => startServer(configuration, { version: version(), part }),
      opened: finishStart,
    });
  } catch (error) {
    closeLogging();
    code = reportFailure(error, io);
  }
  process.exit(code);
}

/** Keys of a person at a terminal; returns how to stop listening. */
async function keys(server: RunningServer, { management }: ServerConfiguration, io: CommandIo): Promise<() => void> {
  if (!isTerminal(stdinOf(io)) || !isTerminal(io.stdout)) return () => {};
  const { devKeys } = await import('./dev-keys.ts');
  const host = ['0.0.0.0', '::'].includes(server.managementHost) ? '127.0.0.1' : server.managementHost;
  const written = host.includes(':') ? `[${host}]` : host;
  return devKeys(server, `${management.tls ? 'https' : 'http'}://${written}:${server.managementPort}/`, io);
}

function readFlags(args: string[]): ConfigurationFlags {
  const { values, positionals } = parseFlags(args, START.options);
  if (positionals.length > 1)
    throw new UsageError(`one directory expected, got ${positionals.length}: ${positionals.join(' ')}`);
  const keepState = wordFlag('keep-state', values['keep-state'], ['yes', 'no'] as const);
  return {
    artifacts: positionals[0],
    config: values.config,
    data: values.data,
    host: values.host,
    httpPort: portFlag('http-port', values['http-port']),
    httpsPort: portFlag('https-port', values['https-port']),
    managementPort: portFlag('management-port', values['management-port']),
    watch: values.watch,
    keepState: keepState && keepState === 'yes',
    workers: integerFlag(
      'workers',
      values.workers,
      OPTIONS['mini_synapse.workers'].minimum,
      OPTIONS['mini_synapse.workers'].maximum,
    ),
    logLevel: wordFlag('log-level', values['log-level'], ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const),
    logFormat: wordFlag('log-format', values['log-format'], ['text', 'json'] as const),
  };
}

/** Behind all lines of the log that were written before. */
function writeReadyLine(server: WorkerReady, elapsedMs: number, { stdout }: CommandIo): void {
  flushLogging();
  stdout.write(`${readyLine(server, elapsedMs)}\n`);
}

/** The line that scripts wait for (design 2). */
export function readyLine(server: WorkerReady, elapsedMs: number): string {
  const { host, httpPort, httpsPort, managementHost, managementPort, artifactCount, faultyCount } = server;
  const faulty = faultyCount > 0 ? `, ${faultyCount} faulty` : '';
  return `mini-synapse ready in ${Math.round(elapsedMs)} ms · http ${host}:${httpPort} · https ${host}:${httpsPort} · management ${managementHost}:${managementPort} · ${counted(artifactCount, 'artifact')}${faulty}`;
}

/** The first SIGTERM or SIGINT, heard from now on, also while the server is still starting; a second one ends the process (OP-110). */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (asked) process.exit(EXIT.fine);
        asked = true;
        resolve(name);
      });
    }
  });
}

/** Every part of a stop has a deadline of its own; the process as a whole has this one (OP-110). */
async function stop(cause: string, server: RunningServer, deadlineMs: number): Promise<void> {
  const log = logger('Server');
  log.info(`Gracefully shutting down mini-synapse (${cause}); a second signal stops at once`);
  const exit = () => {
    log.warn(`Not everything has ended within ${deadlineMs} ms; the rest is cut off`);
    closeLogging();
    process.exit(EXIT.fine);
  };
  // Unreferenced, and not cleared at the end: it also ends a process that something keeps alive after the stop.
  const timer = setTimeout(exit, deadlineMs).unref();
  await server.stop();
  if (cause === 'restart') clearTimeout(timer);
  log.info('mini-synapse shutdown complete');
}

function reportFailure(error: unknown, io: CommandIo): number {
  const code = exitCodeOf(error);
  if (code === undefined || !(error instanceof Error)) throw error;
  io.stderr.write(`mini-synapse start: ${error.message}\n`);
  return code;
}

/** Undefined for what nobody expected: that is shown with its stack. */
function exitCodeOf(error: unknown): number | undefined {
  const wrong = [ConfigurationError, TlsFilesError, UsersFileError].some((kind) => error instanceof kind);
  if (wrong) return EXIT.wrong;
  // A port, an address, a folder: what the machine does not give.
  const missing = error instanceof ListenError || error instanceof DataFolderError || isSystemError(error);
  return missing ? EXIT.unavailable : undefined;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
