import { join } from 'node:path';
import type { ServerConfiguration } from '../config/config.ts';
import { listenerCertificate } from '../transport/tls.ts';
import { AuditLog } from './audit/audit-log.ts';
import type { ManagedServer } from './managed-server.ts';
import { type ManagementApi, startManagementApi } from './management-api.ts';
import { overview } from './overview.ts';
import { Security } from './security/security.ts';

/** What the API brings itself; the server gives the rest. */
type OwnParts = 'security' | 'audit' | 'secure' | 'options';

/**
 * Opens the management API with its users, its audit log and its certificate.
 * @param options.secrets what `password_secret` and `token_secret` name
 * @throws ConfigurationError, UsersFileError, TlsFilesError, PortTakenError, ListenError
 */
export async function startManagement(options: {
  readonly options: ServerConfiguration;
  readonly secrets: (alias: string) => string | undefined;
  readonly server: Omit<ManagedServer, OwnParts>;
}): Promise<ManagementApi> {
  const { data, management, managementHost, managementPort, tls } = options.options;
  const security = await Security.open({ settings: management, dataDirectory: data, secrets: options.secrets });
  const audit = await AuditLog.open(join(data, 'audit.ndjson'));
  const own = { security, audit, secure: management.tls, options: options.options };
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
    async close() {
      await api.close();
      await audit.close();
    },
  };
}
