import { trustedBy } from '../../stores/broker/trust.ts';
import type { StoreServices } from '../../stores/component.ts';
import { formatEndpoint, parseProviderUrl, stompEndpoints } from '../../stores/stomp/address.ts';
import type { StompAccess } from '../../stores/stomp/parameters.ts';
import { queueName } from '../../stores/stomp/queue-name.ts';

/** Where brokers are that artifacts do not name: ActiveMQ as the samples run it. */
export const DEFAULT_PROVIDER_URL = 'tcp://localhost:61616';
const HEART_BEAT_MS = 10_000;

/** A `jms:` address, taken apart. */
export interface JmsAddress {
  /** The name of the queue or topic. */
  readonly queue: string;
  readonly topic: boolean;
  readonly access: StompAccess;
  /** `transport.jms.ReplyDestination`; undefined: a temporary queue. */
  readonly replyQueue: string | undefined;
  /** `transport.jms.ContentTypeProperty`. */
  readonly contentTypeProperty: string | undefined;
}

/**
 * Reads `jms:/QUEUE?transport.jms.…=…&java.naming.provider.url=…`; a topic is one by its prefix `dynamicTopics/`, by a `topic.NAME`
 * parameter, or by `transport.jms.DestinationType` (sample 381).
 * @throws AddressError for names that a broker reads as something else, and for brokers that speak no STOMP
 */
export function parseJmsAddress(address: string, { stompUrls, trustedCertificates }: StoreServices): JmsAddress {
  const { destination, parameters } = splitJmsAddress(address);
  const written = parameters.get('transport.jms.Destination') ?? destination;
  const topic = isTopic(written, parameters);
  const queue = topic ? queueName(topicName(written, parameters), new Map()) : queueName(written, parameters);
  const factory = parameters.get('java.naming.factory.initial');
  const provider = parseProviderUrl(parameters.get('java.naming.provider.url') ?? DEFAULT_PROVIDER_URL);
  const endpoints = stompEndpoints(provider, { artemis: /artemis/i.test(factory ?? ''), overrides: stompUrls });
  const login = parameters.get('transport.jms.UserName');
  const passcode = parameters.get('transport.jms.Password');
  const credentials = login && passcode !== undefined ? { login, passcode } : provider.credentials;
  const replyQueue = parameters.get('transport.jms.ReplyDestination');
  return {
    queue,
    topic,
    access: {
      endpoints,
      credentials,
      trusted: trustedBy(undefined, trustedCertificates),
      heartBeatMs: HEART_BEAT_MS,
      key: JSON.stringify([endpoints.map(formatEndpoint), credentials?.login]),
    },
    replyQueue: replyQueue === undefined ? undefined : queueName(replyQueue, parameters),
    contentTypeProperty: parameters.get('transport.jms.ContentTypeProperty') || undefined,
  };
}

const TOPIC_PREFIX = /^(dynamicTopics\/|topic:\/\/)/;

function isTopic(destination: string, parameters: ReadonlyMap<string, string>): boolean {
  const type = parameters.get('transport.jms.DestinationType') ?? '';
  return TOPIC_PREFIX.test(destination) || parameters.has(`topic.${destination}`) || /^topic$/i.test(type);
}

function topicName(destination: string, parameters: ReadonlyMap<string, string>): string {
  return (parameters.get(`topic.${destination}`) || destination).replace(TOPIC_PREFIX, '');
}

function splitJmsAddress(address: string): { destination: string; parameters: ReadonlyMap<string, string> } {
  const mark = address.indexOf('?');
  const destination = (mark < 0 ? address : address.slice(0, mark)).replace(/^jms:\/*/i, '');
  const parameters = new Map<string, string>();
  for (const pair of mark < 0 ? [] : address.slice(mark + 1).split('&')) {
    const equals = pair.indexOf('=');
    if (equals > 0) parameters.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return { destination, parameters };
}
