import { oneOf, text, ValueError, valueType } from '../../grammar/attributes.ts';
import type { ParametersOf } from '../../grammar/parameters.ts';
import type { StoreServices } from '../../stores/component.ts';
import { AddressError } from '../../stores/stomp/address.ts';
import { JMS_PARAMETERS, type JmsValues, type StompAccess, stompAccess } from '../../stores/stomp/parameters.ts';
import { queueName } from '../../stores/stomp/queue-name.ts';
import { RECEIVING_PARAMETERS } from '../queue-parameters.ts';

const NO_EFFECT = 'Has no effect: a message is acknowledged after its flow has ended, whatever is written here.';

const queueType = (doc: string) =>
  valueType(
    'queue',
    (value) => {
      const word = value.trim().toLowerCase();
      if (word === 'queue' || word === 'generic' || word === '') return word;
      if (word === 'topic') throw new ValueError('topics are not supported', 'queue');
      throw new ValueError(`'${value}' is not allowed`, 'queue');
    },
    { doc },
  );

/** Parameters with which a JMS broker is reached; the same for inbound endpoints, proxies and addresses. */
export const JMS_BROKER_PARAMETERS = {
  'java.naming.factory.initial': JMS_PARAMETERS['java.naming.factory.initial'],
  'java.naming.provider.url': {
    ...JMS_PARAMETERS['java.naming.provider.url'],
    missing: "'{artifact}': parameter 'java.naming.provider.url' is required",
  },
  'x.stomp.url': JMS_PARAMETERS['x.stomp.url'],
  'x.stomp.ca': JMS_PARAMETERS['x.stomp.ca'],
  'x.stomp.heartbeat': JMS_PARAMETERS['x.stomp.heartbeat'],
  'transport.jms.UserName': text({ doc: 'The user name; used only together with transport.jms.Password.' }),
  'transport.jms.Password': JMS_PARAMETERS['store.jms.password'],
  'transport.jms.ConnectionFactoryJNDIName': text({ doc: 'Only shown.' }),
  'transport.jms.ConnectionFactoryType': queueType('The kind of destination.'),
  'transport.jms.DestinationType': queueType('The kind of destination.'),
} as const;

/** The parameters of JMS inbound endpoints. */
export const JMS_INBOUND_PARAMETERS = {
  ...RECEIVING_PARAMETERS,
  ...JMS_BROKER_PARAMETERS,
  'transport.jms.Destination': text({ doc: 'The queue; default: the name of the inbound endpoint.' }),
  'transport.jms.ContentType': text({ doc: 'The media type of messages whose property does not tell one.' }),
  'transport.jms.ContentTypeProperty': text({ doc: 'The property of a message that names its media type.' }),
  'transport.jms.ReplyDestination': text({ doc: 'The queue for answers to messages without a JMSReplyTo.' }),
  'transport.jms.SessionTransacted': text({ doc: NO_EFFECT }),
  'transport.jms.SessionAcknowledgement': oneOf(
    ['AUTO_ACKNOWLEDGE', 'CLIENT_ACKNOWLEDGE', 'DUPS_OK_ACKNOWLEDGE', 'SESSION_TRANSACTED'],
    { doc: NO_EFFECT },
  ),
  'transport.jms.CacheLevel': text({ doc: 'Connections are kept in any case.' }),
  'transport.jms.SubscriptionDurable': text({ doc: 'Concerns topics only.' }),
  'transport.jms.SharedSubscription': text({ doc: 'Concerns topics only.' }),
  'transport.jms.MessageSelector': valueType(
    'nothing',
    (value) => {
      if (value.trim() === '') return undefined;
      throw new ValueError(
        'message selectors are not supported',
        'a queue with all the messages, and a <filter> in the sequence',
      );
    },
    { doc: 'Not supported.' },
  ),
} as const;

export type JmsInboundParameters = typeof JMS_INBOUND_PARAMETERS;
type BrokerValues = ParametersOf<typeof JMS_BROKER_PARAMETERS>;

/** @throws AddressError, TrustError */
export function brokerAccess(parameters: BrokerValues, services: StoreServices): StompAccess {
  const values = {
    'java.naming.factory.initial': parameters['java.naming.factory.initial'],
    'java.naming.provider.url': parameters['java.naming.provider.url'],
    'x.stomp.url': parameters['x.stomp.url'],
    'x.stomp.ca': parameters['x.stomp.ca'],
    'x.stomp.heartbeat': parameters['x.stomp.heartbeat'],
    'store.jms.username': parameters['transport.jms.UserName'],
    'store.jms.password': parameters['transport.jms.Password'],
  };
  return stompAccess(values as JmsValues, services);
}

/** @throws AddressError for topics, and for names that a broker reads as something else */
export function queueOf(destination: string, written: ReadonlyMap<string, string>): string {
  return queueName(destination, written);
}

/** The problem of a destination, in words; undefined when it can be used. */
export function destinationProblem(destination: string, written: ReadonlyMap<string, string>): string | undefined {
  try {
    queueOf(destination, written);
    return undefined;
  } catch (error) {
    if (error instanceof AddressError) return error.message;
    throw error;
  }
}
