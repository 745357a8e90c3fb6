import type { RabbitMqValues } from '../../stores/amqp/parameters.ts';
import type { StoreServices } from '../../stores/component.ts';
import type { ConnectParameters } from '../../stores/sql/connect-parameters.ts';
import type { JmsValues } from '../../stores/stomp/parameters.ts';
import type { MessageStoreDefinition } from '../../synapse/message-store.ts';
import { duration } from '../show/quantities.ts';
import { type Finding, ok, reasonOf, warning, wrong } from './finding.ts';

/** More than this between our clock and a database's is worth a word. */
const MUCH_SKEW_MS = 2_000;

/**
 * Connects to what a store needs, as the server would, and tells what it finds (OP-19). Changes nothing there: neither queues nor
 * tables are made.
 */
export async function checkStore(
  definition: MessageStoreDefinition,
  services: StoreServices,
  deadlineMs: number,
): Promise<readonly Finding[]> {
  const subject = `store ${definition.name}`;
  try {
    switch (definition.kind.type) {
      case 'in-memory-message-store':
        return [ok(subject, 'in memory: messages are delivered while the server lives, and gone when it is killed')];
      case 'jms-message-store':
        return await checkStomp(definition, services, deadlineMs);
      case 'rabbitmq-message-store':
        return await checkRabbitMq(definition, services, deadlineMs);
      case 'jdbc-message-store':
      case 'resequence-message-store':
        return await checkDatabase(definition, services, deadlineMs);
      default:
        return [warning(subject, `${definition.kind.type} is a module of yours, which is not run here`)];
    }
  } catch (error) {
    return [wrong(subject, reasonOf(error))];
  }
}

async function checkStomp(
  { name, parameters, written }: MessageStoreDefinition,
  services: StoreServices,
  deadlineMs: number,
): Promise<readonly Finding[]> {
  const { destinationQueue, stompAccess } = await import('../../stores/stomp/parameters.ts');
  const { openStompConnection } = await import('../../stores/stomp/connection.ts');
  const { formatEndpoint } = await import('../../stores/stomp/address.ts');
  const values = parameters as unknown as JmsValues;
  const queue = destinationQueue(name, values, written);
  const { endpoints, credentials, trusted, heartBeatMs } = stompAccess(values, services);
  const findings: Finding[] = [];
  for (const endpoint of endpoints) {
    const subject = `store ${name}`;
    const where = formatEndpoint(endpoint);
    try {
      const connection = await openStompConnection({ endpoint, credentials, trusted, heartBeatMs, deadlineMs });
      const server = connection.server || 'a broker';
      await connection.close();
      const login = credentials ? `logged in as ${credentials.login}` : 'without credentials';
      findings.push(
        ok(
          subject,
          `${server} at ${where}, ${login}; queue ${queue}, heart-beat ${duration(heartBeatMs)}; persistent, confirmed, prefetch 1, not acknowledged before it is delivered`,
        ),
      );
    } catch (error) {
      findings.push(wrong(subject, `${where}: ${reasonOf(error)}`));
    }
  }
  return findings;
}

async function checkRabbitMq(
  { name, parameters }: MessageStoreDefinition,
  services: StoreServices,
  deadlineMs: number,
): Promise<readonly Finding[]> {
  const { rabbitMqAccess, topologyOf } = await import('../../stores/amqp/parameters.ts');
  const { openAmqpConnection } = await import('../../stores/amqp/connection.ts');
  const { inspectQueue } = await import('../../stores/amqp/queue-inspection.ts');
  const { formatAddress } = await import('../../stores/amqp/address.ts');
  const values = parameters as unknown as RabbitMqValues;
  const { addresses, ...access } = rabbitMqAccess(values, services);
  const { queue } = topologyOf(name, values);
  const findings: Finding[] = [];
  for (const address of addresses) {
    const subject = `store ${name}`;
    const where = formatAddress(address, access.tls !== undefined);
    try {
      const options = { ...access, address, connectionName: `mini-synapse doctor ${name}`, deadlineMs };
      const connection = await openAmqpConnection(options, new AbortController().signal);
      try {
        const found = await inspectQueue(connection, queue);
        const head = `RabbitMQ ${connection.serverVersion} at ${where}, logged in as ${access.user}; heart-beat ${duration(access.heartBeatMs)}; persistent, confirmed`;
        findings.push(ok(subject, `${head}; ${queueText(queue, found)}`));
        if (found?.deliveryLimit !== undefined && found.deadLetterExchange === undefined)
          findings.push(
            warning(
              subject,
              `queue ${queue} drops a message after ${found.deliveryLimit} deliveries: it has no dead-letter exchange`,
            ),
          );
        if (found && !found.durable)
          findings.push(warning(subject, `queue ${queue} does not survive a restart of the broker`));
      } finally {
        await connection.close();
      }
    } catch (error) {
      findings.push(wrong(subject, `${where}: ${reasonOf(error)}`));
    }
  }
  return findings;
}

interface QueueFound {
  readonly durable: boolean;
  readonly quorum: boolean;
  readonly deliveryLimit: number | undefined;
  readonly deadLetterExchange: string | undefined;
}

function queueText(queue: string, found: QueueFound | undefined): string {
  if (!found) return `queue ${queue} is made when the server starts, or cannot be looked at`;
  const { quorum, deliveryLimit, deadLetterExchange } = found;
  const limit = deliveryLimit === undefined ? 'no delivery limit' : `delivery limit ${deliveryLimit}`;
  const dead =
    deadLetterExchange === undefined
      ? 'no dead-letter exchange'
      : `dead letters to ${deadLetterExchange || 'the default exchange'}`;
  return `${quorum ? 'quorum ' : ''}queue ${queue}, ${limit}, ${dead}`;
}

async function checkDatabase(
  { name, parameters }: MessageStoreDefinition,
  services: StoreServices,
  deadlineMs: number,
): Promise<readonly Finding[]> {
  const { connectingFor } = await import('../../stores/sql/connect-parameters.ts');
  const { SqlRefusedError, within } = await import('../../stores/sql/driver.ts');
  const subject = `store ${name}`;
  const values = parameters as unknown as ConnectParameters;
  const { driver } = connectingFor(name, values, services);
  const connecting = driver.connect('messages');
  const tooLate = () => new Error(`${driver.where} has not answered within ${duration(deadlineMs)}`);
  const connection = await within(connecting, deadlineMs, tooLate).catch((error: unknown) => {
    // It may still come about; then nobody wants it any more.
    void connecting.then(
      (late) => late.close(),
      () => {},
    );
    throw error;
  });
  try {
    const table = values['store.jdbc.table'];
    const findings: Finding[] = connection.cautions.map((caution) => warning(subject, caution));
    const begun = Date.now();
    const [row] = await connection.query(`SELECT ${driver.dialect.now} AS now_ms`);
    const skew = Number(row?.now_ms) - (begun + Date.now()) / 2;
    const clock = `clocks differ by ${duration(Math.abs(skew))}`;
    const there = await connection.query(`SELECT 1 FROM ${table} WHERE 1 = 0`).then(
      () => true,
      (error: unknown) => {
        if (error instanceof SqlRefusedError && error.refusal === 'no such table') return false;
        throw error;
      },
    );
    findings.unshift(
      ok(subject, `${connection.server} at ${driver.where}; table ${table}${there ? '' : ' is not there'}; ${clock}`),
    );
    if (!there) findings.push(warning(subject, `table ${table} is not there; x.create.table makes it`));
    if (Math.abs(skew) > MUCH_SKEW_MS)
      findings.push(warning(subject, `${clock}: ages and rates will be wrong by that`));
    return findings;
  } finally {
    await connection.close();
  }
}
