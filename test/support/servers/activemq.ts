import { type ActiveMqBroker, type ActiveMqOptions, startActiveMq } from '../../../samples/activemq/broker.ts';
import { type ActiveMqInstallation, findActiveMq } from '../../../samples/activemq/installation.ts';
import type { ServerKind } from './kind.ts';

/** ActiveMQ Classic with OpenWire and STOMP, durable. */
export const activemq: ServerKind<ActiveMqInstallation, ActiveMqOptions, ActiveMqBroker> = {
  name: 'ActiveMQ',
  debianPackage: 'activemq',
  find: () => findActiveMq(),
  start: (installation, options) => startActiveMq({ ...options, installation }),
};
