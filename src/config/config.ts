import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { LogLevel } from '../logging/index.ts';
import type { DataSource } from '../stores/component.ts';
import { ConfigurationError, TomlReader } from './toml-reader.ts';

/** Everything the server can be told, validated and frozen: flags win over `deployment.toml`, which wins over the defaults. */
export interface ServerConfiguration {
  readonly artifacts: string;
  readonly data: string;
  readonly host: string;
  /** 0 means any free port. */
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly managementPort: number;
  readonly managementHost: string;
  readonly watch: boolean;
  /** The name that `pinnedServers` of a proxy is compared with. */
  readonly serverName: string;
  readonly log: { readonly level: LogLevel; readonly format: 'text' | 'json' };
  /** PEM files; undefined: a self-signed certificate is made on first start. */
  readonly tls: { readonly keyFile: string; readonly certificateFile: string } | undefined;
  readonly limits: {
    /** Bytes of a request body; 413 beyond (OP-91). */
    readonly maxBodyBytes: number;
  };
  /** ms without an answer after which any send expires (`synapse.global_timeout_interval`). */
  readonly globalTimeoutMs: number;
  /** ms a store may take to confirm one message (OP-11). */
  readonly storeDeadlineMs: number;
  /** ms that a stop may take (OP-110). */
  readonly shutdownMs: number;
  /** Keep what was recorded about processors (OP-21)? */
  readonly keepState: boolean;
  /** JMS provider URL as artifacts say it -> the STOMP URL to use for it. */
  readonly stompUrls: ReadonlyMap<string, string>;
  /** Databases by their id, as MI's `[[datasource]]` names them. */
  readonly dataSources: ReadonlyMap<string, DataSource>;
  /** `${configs.name}` in artifacts. */
  readonly configs: ReadonlyMap<string, string>;
  /** `$FILE:KEY` in artifacts. */
  readonly fileProperties: ReadonlyMap<string, string>;
  /** PEM certificates that back ends' TLS is verified with, besides the well-known ones. */
  readonly trustedCertificatesFile: string | undefined;
}

/** Flags of `start`, as typed; undefined where not given. */
export interface ConfigurationFlags {
  readonly artifacts?: string | undefined;
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly httpPort?: number | undefined;
  readonly httpsPort?: number | undefined;
  readonly managementPort?: number | undefined;
  readonly watch?: boolean | undefined;
  readonly keepState?: boolean | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly logFormat?: 'text' | 'json' | undefined;
}

export const DEFAULT_CONFIG_FILE = 'deployment.toml';
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const MAX_PORT = 65_535;
const MEBIBYTE = 1024 * 1024;

/**
 * Reads the configuration. MI's own names are used where they exist (spec proxies 2.1, 2.2); everything that is ours stands in the
 * table `mini_synapse`, where a misspelt key is an error.
 * @throws ConfigurationError naming file, key, value and what was expected
 */
export function readConfiguration(flags: ConfigurationFlags = {}): ServerConfiguration {
  const toml = readToml(flags.config);
  const own = toml.table('mini_synapse');
  const offset = toml.integer('server.offset', { minimum: 0, maximum: MAX_PORT }) ?? 0;
  const port = (flag: number | undefined, key: string, fallback: number) => {
    // Read even where a flag wins: a wrong value is a mistake all the same.
    const configured = toml.integer(key, { minimum: 0, maximum: MAX_PORT }) ?? fallback;
    return flag ?? offsetPort(configured, offset);
  };
  const host = flags.host ?? toml.text('transport.http.listener.bind_address') ?? '127.0.0.1';
  const configuration: ServerConfiguration = {
    artifacts: resolve(flags.artifacts ?? toml.path('mini_synapse.artifacts') ?? 'artifacts'),
    data: resolve(flags.data ?? toml.path('mini_synapse.data') ?? 'data'),
    host,
    httpPort: port(flags.httpPort, 'transport.http.listener.port', 8280),
    httpsPort: port(flags.httpsPort, 'transport.http.listener.secured_port', 8243),
    managementPort: port(flags.managementPort, 'management_api.port', 9164),
    managementHost: toml.text('management_api.bind_address') ?? '127.0.0.1',
    watch: flags.watch ?? toml.boolean('server.hot_deployment') ?? true,
    serverName: toml.text('server.name') ?? 'localhost',
    log: {
      level: flags.logLevel ?? toml.oneOf('mini_synapse.log.level', LOG_LEVELS) ?? 'info',
      format: flags.logFormat ?? toml.oneOf('mini_synapse.log.format', ['text', 'json'] as const) ?? 'text',
    },
    tls: tlsFiles(toml),
    limits: {
      maxBodyBytes: toml.integer('mini_synapse.max_body_bytes', { minimum: 1, maximum: 2 ** 31 }) ?? 16 * MEBIBYTE,
    },
    globalTimeoutMs:
      toml.integer(['mediation', 'synapse.global_timeout_interval'], { minimum: 1, maximum: 2 ** 31 - 1 }) ?? 120_000,
    storeDeadlineMs: toml.integer('mini_synapse.store_deadline_ms', { minimum: 1, maximum: 600_000 }) ?? 10_000,
    shutdownMs: toml.integer('mini_synapse.shutdown_ms', { minimum: 0, maximum: 600_000 }) ?? 30_000,
    keepState: flags.keepState ?? toml.boolean('mini_synapse.keep_state') ?? true,
    stompUrls: stompUrls(toml),
    dataSources: dataSources(toml),
    configs: toml.table('mini_synapse.configs').texts(),
    fileProperties: readProperties(toml.path('mini_synapse.file_properties')),
    trustedCertificatesFile: toml.path('mini_synapse.trusted_certificates'),
  };
  own.refuseUnknown([
    'artifacts',
    'data',
    'log',
    'tls',
    'max_body_bytes',
    'store_deadline_ms',
    'shutdown_ms',
    'keep_state',
    'jms',
    'trusted_certificates',
    'configs',
    'file_properties',
  ]);
  return Object.freeze(configuration);
}

function offsetPort(port: number, offset: number): number {
  return port === 0 ? 0 : Math.min(port + offset, MAX_PORT);
}

function tlsFiles(toml: TomlReader): ServerConfiguration['tls'] {
  const keyFile = toml.path('mini_synapse.tls.key');
  const certificateFile = toml.path('mini_synapse.tls.certificate');
  if (keyFile === undefined && certificateFile === undefined) return undefined;
  if (keyFile === undefined || certificateFile === undefined) {
    throw new ConfigurationError(`${toml.file}: [mini_synapse.tls] needs both 'key' and 'certificate' (PEM files)`);
  }
  return { keyFile, certificateFile };
}

/** `[[mini_synapse.jms]] provider_url = "tcp://…"  stomp_url = "stomp://…"` */
function stompUrls(toml: TomlReader): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of toml.tables('mini_synapse.jms')) {
    const provider = entry.text('provider_url');
    const stomp = entry.text('stomp_url');
    if (!provider || !stomp) {
      throw new ConfigurationError(`${toml.file}: [[mini_synapse.jms]] needs 'provider_url' and 'stomp_url'`);
    }
    found.set(provider.trim(), stomp.trim());
  }
  return found;
}

/** `[[datasource]] id = "…" url = "jdbc:…" username = "…" password = "…" driver = "…"` */
function dataSources(toml: TomlReader): Map<string, DataSource> {
  const found = new Map<string, DataSource>();
  for (const entry of toml.tables('datasource')) {
    const id = entry.text('id');
    const url = entry.text('url');
    if (!id || !url) throw new ConfigurationError(`${toml.file}: [[datasource]] needs 'id' and 'url'`);
    const [username, password, driver] = [entry.text('username'), entry.text('password'), entry.text('driver')];
    found.set(id, { url, username, password, driver });
  }
  return found;
}

/** `key=value` lines, as in file.properties. */
function readProperties(file: string | undefined): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of (file === undefined ? '' : (readIfThere(file, true) ?? '')).split(/\r?\n/)) {
    const [, key, value] = /^\s*([^#!=:\s][^=:\s]*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined) found.set(key, value ?? '');
  }
  return found;
}

function readToml(named: string | undefined): TomlReader {
  const file = named ?? DEFAULT_CONFIG_FILE;
  const text = readIfThere(file, named !== undefined);
  if (text === undefined) return new TomlReader({}, file, process.cwd());
  try {
    return new TomlReader(parse(text), file, dirname(resolve(file)));
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    throw new ConfigurationError(`${file}:${cause.line}:${cause.column}: ${cause.message}`, { cause });
  }
}

function readIfThere(file: string, required: boolean): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigurationError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
