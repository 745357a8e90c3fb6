import type { Metric, Registry } from 'prom-client';
import type { Configuration } from '../message/configuration.ts';
import type { ProcessorState } from '../processors/message-processor.ts';
import { displayName } from '../rest/rest-api.ts';
import type { EntryCounts } from './counts.ts';
import { type Family, family, histogramSamples, type Sample } from './metric-family.ts';
import type { Observation } from './observation.ts';

const STATES: readonly ProcessorState[] = [
  'ACTIVE',
  'PAUSED',
  'DEACTIVATED',
  'WAITING_STORE',
  'CIRCUIT_OPEN',
  'FAULTY',
];
/** How long a scrape waits for depths that are being measured; then it shows the last ones. */
const LOOK_MS = 1_000;

/** What metrics are read from. */
export interface MetricSources {
  readonly observation: Observation;
  readonly version: string;
  configuration(): Configuration;
  /** The first deployment is done and every listener is open. */
  ready(): boolean;
  /** Messages that operators have discarded. */
  discardedByOperators(how: 'deleted' | 'purged'): number;
}

/**
 * `/metrics` (OP-72): made of the counts at every scrape, so that artifacts that are gone have no series, and nothing is kept twice.
 * The library is loaded with the first scrape; it writes the text and knows the process's own metrics.
 */
export class Metrics {
  readonly #sources: MetricSources;
  #registry: Promise<Registry> | undefined;

  constructor(sources: MetricSources) {
    this.#sources = sources;
  }

  /** The text, and what type it is of. */
  async scrape(): Promise<{ readonly type: string; readonly text: string }> {
    this.#registry ??= openRegistry(this.#sources);
    const registry = await this.#registry;
    await this.#sources.observation.lookClosely(LOOK_MS);
    return { type: registry.contentType, text: await registry.metrics() };
  }
}

async function openRegistry(sources: MetricSources): Promise<Registry> {
  const { Registry: PrometheusRegistry, collectDefaultMetrics } = await import('prom-client');
  const registry = new PrometheusRegistry();
  collectDefaultMetrics({ register: registry });
  // The registry takes whatever has a name and can be got; its type says more than it needs.
  for (const one of families(sources)) registry.registerMetric(one as unknown as Metric);
  return registry;
}

function families(sources: MetricSources): Family[] {
  return [
    ...serverFamilies(sources),
    ...entryFamilies(sources, 'proxy'),
    ...entryFamilies(sources, 'api'),
    ...entryFamilies(sources, 'inboundEndpoint'),
    ...storeFamilies(sources),
    ...processorFamilies(sources),
    ...endpointFamilies(sources),
  ];
}

function serverFamilies(sources: MetricSources): Family[] {
  const { observation, version, ready, configuration } = sources;
  const { flows, deployments, discarded } = observation;
  return [
    family('wso2_integration_server_up', 'gauge', 'Whether the server is ready', () => [
      { labels: { version }, value: ready() ? 1 : 0 },
    ]),
    family('wso2_integration_server_version', 'gauge', 'Which version runs', () => [{ labels: { version }, value: 1 }]),
    family('wso2_integration_service_up', 'gauge', 'Whether a service takes requests', () =>
      servicesUp(configuration()),
    ),
    family('messages_in_flight', 'gauge', 'Messages whose flow has not ended', () => [
      { labels: {}, value: flows.total.inFlight },
    ]),
    family('messages_dropped_total', 'counter', 'Messages discarded for good, by reason', () => [
      { labels: { reason: 'drop' }, value: discarded.get('drop') ?? 0 },
      { labels: { reason: 'no_fault_handler' }, value: discarded.get('no fault handler') ?? 0 },
      { labels: { reason: 'max_delivery_drop' }, value: droppedByProcessors(configuration(), 'dropped') },
      { labels: { reason: 'late' }, value: droppedByProcessors(configuration(), 'late') },
      { labels: { reason: 'deleted' }, value: sources.discardedByOperators('deleted') },
      { labels: { reason: 'purged' }, value: sources.discardedByOperators('purged') },
    ]),
    family('deploy_total', 'counter', 'Deployments, by whether a file became faulty', () =>
      Object.entries(deployments).map(([result, value]) => ({ labels: { result }, value })),
    ),
    family('eventloop_delay_seconds', 'gauge', 'How late the event loop was lately', () => {
      const { p50, p99, max } = observation.eventLoop();
      const quantiles = { '0.5': p50, '0.99': p99, '1': max };
      return Object.entries(quantiles).map(([quantile, ms]) => ({ labels: { quantile }, value: ms / 1000 }));
    }),
    family('event_listeners', 'gauge', 'Listeners to server-sent events', () => [
      { labels: {}, value: observation.events.listeners },
    ]),
  ];
}

function servicesUp(configuration: Configuration): Sample[] {
  const proxies = configuration.names('proxy').map((name) => ({
    labels: serviceLabels(configuration, 'proxy', name),
    value: configuration.find('proxy', name)?.active ? 1 : 0,
  }));
  const apis = configuration
    .names('api')
    .map((name) => ({ labels: serviceLabels(configuration, 'api', name), value: 1 }));
  return [...proxies, ...apis];
}

interface Labels {
  readonly [name: string]: string;
  readonly service_name: string;
}

/**
 * The reference's labels (spec proxies 8.5). `invocation_url` is where a proxy or an API answers, below whatever address the server has;
 * an inbound endpoint has an address of its own kind.
 */
function serviceLabels(configuration: Configuration, kind: keyof typeof ENTRY_WORDS, name: string): Labels {
  const service_type = ENTRY_WORDS[kind];
  if (kind === 'inboundEndpoint') return { service_name: name, service_type };
  if (kind === 'proxy') return { service_name: name, service_type, invocation_url: `/services/${name}` };
  const api = configuration.find('api', name)?.definition;
  return { service_name: api ? displayName(api) : name, service_type, invocation_url: api?.context ?? '/' };
}

function droppedByProcessors(configuration: Configuration, how: 'dropped' | 'late'): number {
  const processors = configuration
    .names('messageProcessor')
    .map((name) => configuration.find('messageProcessor', name));
  return processors.reduce((sum, processor) => sum + (processor?.status().counters[how] ?? 0), 0);
}

const ENTRY_WORDS = { proxy: 'proxy', api: 'api', inboundEndpoint: 'inbound_endpoint' } as const;

/** The reference's names (spec proxies 8.5). */
function entryFamilies({ observation, configuration }: MetricSources, kind: keyof typeof ENTRY_WORDS): Family[] {
  const word = ENTRY_WORDS[kind];
  const prefix = `wso2_integration_${word}`;
  const entries = () => {
    const all = new Map<string, { labels: Labels; counts: EntryCounts | undefined }>();
    for (const name of configuration().names(kind)) {
      const labels = serviceLabels(configuration(), kind, name);
      all.set(labels.service_name, { labels, counts: observation.entry(kind, labels.service_name) });
    }
    return [...all.values()];
  };
  const each = (value: (counts: EntryCounts) => number) => () =>
    entries().map(({ labels, counts }) => ({ labels, value: counts ? value(counts) : 0 }));
  return [
    family(
      `${prefix}_request_count_total`,
      'counter',
      'Requests',
      each(({ requests }) => requests),
    ),
    family(
      `${prefix}_request_count_error_total`,
      'counter',
      'Requests whose flow failed or whose answer was 5xx',
      each(({ errors }) => errors),
    ),
    family(`${prefix}_latency_seconds`, 'histogram', 'From the request to its answer', () =>
      entries().flatMap(({ labels, counts }) =>
        counts ? histogramSamples(`${prefix}_latency_seconds`, labels, counts.latency) : [],
      ),
    ),
  ];
}

function storeFamilies({ observation, configuration }: MetricSources): Family[] {
  const { stores } = observation;
  const names = () => configuration().names('messageStore');
  const figure = (value: (figures: NonNullable<ReturnType<Observation['store']>>) => number | null) => () =>
    names().flatMap((store): Sample[] => {
      const figures = observation.store(store);
      const now = figures ? value(figures) : null;
      return now === null ? [] : [{ labels: { store }, value: now }];
    });
  return [
    family(
      'store_depth',
      'gauge',
      'Messages waiting',
      figure(({ depth }) => depth),
    ),
    family(
      'store_depth_estimated',
      'gauge',
      'Whether the depth is an estimate',
      figure(({ estimated }) => (estimated ? 1 : 0)),
    ),
    family(
      'store_oldest_age_seconds',
      'gauge',
      'Age of the message that was stored first',
      figure(({ oldestAgeMs, depth }) => (oldestAgeMs === null ? (depth === 0 ? 0 : null) : oldestAgeMs / 1000)),
    ),
    family('store_up', 'gauge', 'Whether the medium can be reached', () =>
      names().map((store) => {
        const state = configuration().find('messageStore', store)?.status().state;
        return { labels: { store }, value: state === 'READY' || state === 'DEGRADED' ? 1 : 0 };
      }),
    ),
    family('store_puts_total', 'counter', 'Messages put into the store by this process, by result', () =>
      names().flatMap((store) => {
        const { stored = 0, failed = 0 } = stores.puts(store) ?? {};
        return [
          { labels: { store, result: 'stored' }, value: stored },
          { labels: { store, result: 'failed' }, value: failed },
        ];
      }),
    ),
    family('store_duplicates_total', 'counter', 'Messages that were not stored again, by x.dedup.id', () =>
      names().flatMap((store) => {
        const once = configuration().find('messageStore', store)?.once;
        return once ? [{ labels: { store }, value: once.duplicates }] : [];
      }),
    ),
    family('store_put_seconds', 'histogram', 'How long the store takes to confirm a message', () =>
      names().flatMap((store) => {
        const puts = stores.puts(store);
        return puts ? histogramSamples('store_put_seconds', { store }, puts.latency) : [];
      }),
    ),
    family(
      'reconnects_total',
      'counter',
      'New connections to the medium after the first one',
      figure(({ reconnects }) => reconnects),
    ),
  ];
}

function processorFamilies({ observation, configuration }: MetricSources): Family[] {
  const { processors } = observation;
  const names = () => configuration().names('messageProcessor');
  const statusOf = (name: string) => configuration().find('messageProcessor', name)?.status();
  return [
    family('processor_state', 'gauge', '1 for the state that it is in', () =>
      names().flatMap((processor) => {
        const now = statusOf(processor)?.state;
        return STATES.map((state) => ({ labels: { processor, state }, value: state === now ? 1 : 0 }));
      }),
    ),
    family('processor_stuck', 'gauge', 'Messages wait, it is active, and it attempts nothing', () =>
      names().map((processor) => ({ labels: { processor }, value: processors.figures(processor)?.stuck ? 1 : 0 })),
    ),
    family('processor_deliveries_total', 'counter', 'What became of messages, and failed attempts', () =>
      names().flatMap((processor) =>
        Object.entries(statusOf(processor)?.counters ?? {}).map(([outcome, value]) => ({
          labels: { processor, outcome },
          value,
        })),
      ),
    ),
    family('processor_attempts_total', 'counter', 'Attempts, by class of the HTTP status; none: no answer', () =>
      names().flatMap((processor) =>
        [...(processors.attempts(processor)?.byStatus ?? [])].map(([status, value]) => ({
          labels: { processor, status },
          value,
        })),
      ),
    ),
    family('processor_delivery_seconds', 'histogram', 'How long an attempt takes', () =>
      names().flatMap((processor) => {
        const attempts = processors.attempts(processor);
        return attempts ? histogramSamples('processor_delivery_seconds', { processor }, attempts.latency) : [];
      }),
    ),
    family('processor_lag_seconds', 'gauge', 'Age of the message that was attempted last, when that began', () =>
      names().map((processor) => ({
        labels: { processor },
        value: (processors.figures(processor)?.lagMs ?? 0) / 1000,
      })),
    ),
  ];
}

function endpointFamilies({ configuration }: MetricSources): Family[] {
  const counted = () =>
    configuration()
      .names('endpoint')
      .flatMap((endpoint) => {
        const counts = configuration().find('endpoint', endpoint)?.counts;
        return counts ? [{ endpoint, counts }] : [];
      });
  return [
    family('endpoint_up', 'gauge', '1 unless it is suspended or switched off', () =>
      configuration()
        .names('endpoint')
        .map((endpoint) => {
          const state = configuration().find('endpoint', endpoint)?.describe().state;
          return { labels: { endpoint }, value: state === 'SUSPENDED' || state === 'OFF' ? 0 : 1 };
        }),
    ),
    family('endpoint_requests_total', 'counter', 'Messages sent to a named endpoint', () =>
      counted().map(({ endpoint, counts }) => ({ labels: { endpoint }, value: counts.requests })),
    ),
    family('endpoint_errors_total', 'counter', 'Sends without an answer, or with 5xx', () =>
      counted().map(({ endpoint, counts }) => ({ labels: { endpoint }, value: counts.errors })),
    ),
    family('endpoint_latency_seconds', 'histogram', 'How long a back end takes to answer', () =>
      counted().flatMap(({ endpoint, counts }) =>
        histogramSamples('endpoint_latency_seconds', { endpoint }, counts.latency),
      ),
    ),
  ];
}
