import type { Alerts } from '../alerts/alerts.ts';
import type { ServerConfiguration } from '../config/config.ts';
import type { Deployer } from '../deployment/index.ts';
import type { Configuration } from '../message/configuration.ts';
import type { Observation } from '../observation/observation.ts';
import type { FileRegistry } from '../registry/file-registry.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { FaultyArtifact } from './faulty-artifacts.ts';
import type { Health } from './health.ts';
import type { MessageOperations } from './operations/message-operations.ts';
import type { ScheduledResends } from './operations/scheduled-resends.ts';
import type { Security } from './security/security.ts';

/**
 * What the management API sees of the server. Each subject adds what it needs; `src/server.ts` has it made, and tests make theirs with
 * `test/management/fake-server.ts`.
 */
export interface ManagedServer {
  readonly health: Health;
  readonly security: Security;
  readonly audit: AuditLog;
  /** Is the API reached by HTTPS? */
  readonly secure: boolean;
  readonly options: ServerConfiguration;
  /** Counts, rates, traces and events. */
  readonly observation?: Observation | undefined;
  /** What operators do with stored messages; its counts are those of the metrics. */
  readonly operations: MessageOperations;
  /** Resends that wait for their time. */
  readonly schedules: ScheduledResends;
  /** Who is told of what happens. */
  readonly alerts: Pick<Alerts, 'hooks'>;
  /** What is deployed, and what was. */
  readonly deployment: Pick<
    Deployer,
    'snapshot' | 'reports' | 'dangling' | 'applications' | 'history' | 'versions' | 'faulty' | 'look'
  >;
  /** The configuration that is served now. */
  configuration(): Configuration;
  /** The registry that is kept in the data folder. */
  readonly registry: FileRegistry;
  /** Asks the server to end, or to start anew. */
  end(how: 'shutdown' | 'restart'): void;
  /** Artifacts that could not be deployed, with the text of their diagnostics. */
  faultyArtifacts(): readonly FaultyArtifact[];
  /** Where messages are taken in. */
  listening(): ReadonlyArray<{ readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number }>;
}
