import { Metrics } from '../../observation/metrics.ts';
import type { ManagedServer } from '../managed-server.ts';
import { observed } from '../observed.ts';
import { type Resource, resource } from '../resource.ts';

const known = new WeakMap<object, Metrics>();

function metricsOf(server: ManagedServer): Metrics {
  const observation = observed(server);
  const metrics = known.get(observation) ?? newMetrics(server);
  known.set(observation, metrics);
  return metrics;
}

function newMetrics(server: ManagedServer): Metrics {
  return new Metrics({
    observation: observed(server),
    version: server.health.version,
    configuration: () => server.configuration(),
    ready: () => server.health.ready,
    discardedByOperators: (how) => server.operations.total(how),
  });
}

/** `GET /metrics`, and the reference's path (spec proxies 8.5, OP-72): Prometheus text. */
export const metricsResources: readonly Resource[] = ['/metrics', '/metric-service/metrics'].map((path) =>
  resource({
    method: 'GET',
    path,
    role: 'public',
    summary: 'Metrics as Prometheus reads them',
    tag: 'observability',
    answers: { 200: { media: 'text/plain' } },
    async answer(_request, server) {
      const { type, text } = await metricsOf(server).scrape();
      return { status: 200, type, text };
    },
  }),
);
