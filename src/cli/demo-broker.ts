import { startActiveMq } from '../../samples/activemq/broker.ts';
import { ActiveMqNotFoundError } from '../../samples/activemq/installation.ts';
import { stompAnswers } from '../../samples/activemq/stomp-answers.ts';

/** The ports that the sample's artifacts and STOMP's habit name. */
const OPENWIRE_PORT = 61616;
const STOMP_PORT = 61613;

/** There is no ActiveMQ to be had; the message says how to get one. */
export class BrokerMissingError extends Error {
  override readonly name = 'BrokerMissingError';
}

/**
 * The ActiveMQ of the demo: the one that answers STOMP on its usual port, else an installed one, started for the demo with its
 * data in a temporary folder. @throws BrokerMissingError
 */
export async function demoBroker(say: (line: string) => void): Promise<{ close: () => Promise<void> }> {
  if (await stompAnswers({ host: '127.0.0.1', port: STOMP_PORT })) {
    say(`Using the ActiveMQ that answers STOMP on port ${STOMP_PORT}.`);
    return { close: async () => {} };
  }
  say('Starting an ActiveMQ for the demo ...');
  try {
    const broker = await startActiveMq({ openwirePort: OPENWIRE_PORT, stompPort: STOMP_PORT });
    say(`ActiveMQ answers after ${broker.startedInMs} ms.`);
    return { close: () => broker.close() };
  } catch (cause) {
    if (!(cause instanceof ActiveMqNotFoundError)) throw cause;
    throw new BrokerMissingError(
      `no ActiveMQ answers STOMP on port ${STOMP_PORT} and none is installed: install Debian's package 'activemq', or set ACTIVEMQ_HOME to an unpacked ActiveMQ 5`,
      { cause },
    );
  }
}
