import { join } from 'node:path';
import type { ServerConfiguration } from '../config/config.ts';
import { listenerCertificate } from '../transport/tls.ts';
import type { AuditEntry } from './audit/audit-entry.ts';
import { AuditLog } from './audit/audit-log.ts';
import type { ManagedServer } from './managed-server.ts';
import { type ManagementApi, startManagementApi } from './management-api.ts';
import { type ScheduledResend, ScheduledResends } from './operations/scheduled-resends.ts';
import { overview } from './overview.ts';
import { Security } from './security/security.ts';

/** The management API, and its audit log for what is done without it. */
export interface StartedManagement extends ManagementApi {
  /** Resolves when the entry is in the audit log. Never rejects. */
  record(entry: AuditEntry): Promise<void>;
}

/** What the API brings itself; the server gives the rest. */
type OwnParts = 'security' | 'audit' | 'secure' | 'options' | 'schedules';

/**
 * Opens the management API with its users, its audit log and its certificate.
 * @param options.secrets what `password_secret` and `token_secret` name
 * @throws ConfigurationError, UsersFileError, TlsFilesError, PortTakenError, ListenError
 */
export async function startManagement(options: {
  readonly options: ServerConfiguration;
  readonly secrets: (alias: string) => string | undefined;
  readonly server: Omit<ManagedServer, OwnParts>;
}): Promise<StartedManagement> {
  const { data, management, managementHost, managementPort, tls } = options.options;
  const security = await Security.open({ settings: management, dataDirectory: data, secrets: options.secrets });
  const audit = await AuditLog.open(join(data, 'audit.ndjson'));
  const schedules = await ScheduledResends.open(join(data, 'management', 'scheduled-resends.json'), {
    configuration: () => options.server.configuration(),
    operations: options.server.operations,
    ended: (resend) => void audit.record(auditOf(resend)),
  });
  const own = { security, audit, secure: management.tls, options: options.options, schedules };
  const server: ManagedServer = { ...options.server, ...own };
  server.observation?.provideOverview(() => overview(server));
  audit.subscribe((entry) => server.observation?.events.publish('audit', entry));
  const api = await startManagementApi({
    host: managementHost,
    port: managementPort,
    server,
    ...(management.tls && { certificate: await listenerCertificate(tls, data) }),
  });
  return {
    port: api.port,
    record: (entry) => audit.record(entry),
    async close() {
      await api.close();
      await schedules.close();
      await audit.close();
    },
  };
}

/** Nobody is there when it is done: it is written down for whoever wanted it. */
function auditOf({ id, store, by, state, done = 0, problem }: ScheduledResend): AuditEntry {
  return {
    time: new Date().toISOString(),
    who: by,
    role: '',
    from: 'scheduled',
    action: 'resent',
    type: 'messages',
    name: store,
    detail: `the scheduled resend ${id} has ended${problem === undefined ? '' : `: ${problem}`}`,
    count: done,
    result: state,
  };
}
