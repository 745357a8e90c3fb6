import { type ConfigurationFlags, readConfiguration, type ServerConfiguration } from '../config/config.ts';
import { ConfigurationError } from '../config/toml-reader.ts';
import { closeLogging, configureLogging, logger } from '../logging/index.ts';
import { type RunningServer, startServer } from '../server.ts';
import { ListenError } from '../transport/listening.ts';
import { TlsFilesError } from '../transport/tls.ts';
import { parseFlags, portFlag, wordFlag } from './arguments.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { version } from './version.ts';

const FLAGS = {
  'http-port': { type: 'string' },
  'https-port': { type: 'string' },
  'management-port': { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  config: { type: 'string' },
  watch: { type: 'boolean' },
  'keep-state': { type: 'string' },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' },
} as const;

/** `mini-synapse start [DIR]`: serves until a signal; returns the exit code (design 2). */
export async function start(args: string[], io: CommandIo): Promise<number> {
  const flags = readFlags(args);
  const begun = performance.now();
  const signal = stopSignal();
  let server: RunningServer;
  let configuration: ServerConfiguration;
  try {
    configuration = readConfiguration(flags);
    configureLogging({ ...configuration.log, stream: io.stdout });
    server = await startServer(configuration, { version: version() });
  } catch (error) {
    closeLogging();
    return reportFailure(error, io);
  }
  io.stdout.write(`${readyLine(server, performance.now() - begun)}\n`);
  await stopAt(signal, server, configuration.shutdownMs);
  closeLogging();
  return EXIT.fine;
}

function readFlags(args: string[]): ConfigurationFlags {
  const { values, positionals } = parseFlags(args, FLAGS);
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
    logLevel: wordFlag('log-level', values['log-level'], ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const),
    logFormat: wordFlag('log-format', values['log-format'], ['text', 'json'] as const),
  };
}

/** The line that scripts wait for (design 2). */
export function readyLine(server: RunningServer, elapsedMs: number): string {
  const { host, httpPort, httpsPort, managementHost, managementPort, artifactCount, faultyCount } = server;
  const faulty = faultyCount > 0 ? `, ${faultyCount} faulty` : '';
  return `mini-synapse ready in ${Math.round(elapsedMs)} ms · http ${host}:${httpPort} · https ${host}:${httpsPort} · management ${managementHost}:${managementPort} · ${artifactCount} artifacts${faulty}`;
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
async function stopAt(signal: Promise<NodeJS.Signals>, server: RunningServer, deadlineMs: number): Promise<void> {
  const log = logger('Server');
  log.info(`Gracefully shutting down mini-synapse (${await signal}); a second signal stops at once`);
  const exit = () => {
    log.warn(`Not everything has ended within ${deadlineMs} ms; the rest is cut off`);
    closeLogging();
    process.exit(EXIT.fine);
  };
  // Unreferenced and not cleared: it also ends a process that something keeps alive after the stop.
  setTimeout(exit, deadlineMs).unref();
  await server.stop();
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
  if (error instanceof ConfigurationError || error instanceof TlsFilesError) return EXIT.wrong;
  // A port, an address, a folder: what the machine does not give.
  return error instanceof ListenError || isSystemError(error) ? EXIT.unavailable : undefined;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
