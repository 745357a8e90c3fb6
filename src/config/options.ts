import { COMPAT_PROFILES } from '../compat/profile.ts';
import { DEFAULT_GROUP, DEFAULT_LEASE_MS, LONGEST_LEASE_MS, SHORTEST_LEASE_MS } from '../coordination/cluster.ts';

/** One setting with a single value. */
export interface Option {
  readonly type: 'text' | 'texts' | 'integer' | 'boolean' | 'word' | 'path' | 'paths';
  readonly description: string;
  /** Its place in the TOML document where a part of that contains a dot; else the parts of its key. */
  readonly path?: readonly string[];
  readonly default?: string | number | boolean;
  /** Said of a default that depends on something. */
  readonly defaultText?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly words?: readonly string[];
  /** The flag of `start` that wins over everything else. */
  readonly flag?: string;
  readonly secret?: boolean;
}

const PORT = { type: 'integer', minimum: 0, maximum: 65_535 } as const;
const MEBIBYTE = 1024 * 1024;
const LONGEST_MS = 2 ** 31 - 1;

function cors(name: string): readonly string[] {
  return ['synapse_properties', `synapse.rest.CORSConfig.${name}`];
}

/**
 * Every setting with a single value: what `deployment.toml`, the environment and flags may say, what is documented, and what
 * `mini-synapse config` and the management API show. Names are MI's where it has them (spec proxies 2.1, 2.2).
 */
export const OPTIONS = {
  'server.name': { type: 'text', default: 'localhost', description: 'Compared with pinnedServers of artifacts' },
  'server.offset': { ...PORT, default: 0, description: 'Added to the ports that the file says' },
  'server.hot_deployment': { type: 'boolean', default: true, flag: 'watch', description: 'Deploy changes of files' },
  'transport.http.listener.bind_address': {
    type: 'text',
    default: '127.0.0.1',
    flag: 'host',
    description: 'Where the HTTP and HTTPS listeners listen',
  },
  'transport.http.listener.port': {
    ...PORT,
    default: 8280,
    flag: 'http-port',
    description: 'HTTP; 0 is any free port',
  },
  'transport.http.listener.secured_port': { ...PORT, default: 8243, flag: 'https-port', description: 'HTTPS' },
  'management_api.port': { ...PORT, default: 9164, flag: 'management-port', description: 'Management API and console' },
  'management_api.bind_address': {
    type: 'text',
    default: '127.0.0.1',
    description: 'Where the management API listens; other addresses than loopback need users and TLS',
  },
  'management.required_stores': {
    type: 'texts',
    description: 'Message stores without which the server is not ready',
  },
  'management.strict_health': {
    type: 'boolean',
    default: false,
    description: 'A faulty artifact makes the server unready',
  },
  'console.bodies': {
    type: 'word',
    words: ['viewer', 'operator'],
    default: 'viewer',
    description: 'The least role that is shown what messages contain, in the console and by the management API',
  },
  'management.tls': { type: 'boolean', default: false, description: 'HTTPS for the management API' },
  'mediation.synapse.global_timeout_interval': {
    type: 'integer',
    path: ['mediation', 'synapse.global_timeout_interval'],
    minimum: 1,
    maximum: LONGEST_MS,
    defaultText: '120000, or 24 h with the profile apache',
    description: 'ms without an answer after which any send expires',
  },
  'synapse.compat.profile': {
    type: 'word',
    words: COMPAT_PROFILES,
    default: 'wso2',
    description: "Whose behaviour wins where Apache's and WSO2's differ",
  },
  'synapse_properties.synapse.rest.CORSConfig.enabled': {
    type: 'boolean',
    path: cors('enabled'),
    default: false,
    description: 'REST APIs answer CORS requests',
  },
  'synapse_properties.synapse.rest.CORSConfig.Access-Control-Allow-Origin': {
    type: 'text',
    path: cors('Access-Control-Allow-Origin'),
    default: '*',
    description: 'Origins, separated by commas',
  },
  'synapse_properties.synapse.rest.CORSConfig.Access-Control-Allow-Headers': {
    type: 'text',
    path: cors('Access-Control-Allow-Headers'),
    default: 'authorization,Access-Control-Allow-Origin,Content-Type,SOAPAction',
    description: 'Headers that such requests may have',
  },
  'cluster_config.node_id': { type: 'text', description: "The name of this node, as MI's configuration says it" },
  'mini_synapse.artifacts': {
    type: 'path',
    default: 'artifacts',
    flag: 'artifacts',
    description: 'The artifact folder',
  },
  'mini_synapse.data': { type: 'path', default: 'data', flag: 'data', description: 'Where the server keeps its data' },
  'mini_synapse.workers': {
    type: 'integer',
    minimum: 1,
    maximum: 64,
    default: 1,
    flag: 'workers',
    description: 'Processes that share the HTTP and HTTPS listeners; one of them has stores, processors and tasks',
  },
  'mini_synapse.log.level': {
    type: 'word',
    words: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'],
    default: 'info',
    flag: 'log-level',
    description: 'The least level that is logged',
  },
  'mini_synapse.log.format': {
    type: 'word',
    words: ['text', 'json'],
    default: 'text',
    flag: 'log-format',
    description: 'json writes one object a line',
  },
  'mini_synapse.log.details': {
    type: 'boolean',
    // Programs that read the output know the reference's lines.
    default: process.stdout.isTTY === true,
    description:
      'Lines of text about a message end with its artifact, file:line, id, attempt and cause; true where the output is a terminal',
  },
  'mini_synapse.tls.key': { type: 'path', description: 'PEM key of the HTTPS listeners' },
  'mini_synapse.tls.certificate': {
    type: 'path',
    defaultText: 'a self-signed one, made on the first start',
    description: 'PEM certificate of the HTTPS listeners',
  },
  'mini_synapse.trusted_certificates': { type: 'path', description: 'PEM certificates that back ends may have, too' },
  'mini_synapse.max_body_bytes': {
    type: 'integer',
    minimum: 1,
    maximum: 2 ** 31,
    default: 16 * MEBIBYTE,
    description: 'Bytes of a request body; 413 beyond',
  },
  'mini_synapse.max_xml_nodes': {
    type: 'integer',
    minimum: 1_000,
    maximum: 20_000_000,
    default: 2_000_000,
    description:
      'Elements, attributes and texts of one XML document, values of one JSON document; each takes about 100 bytes of memory',
  },
  'mini_synapse.max_parts': {
    type: 'integer',
    minimum: 1,
    maximum: 5_000_000,
    default: 1_000_000,
    description: 'Parts that iterate or foreach make of one message',
  },
  'mini_synapse.store_deadline_ms': {
    type: 'integer',
    minimum: 1,
    maximum: 600_000,
    default: 10_000,
    description: 'ms that a store may take to confirm a message',
  },
  'mini_synapse.shutdown_ms': {
    type: 'integer',
    minimum: 0,
    maximum: 600_000,
    default: 30_000,
    description: 'ms that a stop may take',
  },
  'mini_synapse.keep_state': {
    type: 'boolean',
    default: true,
    flag: 'keep-state',
    description: 'Message processors go on in the state that was recorded',
  },
  'mini_synapse.file_folders': { type: 'paths', description: 'The folders that the file connector may work in' },
  'mini_synapse.file_properties': { type: 'path', description: 'key=value lines for $FILE:KEY in artifacts' },
  'mini_synapse.secrets': { type: 'path', description: 'A folder with one file per secret' },
  'mini_synapse.script_limit_ms': {
    type: 'integer',
    minimum: 1,
    maximum: 60_000,
    default: 5_000,
    description: 'ms that a script may take for one message',
  },
  'mini_synapse.transform_limit_ms': {
    type: 'integer',
    minimum: 1,
    maximum: 60_000,
    default: 10_000,
    description: 'ms that a stylesheet or query may take for one message',
  },
  'mini_synapse.strict_expressions': {
    type: 'boolean',
    default: false,
    description: 'An expression that cannot be evaluated is a fault, not empty text',
  },
  'mini_synapse.strict_artifacts': {
    type: 'boolean',
    default: false,
    description: 'What is warned about in artifacts, such as an unknown attribute, is an error',
  },
  'mini_synapse.cluster.enabled': {
    type: 'boolean',
    default: false,
    description: 'Coordinate message processors with other nodes',
  },
  'mini_synapse.cluster.node_id': {
    type: 'text',
    defaultText: 'host and data folder',
    description: 'The name of this node',
  },
  'mini_synapse.cluster.group': {
    type: 'text',
    default: DEFAULT_GROUP,
    description: 'Nodes of one name belong together',
  },
  'mini_synapse.cluster.lease_ms': {
    type: 'integer',
    minimum: SHORTEST_LEASE_MS,
    maximum: LONGEST_LEASE_MS,
    default: DEFAULT_LEASE_MS,
    description: 'ms after which another node takes over from one that is silent',
  },
  'alerts.deadline_ms': {
    type: 'integer',
    minimum: 100,
    maximum: 120_000,
    default: 10_000,
    description: 'ms that a web hook, [[alerts.webhook]], may take to answer',
  },
  'alerts.attempts': {
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 8,
    description: 'How often a web hook is called for one alert; the wait between two calls begins with 1 s and doubles',
  },
  'alerts.queue': {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    default: 100,
    description: 'Alerts that wait for one web hook; the oldest is dropped when there are more',
  },
  'observability.tracing': {
    type: 'word',
    words: ['off', 'sampled', 'on'],
    default: 'off',
    description: 'Which messages are followed into the ring of traces; changed at run time by the management API',
  },
  'observability.tracing_sample_percent': {
    type: 'integer',
    minimum: 0,
    maximum: 100,
    default: 5,
    description: 'The part of the messages that sampled follows',
  },
  'observability.otlp.endpoint': {
    type: 'text',
    description:
      'OpenTelemetry spans go there by OTLP/HTTP, for example http://127.0.0.1:4318/v1/traces; none: no spans',
  },
  'observability.otlp.headers': {
    type: 'text',
    secret: true,
    description: 'Headers for the exporter, name=value,…',
  },
  'observability.otlp.sample_percent': {
    type: 'integer',
    minimum: 0,
    maximum: 100,
    default: 100,
    description: 'The part of the traces begun here that is exported; traces begun elsewhere say it themselves',
  },
  'observability.otlp.service_name': {
    type: 'text',
    default: 'mini-synapse',
    description: 'service.name of the spans',
  },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionKey = keyof typeof OPTIONS;

type Value<O extends Option> = O extends { type: 'integer' }
  ? number
  : O extends { type: 'boolean' }
    ? boolean
    : O extends { type: 'paths' | 'texts' }
      ? readonly string[]
      : O extends { type: 'word'; words: readonly (infer W)[] }
        ? W
        : string;

/** What an option is read as. */
export type OptionValue<K extends OptionKey> = (typeof OPTIONS)[K] extends { default: string | number | boolean }
  ? Value<(typeof OPTIONS)[K]>
  : (typeof OPTIONS)[K] extends { type: 'paths' | 'texts' }
    ? readonly string[]
    : Value<(typeof OPTIONS)[K]> | undefined;

/** The variable that stands for an option: `MINI_SYNAPSE_` and its key, without `mini_synapse.`, in upper case. */
export function variableOf(key: OptionKey): string {
  return `MINI_SYNAPSE_${key
    .replace(/^mini_synapse\./, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase()}`;
}
