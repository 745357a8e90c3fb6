import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Snapshot } from '../../src/deployment/snapshot.ts';
import type { Services } from '../../src/message/configuration.ts';
import { Metrics } from '../../src/observation/metrics.ts';
import { Observation } from '../../src/observation/observation.ts';

const FOLDER = fileURLToPath(new URL('../../docs/observability/', import.meta.url));
/** What a query may say that is no metric. */
const NOT_METRICS =
  /^(?:up|job|mini|synapse|store|stores|result|failed|state|ACTIVE|quantile|outcome|delivered|faulty|instance)$/;

/** The names of all metrics, of an empty server. */
async function metricNames(): Promise<Set<string>> {
  const snapshot = new Snapshot(1, {} as Services, [], []);
  const observation = new Observation({ snapshot: () => snapshot });
  const metrics = new Metrics({
    observation,
    version: 'x',
    configuration: () => snapshot,
    ready: () => true,
    discardedByOperators: () => 0,
  });
  const { text } = await metrics.scrape();
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  await observation.close();
  return new Set(names);
}

/** Words with an underscore, or before a brace or a range, outside of quotes and of label lists. */
function metricsIn(query: string): string[] {
  const bare = query
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '{}')
    .replace(/by \([^)]*\)/g, '');
  return [...bare.matchAll(/[a-z_][a-z0-9_]*/gi)]
    .map(([word]) => word)
    .filter(
      (word) => word.includes('_') && !/^(?:histogram_quantile|__rate_interval)$/.test(word) && !NOT_METRICS.test(word),
    );
}

describe('the dashboard and the alert rules', () => {
  it('name only metrics that there are', async () => {
    const names = await metricNames();
    const dashboard = JSON.parse(readFileSync(`${FOLDER}grafana-dashboard.json`, 'utf8')) as {
      panels: Array<{ title: string; targets?: Array<{ expr: string }> }>;
    };
    const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const rules = readFileSync(`${FOLDER}alerts.yml`, 'utf8');
    const expressions = [...rules.matchAll(/expr: (?:>-\n((?: {10,}.*\n)+)|(.*))/g)].map(
      ([, block, line]) => block ?? line ?? '',
    );
    expect(queries.length).toBeGreaterThan(25);
    expect(expressions).toHaveLength([...rules.matchAll(/- alert:/g)].length);
    const unknown = [...queries, ...expressions].flatMap(metricsIn).filter((name) => !names.has(name));
    expect([...new Set(unknown)]).toEqual([]);
  });

  it('have the names of OP-72', async () => {
    const names = await metricNames();
    for (const name of [
      'wso2_integration_proxy_request_count_total',
      'wso2_integration_proxy_request_count_error_total',
      'wso2_integration_proxy_latency_seconds_count',
      'wso2_integration_server_up',
      'wso2_integration_service_up',
      'store_depth',
      'store_oldest_age_seconds',
      'store_up',
      'store_puts_total',
      'store_put_seconds_count',
      'processor_state',
      'processor_deliveries_total',
      'processor_attempts_total',
      'processor_delivery_seconds_count',
      'processor_lag_seconds',
      'messages_dropped_total',
      'reconnects_total',
      'deploy_total',
      'eventloop_delay_seconds',
      'process_cpu_seconds_total',
    ])
      expect(names).toContain(name);
  });
});
