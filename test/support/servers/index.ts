import { afterAll, describe } from 'vitest';
import type { RunningServer, ServerKind } from './kind.ts';
import { ourSurroundings, provision } from './provision.ts';
import { sayOncePerRun } from './say.ts';

/*
 * Real servers for tests: an installed one is used, else as root its Debian package is installed, else the tests that need
 * it are skipped with one loud line; with CI=true they fail. They run on free loopback ports, with their data in a
 * temporary folder, and nothing of them is left behind.
 *
 *   const server = await findOrInstall(activemq);
 *
 *   server.describe('a JMS store', () => {
 *     let broker: ActiveMqBroker;
 *     beforeAll(async () => {
 *       broker = await server.start();
 *     });
 *     it('survives its broker', async () => {
 *       await broker.kill();
 *       …
 */

/* One line for each kind of server; see kind.ts. */
export { activemq } from './activemq.ts';
export { mariadb } from './mariadb.ts';
export { mosquitto } from './mosquitto.ts';
export { postgresql } from './postgresql.ts';
export { rabbitmq } from './rabbitmq.ts';

/** A kind of server that is there, or is not. */
export interface ServerForTests<Options, Running> {
  /** vitest's `describe`; `describe.skip` when the server is missing. */
  readonly describe: typeof describe | typeof describe.skip;
  /** Why it is missing; undefined when it is there. */
  readonly missing: string | undefined;
  /** Starts one more. It is closed after the last test of the file at the latest. */
  start(options?: Options): Promise<Running>;
}

/**
 * To be awaited at the top of a test file, outside of hooks: an installation takes longer than they may.
 * @throws MissingServerError with CI=true, when the server is missing and cannot be installed
 */
export async function findOrInstall<Installation, Options, Running extends RunningServer>(
  kind: ServerKind<Installation, Options, Running>,
): Promise<ServerForTests<Options, Running>> {
  const running = new Set<Running>();
  afterAll(async () => {
    await Promise.all([...running].map((server) => server.close()));
  });
  const { found, missing } = await provision(kind, ourSurroundings(sayOncePerRun));
  return {
    describe: missing === undefined ? describe : describe.skip,
    missing,
    async start(options) {
      if (missing !== undefined) throw new Error(`${kind.name} is missing: ${missing}`);
      const server = await kind.start(found, options);
      running.add(server);
      return server;
    },
  };
}
