import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { AlertSettings } from '../alerts/settings.ts';
import { type CompatProfile, PROFILES } from '../compat/profile.ts';
import { type Cluster, DEFAULT_GROUP, defaultNodeId } from '../coordination/cluster.ts';
import type { ExtensionMapping } from '../extensions/extension-modules.ts';
import type { LogLevel } from '../logging/index.ts';
import type { CorsPolicy } from '../rest/cors.ts';
import type { SecuritySettings } from '../security/settings.ts';
import type { DataSource } from '../stores/component.ts';
import { readAlerts } from './alerts.ts';
import { type ManagementSettings, readManagement } from './management.ts';
import { readSecurity } from './security.ts';
import { type EffectiveSetting, Settings } from './settings.ts';
import { readSynapseProperties, type SynapseProperties } from './synapse-properties.ts';
import { ConfigurationError, TomlReader } from './toml-reader.ts';
import { unknownKeys } from './unknown-keys.ts';

/** Everything the server can be told, validated and frozen: flags win over the environment, that over `deployment.toml`, that over the defaults. */
export interface ServerConfiguration {
  readonly artifacts: string;
  readonly data: string;
  readonly host: string;
  /** 0 means any free port. */
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly managementPort: number;
  readonly managementHost: string;
  /** Users, tokens and TLS of the management API. */
  readonly management: ManagementSettings;
  readonly watch: boolean;
  /** The name that `pinnedServers` of proxies and message processors is compared with. */
  readonly serverName: string;
  readonly log: { readonly level: LogLevel; readonly format: 'text' | 'json'; readonly details: boolean };
  /** PEM files; undefined: a self-signed certificate is made on first start. */
  readonly tls: { readonly keyFile: string; readonly certificateFile: string } | undefined;
  readonly limits: {
    /** Bytes of a request body; 413 beyond (OP-91). */
    readonly maxBodyBytes: number;
    /** Elements, attributes and texts of one XML document (OP-91). */
    readonly maxXmlNodes: number;
    /** Parts that iterate or foreach make of one message (OP-91). */
    readonly maxParts: number;
  };
  /** ms without an answer after which any send expires (`synapse.global_timeout_interval`). */
  readonly globalTimeoutMs: number;
  /** `[synapse] compat.profile`: whose behaviour wins where Apache's and WSO2's differ. */
  readonly profile: CompatProfile;
  /** `synapse.rest.CORSConfig.*` of REST APIs. */
  readonly cors: CorsPolicy;
  /** ms a store may take to confirm one message (OP-11). */
  readonly storeDeadlineMs: number;
  /** Processes that share the HTTP and HTTPS listeners; 1: there is only this one. */
  readonly workers: number;
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
  /** An artifact file with warnings is as wrong as one with errors (MREQ-3). */
  readonly strictArtifacts: boolean;
  /** PEM certificates that back ends' TLS is verified with, besides the well-known ones. */
  readonly trustedCertificatesFile: string | undefined;
  /** What `[synapse_properties]` says of conversions between JSON and XML, and what it says in vain. */
  readonly synapseProperties: SynapseProperties;
  /** A sentence about what the file says of other servers, and in vain here; undefined: nothing. */
  readonly unknown: string | undefined;
  /** Keys and users for WS-Security. */
  readonly security: SecuritySettings;
  readonly observability: ObservabilitySettings;
  /** Who is told of what happens. */
  readonly alerts: AlertSettings;
  /** All settings as they are in effect, with where each value came from. */
  readonly effective: readonly EffectiveSetting[];
}

/** What is followed, and where spans go (OP-46, OP-73). */
export interface ObservabilitySettings {
  readonly tracing: 'off' | 'sampled' | 'on';
  /** 0 to 1. */
  readonly sample: number;
  /** Undefined: no spans are made. */
  readonly otlp: OtlpSettings | undefined;
}

export interface OtlpSettings {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** 0 to 1. */
  readonly sample: number;
  readonly serviceName: string;
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
  readonly workers?: number | undefined;
}

export const DEFAULT_CONFIG_FILE = 'deployment.toml';
const MAX_PORT = 65_535;
const DEFAULT_EXTENSION_DEADLINE_MS = 30_000;

/**
 * Reads the configuration. MI's own names are used where they exist (spec proxies 2.1, 2.2); what is ours stands in tables of its own. A
 * misspelt key is an error in all of them; another one of MI's is told of.
 * @throws ConfigurationError naming file, key, value and what was expected
 */
export function readConfiguration(
  flags: ConfigurationFlags = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ServerConfiguration {
  const toml = readToml(flags.config);
  const own = toml.table('mini_synapse');
  const settings = new Settings(toml, flagsByName(flags), environment);
  const data = settings.get('mini_synapse.data');
  const profile = settings.get('synapse.compat.profile');
  const managementHost = settings.get('management_api.bind_address');
  const globalTimeoutMs =
    settings.get('mediation.synapse.global_timeout_interval') ?? PROFILES[profile].globalTimeoutMs;
  settings.note('mediation.synapse.global_timeout_interval', globalTimeoutMs);
  const configuration: Omit<ServerConfiguration, 'effective'> = {
    artifacts: settings.get('mini_synapse.artifacts'),
    data,
    host: settings.get('transport.http.listener.bind_address'),
    httpPort: portOf(settings, 'transport.http.listener.port'),
    httpsPort: portOf(settings, 'transport.http.listener.secured_port'),
    managementPort: portOf(settings, 'management_api.port'),
    managementHost,
    management: readManagement(toml, settings),
    watch: settings.get('server.hot_deployment'),
    serverName: settings.get('server.name'),
    log: {
      level: settings.get('mini_synapse.log.level'),
      format: settings.get('mini_synapse.log.format'),
      details: settings.get('mini_synapse.log.details'),
    },
    tls: tlsFiles(settings, toml),
    limits: {
      maxBodyBytes: settings.get('mini_synapse.max_body_bytes'),
      maxXmlNodes: settings.get('mini_synapse.max_xml_nodes'),
      maxParts: settings.get('mini_synapse.max_parts'),
    },
    globalTimeoutMs,
    profile,
    cors: corsPolicy(settings),
    storeDeadlineMs: settings.get('mini_synapse.store_deadline_ms'),
    workers: settings.get('mini_synapse.workers'),
    shutdownMs: settings.get('mini_synapse.shutdown_ms'),
    keepState: settings.get('mini_synapse.keep_state'),
    cluster: cluster(settings, toml, data),
    stompUrls: stompUrls(toml),
    dataSources: dataSources(toml),
    extensions: extensionMappings(toml),
    fileFolders: settings.get('mini_synapse.file_folders'),
    configs: toml.table('mini_synapse.configs').texts(),
    fileProperties: readProperties(settings.get('mini_synapse.file_properties')),
    secrets: settings.get('mini_synapse.secrets'),
    isolation: {
      scriptMs: settings.get('mini_synapse.script_limit_ms'),
      transformMs: settings.get('mini_synapse.transform_limit_ms'),
    },
    synapseProperties: readSynapseProperties(toml),
    security: readSecurity(toml),
    observability: observability(settings),
    alerts: readAlerts(toml, settings),
    strictExpressions: settings.get('mini_synapse.strict_expressions'),
    strictArtifacts: settings.get('mini_synapse.strict_artifacts'),
    trustedCertificatesFile: settings.get('mini_synapse.trusted_certificates'),
    unknown: unknownKeys(toml),
  };
  own.refuseUnknown([
    'artifacts',
    'data',
    'workers',
    'log',
    'tls',
    'max_body_bytes',
    'max_xml_nodes',
    'max_parts',
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
    'strict_artifacts',
    'script_limit_ms',
    'transform_limit_ms',
    'file_properties',
    'file_folders',
    'security',
  ]);
  return Object.freeze({ ...configuration, effective: settings.effective() });
}

function flagsByName(flags: ConfigurationFlags): Record<string, string | number | boolean | undefined> {
  const { config: _, ...others } = flags;
  const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(others).map(([name, value]) => [kebab(name), value]));
}

/** Flags say which port they mean; elsewhere the offset is added. */
function observability(settings: Settings): ObservabilitySettings {
  const endpoint = settings.get('observability.otlp.endpoint');
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new ConfigurationError(
      `observability.otlp.endpoint is ${JSON.stringify(endpoint)}, expected a URL like http://127.0.0.1:4318/v1/traces`,
    );
  }
  return {
    tracing: settings.get('observability.tracing'),
    sample: settings.get('observability.tracing_sample_percent') / 100,
    otlp: endpoint === undefined ? undefined : otlp(endpoint, settings),
  };
}

function otlp(endpoint: string, settings: Settings): OtlpSettings {
  const headers: Record<string, string> = {};
  for (const pair of (settings.get('observability.otlp.headers') ?? '').split(',')) {
    const [name, ...value] = pair.split('=');
    if (name?.trim()) headers[name.trim()] = value.join('=').trim();
  }
  return {
    endpoint,
    headers,
    sample: settings.get('observability.otlp.sample_percent') / 100,
    serviceName: settings.get('observability.otlp.service_name'),
  };
}

function portOf(
  settings: Settings,
  key: 'transport.http.listener.port' | 'transport.http.listener.secured_port' | 'management_api.port',
): number {
  const written = settings.get(key);
  const offset = settings.get('server.offset');
  if (settings.origin(key) === 'flag' || written === 0) return written;
  const port = Math.min(written + offset, MAX_PORT);
  settings.note(key, port);
  return port;
}

function tlsFiles(settings: Settings, toml: TomlReader): ServerConfiguration['tls'] {
  const keyFile = settings.get('mini_synapse.tls.key');
  const certificateFile = settings.get('mini_synapse.tls.certificate');
  if (keyFile === undefined && certificateFile === undefined) return undefined;
  if (keyFile === undefined || certificateFile === undefined) {
    throw new ConfigurationError(`${toml.file}: [mini_synapse.tls] needs both 'key' and 'certificate' (PEM files)`);
  }
  return { keyFile, certificateFile };
}

/** `[synapse_properties] 'synapse.rest.CORSConfig.enabled' = true` and its siblings (spec proxies 6.4). */
function corsPolicy(settings: Settings): CorsPolicy {
  const origins = settings.get('synapse_properties.synapse.rest.CORSConfig.Access-Control-Allow-Origin');
  return {
    enabled: settings.get('synapse_properties.synapse.rest.CORSConfig.enabled'),
    origins: origins.split(',').map((origin) => origin.trim()),
    headers: settings.get('synapse_properties.synapse.rest.CORSConfig.Access-Control-Allow-Headers'),
  };
}

/** `[mini_synapse.cluster] enabled = true`; the name of the node also as MI says it, `[cluster_config] node_id`. */
function cluster(settings: Settings, toml: TomlReader, dataDirectory: string): Cluster | undefined {
  toml.table('mini_synapse.cluster').refuseUnknown(['enabled', 'node_id', 'group', 'lease_ms']);
  const node = settings.get('mini_synapse.cluster.node_id') ?? settings.get('cluster_config.node_id');
  const group = settings.get('mini_synapse.cluster.group');
  const leaseMs = settings.get('mini_synapse.cluster.lease_ms');
  if (!settings.get('mini_synapse.cluster.enabled')) return undefined;
  return { node: node?.trim() || defaultNodeId(dataDirectory), group: group.trim() || DEFAULT_GROUP, leaseMs };
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
    return new TomlReader(parse(text), file, dirname(resolve(file)), '', text);
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
