import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { COMPAT_PROFILES, type CompatProfile, PROFILES } from '../compat/profile.ts';
import {
  type Cluster,
  DEFAULT_GROUP,
  DEFAULT_LEASE_MS,
  defaultNodeId,
  LONGEST_LEASE_MS,
  SHORTEST_LEASE_MS,
} from '../coordination/cluster.ts';
import type { ExtensionMapping } from '../extensions/extension-modules.ts';
import type { LogLevel } from '../logging/index.ts';
import type { CorsPolicy } from '../rest/cors.ts';
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
  /** The name that `pinnedServers` of proxies and message processors is compared with. */
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
  /** `[synapse] compat.profile`: whose behaviour wins where Apache's and WSO2's differ. */
  readonly profile: CompatProfile;
  /** `synapse.rest.CORSConfig.*` of REST APIs. */
  readonly cors: CorsPolicy;
  /** ms a store may take to confirm one message (OP-11). */
  readonly storeDeadlineMs: number;
  /** ms that a stop may take (OP-110). */
  readonly shutdownMs: number;
  /** Keep what was recorded about processors (OP-21)? */
  readonly keepState: boolean;
  /** Undefined: message processors are not coordinated with those of other nodes (spec stores 6.1). */
  readonly cluster: Cluster | undefined;
  /** JMS provider URL as artifacts say it -> the STOMP URL to use for it. */
  readonly stompUrls: ReadonlyMap<string, string>;
  /** Databases by their id, as MI's `[[datasource]]` names them. */
  readonly dataSources: ReadonlyMap<string, DataSource>;
  /** Modules of one's own, by the class name that artifacts say. */
  readonly extensions: ReadonlyMap<string, ExtensionMapping>;
  /** The folders that the file connector may work in; none: it may not be used. */
  readonly fileFolders: readonly string[];
  /** `${configs.name}` in artifacts. */
  readonly configs: ReadonlyMap<string, string>;
  /** `$FILE:KEY` in artifacts. */
  readonly fileProperties: ReadonlyMap<string, string>;
  /** The folder with one file per secret, for `wso2:vault-lookup('alias')`. */
  readonly secrets: string | undefined;
  /** ms that a script, and a stylesheet or query, may take for one message. */
  readonly isolation: { readonly scriptMs: number; readonly transformMs: number };
  /** An expression that cannot be evaluated is a fault, not empty text (MREQ-24). */
  readonly strictExpressions: boolean;
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
const DEFAULT_EXTENSION_DEADLINE_MS = 30_000;

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
  const profile = toml.oneOf('synapse.compat.profile', COMPAT_PROFILES) ?? 'wso2';
  const host = flags.host ?? toml.text('transport.http.listener.bind_address') ?? '127.0.0.1';
  const data = resolve(flags.data ?? toml.path('mini_synapse.data') ?? 'data');
  const configuration: ServerConfiguration = {
    artifacts: resolve(flags.artifacts ?? toml.path('mini_synapse.artifacts') ?? 'artifacts'),
    data,
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
      toml.integer(['mediation', 'synapse.global_timeout_interval'], { minimum: 1, maximum: 2 ** 31 - 1 }) ??
      PROFILES[profile].globalTimeoutMs,
    profile,
    cors: corsPolicy(toml),
    storeDeadlineMs: toml.integer('mini_synapse.store_deadline_ms', { minimum: 1, maximum: 600_000 }) ?? 10_000,
    shutdownMs: toml.integer('mini_synapse.shutdown_ms', { minimum: 0, maximum: 600_000 }) ?? 30_000,
    keepState: flags.keepState ?? toml.boolean('mini_synapse.keep_state') ?? true,
    cluster: cluster(toml, data),
    stompUrls: stompUrls(toml),
    dataSources: dataSources(toml),
    extensions: extensionMappings(toml),
    fileFolders: toml.paths('mini_synapse.file_folders'),
    configs: toml.table('mini_synapse.configs').texts(),
    fileProperties: readProperties(toml.path('mini_synapse.file_properties')),
    secrets: toml.path('mini_synapse.secrets'),
    isolation: {
      scriptMs: toml.integer('mini_synapse.script_limit_ms', { minimum: 1, maximum: 60_000 }) ?? 5_000,
      transformMs: toml.integer('mini_synapse.transform_limit_ms', { minimum: 1, maximum: 60_000 }) ?? 10_000,
    },
    strictExpressions: toml.boolean('mini_synapse.strict_expressions') ?? false,
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
    'extension',
    'cluster',
    'trusted_certificates',
    'configs',
    'secrets',
    'strict_expressions',
    'script_limit_ms',
    'transform_limit_ms',
    'file_properties',
    'file_folders',
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

/** `[synapse_properties] 'synapse.rest.CORSConfig.enabled' = true` and its siblings (spec proxies 6.4). */
function corsPolicy(toml: TomlReader): CorsPolicy {
  const property = (name: string) => ['synapse_properties', `synapse.rest.CORSConfig.${name}`];
  const origins = toml.text(property('Access-Control-Allow-Origin')) ?? '*';
  return {
    enabled: toml.boolean(property('enabled')) ?? false,
    origins: origins.split(',').map((origin) => origin.trim()),
    headers:
      toml.text(property('Access-Control-Allow-Headers')) ??
      'authorization,Access-Control-Allow-Origin,Content-Type,SOAPAction',
  };
}

/** `[mini_synapse.cluster] enabled = true`; the name of the node also as MI says it, `[cluster_config] node_id`. */
function cluster(toml: TomlReader, dataDirectory: string): Cluster | undefined {
  toml.table('mini_synapse.cluster').refuseUnknown(['enabled', 'node_id', 'group', 'lease_ms']);
  const enabled = toml.boolean('mini_synapse.cluster.enabled') ?? false;
  const node = toml.text('mini_synapse.cluster.node_id') ?? toml.text('cluster_config.node_id');
  const group = toml.text('mini_synapse.cluster.group');
  const range = { minimum: SHORTEST_LEASE_MS, maximum: LONGEST_LEASE_MS };
  const leaseMs = toml.integer('mini_synapse.cluster.lease_ms', range) ?? DEFAULT_LEASE_MS;
  if (!enabled) return undefined;
  return { node: node?.trim() || defaultNodeId(dataDirectory), group: group?.trim() || DEFAULT_GROUP, leaseMs };
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

/** `[[mini_synapse.extension]] class = "com.acme.MyStore"  module = "./extensions/my-store.ts"  deadline_ms = 30000` */
function extensionMappings(toml: TomlReader): Map<string, ExtensionMapping> {
  const found = new Map<string, ExtensionMapping>();
  for (const entry of toml.tables('mini_synapse.extension')) {
    entry.refuseUnknown(['class', 'module', 'deadline_ms']);
    const className = entry.text('class')?.trim();
    const file = entry.path('module');
    if (!className || !file) {
      throw new ConfigurationError(`${toml.file}: [[mini_synapse.extension]] needs 'class' and 'module'`);
    }
    if (!/\.[cm]?[jt]s$/.test(file)) {
      throw new ConfigurationError(
        `${toml.file}: the module of class '${className}' is ${JSON.stringify(entry.text('module'))}, expected a file that ends in .js, .mjs, .cjs, .ts, .mts or .cts`,
      );
    }
    if (found.has(className))
      throw new ConfigurationError(`${toml.file}: class '${className}' is mapped to two modules`);
    const deadlineMs = entry.integer('deadline_ms', { minimum: 1, maximum: 600_000 }) ?? DEFAULT_EXTENSION_DEADLINE_MS;
    found.set(className, { className, file, deadlineMs });
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
