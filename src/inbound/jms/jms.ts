import { logger } from '../../logging/index.ts';
import { maskCredentials } from '../../logging/secrets.ts';
import { formatEndpoint } from '../../stores/stomp/address.ts';
import type { StompAccess } from '../../stores/stomp/parameters.ts';
import type { InboundServices } from '../component.ts';
import { type InboundTransport, inboundKind } from '../component.ts';
import type { MessageEntry } from '../entry.ts';
import { QueueListener } from '../queue-listener.ts';
import { concurrencyOf, redeliveryOf } from '../queue-parameters.ts';
import { QueueReceiver } from '../queue-receiver.ts';
import { InboundJmsConsumer, JmsBrokerLink } from './broker-link.ts';
import { type JmsContentType, jmsMessage, type Wrapper, wrapped } from './message.ts';
import { brokerAccess, destinationProblem, JMS_INBOUND_PARAMETERS, queueOf } from './parameters.ts';
import { jmsReply } from './reply.ts';

const log = logger('JmsInboundEndpoint');
/** What ActiveMQ's own clients do, ms and attempts. */
const DEFAULT_MAX_REDELIVERIES = 6;

/** `protocol="jms"`: takes the messages of a queue of ActiveMQ or Artemis, over STOMP. */
export const jmsInbound = inboundKind({
  protocol: 'jms',
  doc: 'Takes the messages of a queue of ActiveMQ; each is acknowledged after its flow has ended.',
  parameters: JMS_INBOUND_PARAMETERS,
  answers: false,
  review(written, _parameters, reader) {
    const destination = written.get('transport.jms.Destination');
    if (!destination) return;
    const texts = new Map([...written.values()].map(({ name, value }) => [name, value]));
    const problem = destinationProblem(destination.value, texts);
    if (problem !== undefined)
      reader.error(destination.element, `parameter 'transport.jms.Destination': ${problem}`, {
        expected: 'the name of a queue',
      });
  },
  open({ name, entry, parameters, written, services, previous }) {
    return new JmsListener({
      entry,
      services,
      previous,
      access: brokerAccess(parameters, services.stores),
      queue: queueOf(parameters['transport.jms.Destination'] || name, written),
      contentType: {
        property: parameters['transport.jms.ContentTypeProperty'] || undefined,
        fixed: parameters['transport.jms.ContentType'] || undefined,
      },
      replyDestination: parameters['transport.jms.ReplyDestination'] || undefined,
      concurrency: concurrencyOf(parameters),
      redelivery: redeliveryOf(parameters),
      maxRedeliveries: maxRedeliveries(parameters['java.naming.provider.url'].text),
      providerUrl: parameters['java.naming.provider.url'].text,
    });
  },
});

export interface JmsListenerOptions {
  readonly entry: MessageEntry;
  readonly services: InboundServices;
  readonly previous: InboundTransport | undefined;
  readonly access: StompAccess;
  readonly queue: string;
  readonly contentType: JmsContentType;
  readonly replyDestination: string | undefined;
  readonly concurrency: number;
  readonly redelivery: { readonly firstMs: number; readonly longestMs: number };
  /** After so many repetitions ActiveMQ's dead letters have a message; undefined: never. */
  readonly maxRedeliveries: number | undefined;
  /** For the log. */
  readonly providerUrl: string;
  /** The element that texts and bytes are put into. */
  readonly wrapper?: Wrapper | undefined;
}

/** Listens to one queue: of an inbound endpoint, or of a proxy service with `transports="jms"`. */
export class JmsListener extends QueueListener {
  constructor(options: JmsListenerOptions) {
    const { entry, services, previous, access, queue, contentType, replyDestination, maxRedeliveries } = options;
    const deadlineMs = services.stores.putDeadlineMs;
    const link = new JmsBrokerLink({ label: entry.label, access, deadlineMs, log });
    const where = access.endpoints.map(formatEndpoint).join(', ');
    const chosen = `STOMP, chosen for ${maskCredentials(options.providerUrl)}`;
    super({
      previous,
      handOverMs: deadlineMs,
      link,
      announce: () => log.info(`${entry.label} takes the messages of queue [${queue}] at ${where} (${chosen})`),
      receiver: new QueueReceiver({
        entry,
        consumers: Array.from({ length: options.concurrency }, () => link.consumer(queue)),
        configuration: () => services.configuration(),
        toMessage: (delivery, configuration) =>
          wrapped(jmsMessage(delivery, configuration, queue, contentType), options.wrapper),
        replyTo: (message) => jmsReply(message, { link, replyDestination }),
        redelivery: options.redelivery,
        reject: async (consumer, attempts) =>
          maxRedeliveries !== undefined && attempts > maxRedeliveries && consumer instanceof InboundJmsConsumer
            ? await consumer.reject(deadlineMs)
            : false,
      }),
    });
  }
}

/** `jms.redeliveryPolicy.maximumRedeliveries` of the provider URL; -1 is for ever. */
export function maxRedeliveries(providerUrl: string): number | undefined {
  const written = /[?&]jms\.redeliveryPolicy\.maximumRedeliveries=(-?\d{1,9})/.exec(providerUrl)?.[1];
  const count = written === undefined ? DEFAULT_MAX_REDELIVERIES : Number(written);
  return count < 0 ? undefined : count;
}
