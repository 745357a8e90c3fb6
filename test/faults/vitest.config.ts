import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SERVERS, type StoreServer } from './servers.ts';

const FOR_ALL = ['runtime-killed', 'life', 'poison', 'back-end'];
const ABOUT_SERVERS = [...FOR_ALL, 'servers', 'server-disk', 'nodes'];
/** Which files have something for which server. */
const FILES: Readonly<Record<StoreServer, readonly string[]>> = {
  ActiveMQ: [...ABOUT_SERVERS, 'failover-pair'],
  RabbitMQ: [...ABOUT_SERVERS, 'failover-pair'],
  PostgreSQL: [...ABOUT_SERVERS, 'failover-pair'],
  MariaDB: ABOUT_SERVERS,
  embedded: [...FOR_ALL, 'disk'],
};
/** Of two processors: most of the time is spent waiting, for what is killed to come back. */
const SIDE_BY_SIDE = 2;

/** `npm run test:faults`: long, therefore no part of `npm test`, which has a short selection in test/flows/faults-short.test.ts. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    pool: 'forks',
    maxWorkers: SIDE_BY_SIDE,
    reporters: ['default', './test/faults/outcomes.ts'],
    globalSetup: ['./test/support/servers/run-folder.ts', './test/faults/report.ts'],
    // Every file once for each server, which it starts for itself: those of different servers run side by side.
    projects: SERVERS.map((server) => ({
      test: {
        name: server,
        include: FILES[server].map((file) => `test/faults/${file}.faults.ts`),
        env: { FAULT_SERVER: server },
        testTimeout: 300_000,
        hookTimeout: 180_000,
      },
    })),
  },
});
