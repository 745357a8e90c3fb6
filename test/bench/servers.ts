import { type ActiveMqTestBroker, activemq } from '../support/servers/activemq.ts';
import type { RunningServer, ServerKind } from '../support/servers/kind.ts';
import { ourSurroundings, provision } from '../support/servers/provision.ts';
import { type RabbitMqBroker, rabbitmq } from '../support/servers/rabbitmq.ts';

const running: RunningServer[] = [];

/** Starts a real server; undefined, with a line that says why, when it is missing here. */
export async function startServer<Installation, Options, Running extends RunningServer>(
  kind: ServerKind<Installation, Options, Running>,
  options?: Options,
): Promise<Running | undefined> {
  const { found, missing } = await provision(
    kind,
    ourSurroundings((line) => process.stderr.write(`${line}\n`)),
  );
  if (missing !== undefined) return undefined;
  const server = await kind.start(found as Installation, options);
  running.push(server);
  return server;
}

/**
 * An ActiveMQ with the garbage collection that Java chooses on a server, and room for what waits: with those of tests (a small heap, one thread
 * that stops everything) it stands still for 200 ms when 50,000 messages wait, for 600 to 770 when there are 200,000, every second or two
 * (npm run bench -- stops).
 * @param javaOptions further ones
 */
export function startRoomyActiveMq(javaOptions: readonly string[] = []): Promise<ActiveMqTestBroker | undefined> {
  const collector = ['-XX:-UseSerialGC', '-XX:+UseG1GC'];
  return startServer(activemq, { heapMiB: 4096, javaOptions: [...collector, ...javaOptions] });
}

/** A RabbitMQ that may use as much memory as on a server of its own: with what tests allow, it stops taking messages for seconds when many wait. */
export function startRoomyRabbitMq(): Promise<RabbitMqBroker | undefined> {
  return startServer(rabbitmq, { configuration: ['vm_memory_high_watermark.absolute = 2GiB'] });
}

/** Ends all that were started. */
export async function closeServers(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.close()));
}
