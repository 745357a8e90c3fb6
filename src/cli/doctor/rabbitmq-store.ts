import { formatAddress } from '../../stores/amqp/address.ts';
import { type AmqpConnection, openAmqpConnection } from '../../stores/amqp/connection.ts';
import { type RabbitMqValues, rabbitMqAccess, topologyOf } from '../../stores/amqp/parameters.ts';
import { inspectQueue, type QueueInspection } from '../../stores/amqp/queue-inspection.ts';
import { attempt } from '../../stores/amqp/topology.ts';
import type { MessageStoreDefinition } from '../../synapse/message-store.ts';
import { bytes, duration } from '../show/quantities.ts';
import { checkOf, type Finding, ok, reasonOf, warning, wrong } from './finding.ts';
import { attemptsOf, deadLetterTargets, type StoreSurroundings } from './surroundings.ts';

const MEBIBYTE = 1024 * 1024;

/** RabbitMQ: every address of the store until one answers, and what there is to say about the queue there. */
export async function checkRabbitMq(
  definition: MessageStoreDefinition,
  surroundings: StoreSurroundings,
): Promise<readonly Finding[]> {
  const { name, parameters } = definition;
  const subject = `store ${name}`;
  const values = parameters as unknown as RabbitMqValues;
  const { addresses, ...access } = rabbitMqAccess(values, surroundings.services);
  const { queue } = topologyOf(name, values);
  const { deadlineMs } = surroundings;
  const findings: Finding[] = [];
  let looked = false;
  for (const address of addresses) {
    const where = formatAddress(address, access.tls !== undefined);
    try {
      const options = { ...access, address, connectionName: `mini-synapse doctor ${name}`, deadlineMs };
      const connection = await openAmqpConnection(options, new AbortController().signal);
      try {
        findings.push(
          ok(subject, `RabbitMQ ${connection.serverVersion} at ${where}; queue ${queue}`, 'reachability'),
          ok(subject, `${where} takes ${access.user} in ${access.virtualHost}`, 'credentials'),
        );
        if (!looked) findings.push(...(await queueFindings({ name, queue, connection, ...access }, surroundings)));
        looked = true;
      } finally {
        await connection.close();
      }
    } catch (error) {
      findings.push(wrong(subject, `${where}: ${reasonOf(error)}`, checkOf(error)));
    }
  }
  return findings;
}

interface Looked {
  readonly name: string;
  readonly queue: string;
  readonly connection: AmqpConnection;
  readonly heartBeatMs: number;
}

async function queueFindings(looked: Looked, surroundings: StoreSurroundings): Promise<readonly Finding[]> {
  const { name, queue, connection, heartBeatMs } = looked;
  const subject = `store ${name}`;
  const found = await inspectQueue(connection, queue);
  return [
    ok(subject, `every ${duration(heartBeatMs)}, both ways`, 'heart-beat'),
    ok(subject, 'one message for each worker, not acknowledged before it is delivered', 'prefetch'),
    persistence(subject, queue, found),
    sizeLimits(subject, connection.serverVersion, surroundings.maxBodyBytes),
    ...deadLetterTargets(name, surroundings),
    await deliveryLimit(looked, found, surroundings),
    ok(subject, "the broker's clock is not used: times in messages are those of this machine", 'clock skew'),
  ];
}

function persistence(subject: string, queue: string, found: QueueInspection | undefined): Finding {
  const sent = 'messages are sent as persistent, and count as stored when the broker has confirmed them';
  if (!found) return ok(subject, `${sent}; the queue is made when the server starts`, 'persistence');
  if (!found.durable) return warning(subject, `queue ${queue} does not survive a restart of the broker`, 'persistence');
  return ok(subject, `${sent}; a durable ${found.quorum ? 'quorum' : 'classic'} queue`, 'persistence');
}

/** `max_message_size` of the broker, where nobody has set it: the protocol does not tell it. */
function sizeLimits(subject: string, version: string, maxBodyBytes: number): Finding {
  const limit = (Number.parseInt(version, 10) >= 4 ? 16 : 128) * MEBIBYTE;
  const text = `requests have at most ${bytes(maxBodyBytes)}; RabbitMQ ${version} takes ${bytes(limit)} unless max_message_size says otherwise`;
  return maxBodyBytes > limit ? warning(subject, text, 'size limits') : ok(subject, text, 'size limits');
}

async function deliveryLimit(
  { name, queue, connection }: Looked,
  found: QueueInspection | undefined,
  surroundings: StoreSurroundings,
): Promise<Finding> {
  const subject = `store ${name}`;
  const check = 'delivery limit';
  if (found?.deliveryLimit === undefined)
    return ok(subject, `none of the broker: ${attemptsOf(name, surroundings)}`, check);
  const { deliveryLimit: limit, deadLetterExchange: exchange } = found;
  const then = `queue ${queue} gives a message up after ${limit} deliveries`;
  if (exchange === undefined) return warning(subject, `${then} and drops it: it has no dead-letter exchange`, check);
  const isThere = exchange === '' || (await exists(connection, exchange));
  const to = `to the dead-letter exchange ${exchange || '(default)'}`;
  return isThere
    ? ok(subject, `${then}: ${to}`, check)
    : warning(subject, `${then}: ${to}, which is not there: it is dropped`, check);
}

async function exists(connection: AmqpConnection, exchange: string): Promise<boolean> {
  return (await attempt(connection, (channel) => channel.checkExchange(exchange))).code === undefined;
}
