import { join } from 'node:path';
import { readConfiguration } from '../../src/config/config.ts';
import { ArtifactVersions } from '../../src/deployment/artifact-versions.ts';
import { DeploymentHistory } from '../../src/deployment/deployment-history.ts';
import { Snapshot } from '../../src/deployment/index.ts';
import { AuditLog } from '../../src/management/audit/audit-log.ts';
import type { ManagedServer } from '../../src/management/managed-server.ts';
import { Security } from '../../src/management/security/security.ts';
import { readArtifactFile } from '../../src/synapse/index.ts';
import { FakeConfiguration } from '../mediation/harness.ts';
import { fileFolder } from '../support/file-folder.ts';

/**
 * A server for resources under test: has what is given, is ready, empty and without users otherwise; asking for anything else is an
 * error.
 */
export async function fakeServer(members: Partial<ManagedServer> = {}): Promise<ManagedServer> {
  const data = fileFolder('management');
  const configuration = new FakeConfiguration();
  const base: Partial<ManagedServer> = {
    health: { version: '1.2.3', ready: true },
    security: await Security.open({
      settings: { users: [], tokens: [] },
      dataDirectory: data,
      secrets: () => undefined,
    }),
    audit: await AuditLog.open(join(data, 'audit.ndjson')),
    secure: false,
    options: readConfiguration({ data }, {}),
    // Figures are those of the stores and processors alone.
    observation: undefined,
    deployment: nothingDeployed(),
    configuration: () => configuration,
    faultyArtifacts: () => [],
    listening: () => [],
  };
  return new Proxy({ ...base, ...members } as ManagedServer, {
    get(target, name) {
      // A promise looks whether it is one.
      if (name in target || name === 'then') return target[name as keyof ManagedServer];
      throw new Error(`The fake server has no '${String(name)}'`);
    },
  });
}

/** Without files: what is served was not read from any. */
function nothingDeployed(): ManagedServer['deployment'] {
  const configuration = new FakeConfiguration();
  return {
    snapshot: new Snapshot(0, configuration.services, [], []),
    history: new DeploymentHistory(),
    versions: new ArtifactVersions(),
    reports: () => new Map(),
    dangling: () => [],
    applications: () => new Map(),
    faulty: () => [],
    look: ({ source }) => readArtifactFile(source),
  };
}
