import { searched } from './list.ts';
import type { ManagedServer } from './managed-server.ts';
import { PROCESSOR_ROW, processorRow } from './processor-row.ts';
import { readiness } from './readiness.ts';
import { BOOLEAN, COUNT, NUMBER, object, TEXT, TEXTS, TIME } from './schemas.ts';
import { STORE_ROW, storeRows } from './store-row.ts';

/** Warnings that are shown; the log has all. */
const MAX_WARNINGS = 100;

export const OVERVIEW = object({
  server: object({
    name: TEXT,
    version: TEXT,
    profile: TEXT,
    startedAt: TIME,
    uptimeMs: NUMBER,
    node: TEXT,
    pid: COUNT,
    rssBytes: COUNT,
    heapBytes: COUNT,
    eventLoopP99Ms: NUMBER,
  }),
  health: object({ live: BOOLEAN, ready: BOOLEAN, reasons: TEXTS }),
  listeners: { type: 'array', items: object({ scheme: TEXT, host: TEXT, port: COUNT }) },
  counts: { type: 'object', additionalProperties: COUNT },
  traffic: object({ requestsPerSecond: NUMBER, errorsPerSecond: NUMBER, inFlight: COUNT }),
  stores: { type: 'array', items: STORE_ROW },
  processors: { type: 'array', items: PROCESSOR_ROW },
  faulty: { type: 'array', items: object({ file: TEXT, problems: TEXTS }) },
  warnings: TEXTS,
});

/** All that one wants to know at a glance; also what listeners to events get every second. */
export async function overview(server: ManagedServer) {
  const configuration = server.configuration();
  const stores = await storeRows(searched(configuration, 'messageStore', undefined), server);
  const processors = searched(configuration, 'messageProcessor', undefined).map((one) => processorRow(one, server));
  const faulty = server.faultyArtifacts();
  const count = (kind: Parameters<typeof configuration.names>[0]) => configuration.names(kind).length;
  return {
    server: serverFigures(server),
    health: readiness(server),
    listeners: server.listening(),
    counts: {
      proxies: count('proxy'),
      apis: count('api'),
      sequences: count('sequence'),
      endpoints: count('endpoint'),
      templates: count('template'),
      localEntries: count('localEntry'),
      stores: stores.length,
      processors: processors.length,
      tasks: count('task'),
      inbound: count('inboundEndpoint'),
      faulty: faulty.length,
      // As many as the list of all artifacts has rows; built-in sequences are not in it.
      artifacts: server.deployment.snapshot.artifacts.length + faulty.length,
    },
    traffic: server.observation?.traffic() ?? { requestsPerSecond: 0, errorsPerSecond: 0, inFlight: 0 },
    stores,
    processors,
    faulty,
    warnings: warnings(server),
  };
}

function serverFigures({ health, options, observation }: ManagedServer) {
  const { rss, heapUsed } = process.memoryUsage();
  const uptimeMs = Math.round(process.uptime() * 1000);
  return {
    name: options.serverName,
    version: health.version,
    profile: options.profile,
    startedAt: new Date(Date.now() - uptimeMs).toISOString(),
    uptimeMs,
    node: process.version,
    pid: process.pid,
    rssBytes: rss,
    heapBytes: heapUsed,
    eventLoopP99Ms: observation?.eventLoop().p99 ?? 0,
  };
}

/** What is deployed and doubtful. */
function warnings({ deployment }: ManagedServer): string[] {
  const found = deployment.dangling().map(({ diagnostic }) => diagnostic.message);
  for (const { diagnostics } of deployment.reports().values())
    for (const { severity, message, position } of diagnostics)
      if (severity === 'warning') found.push(`${position.file}:${position.line}: ${message}`);
  return found.slice(0, MAX_WARNINGS);
}
