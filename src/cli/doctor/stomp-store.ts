import { formatEndpoint } from '../../stores/stomp/address.ts';
import { openStompConnection, type StompConnection } from '../../stores/stomp/connection.ts';
import { destinationQueue, type JmsValues, stompAccess } from '../../stores/stomp/parameters.ts';
import type { MessageStoreDefinition } from '../../synapse/message-store.ts';
import { bytes, duration } from '../show/quantities.ts';
import { checkOf, type Finding, ok, reasonOf, warning, wrong } from './finding.ts';
import { attemptsOf, deadLetterTargets, type StoreSurroundings } from './surroundings.ts';

/** What ActiveMQ takes over STOMP in one message unless it is told otherwise. */
const USUAL_LIMIT_BYTES = 100 * 1024 * 1024;

/** ActiveMQ over STOMP: every address of the store by itself. */
export async function checkStomp(
  definition: MessageStoreDefinition,
  surroundings: StoreSurroundings,
): Promise<readonly Finding[]> {
  const { name, parameters, written } = definition;
  const subject = `store ${name}`;
  const values = parameters as unknown as JmsValues;
  const queue = destinationQueue(name, values, written);
  const { endpoints, credentials, trusted, heartBeatMs } = stompAccess(values, surroundings.services);
  const { deadlineMs } = surroundings;
  const findings: Finding[] = [];
  for (const endpoint of endpoints) {
    const where = formatEndpoint(endpoint);
    let connection: StompConnection;
    try {
      connection = await openStompConnection({ endpoint, credentials, trusted, heartBeatMs, deadlineMs });
    } catch (error) {
      findings.push(wrong(subject, `${where}: ${reasonOf(error)}`, checkOf(error)));
      continue;
    }
    const server = connection.server || 'a broker';
    await connection.close();
    findings.push(
      ok(subject, `${server} at ${where}; queue ${queue}`, 'reachability'),
      ok(subject, credentials ? `${where} takes ${credentials.login}` : `${where} asks for none`, 'credentials'),
    );
  }
  return findings.some(({ status }) => status === 'ok')
    ? [...findings, ...settings(name, heartBeatMs, surroundings)]
    : findings;
}

function settings(name: string, heartBeatMs: number, surroundings: StoreSurroundings): readonly Finding[] {
  const subject = `store ${name}`;
  const { maxBodyBytes } = surroundings;
  const limit = `requests have at most ${bytes(maxBodyBytes)}; ActiveMQ takes ${bytes(USUAL_LIMIT_BYTES)} unless its connector says otherwise (wireFormat.maxDataLength)`;
  return [
    ok(subject, `every ${duration(heartBeatMs)}, both ways`, 'heart-beat'),
    ok(subject, 'one message for each worker, not acknowledged before it is delivered', 'prefetch'),
    ok(
      subject,
      'messages are sent as persistent, and count as stored when the broker has confirmed them',
      'persistence',
    ),
    maxBodyBytes > USUAL_LIMIT_BYTES ? warning(subject, limit, 'size limits') : ok(subject, limit, 'size limits'),
    ...deadLetterTargets(name, surroundings),
    ok(subject, `none of the broker: ${attemptsOf(name, surroundings)}`, 'delivery limit'),
    ok(subject, "the broker's clock is not used: times in messages are those of this machine", 'clock skew'),
  ];
}
