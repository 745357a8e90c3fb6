import type { ManagedServer, ManagementAnswer } from './managed-server.ts';

/** Where the server is in its life. */
export interface Health {
  readonly version: string;
  /** The first deployment is done and every listener is open; false again when the server stops. */
  ready: boolean;
}

/**
 * Health resources (OP-74): `/healthz` and `/health/ready` answer 200 once the first deployment is done and every listener is open;
 * a faulty artifact does not make a running server unready. Undefined for other paths.
 */
export function answerHealth(path: string, health: Health, server: ManagedServer): ManagementAnswer | undefined {
  const faulty = server.faultyArtifacts();
  switch (path) {
    case '/liveness':
    case '/health/live':
      return { status: 200, body: { server: 'started' } };
    case '/healthz':
    case '/health/ready':
      return {
        status: health.ready ? 200 : 503,
        body: { version: health.version, status: health.ready ? 'ready' : 'not ready', faultyArtifacts: faulty.length },
      };
    case '/health/artifacts':
      return { status: 200, body: { count: faulty.length, list: faulty } };
    default:
      return undefined;
  }
}
