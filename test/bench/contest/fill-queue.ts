import { openStompConnection, type StompConnection } from '../../../src/stores/stomp/connection.ts';
import { encodeJmsMessage } from '../../../src/stores/stomp/jms-message.ts';
import { storedOrder } from '../messages.ts';

/** In one transaction: one write to the disk for all of them. */
const AT_ONCE = 500;

/** Puts stored messages on a queue, as a proxy would have stored them, only faster. */
export async function fillQueue(stompPort: number, queue: string, count: number): Promise<void> {
  const endpoint = { host: '127.0.0.1', port: stompPort, tls: false };
  const connection = await openStompConnection({ endpoint, heartBeatMs: 30_000 });
  try {
    for (let filled = 0; filled < count; filled += AT_ONCE) {
      await fillOnce(connection, queue, filled, Math.min(AT_ONCE, count - filled));
    }
  } finally {
    await connection.close();
  }
}

async function fillOnce(connection: StompConnection, queue: string, from: number, count: number): Promise<void> {
  const transaction = `fill${from}`;
  const steps = [connection.request('BEGIN', { transaction })];
  for (let index = 0; index < count; index += 1) {
    const { headers, body } = encodeJmsMessage(storedOrder(from + index));
    const where = { destination: `/queue/${queue}`, transaction };
    steps.push(connection.request('SEND', { ...headers, ...where }, body));
  }
  steps.push(connection.request('COMMIT', { transaction }));
  await Promise.all(steps);
}
