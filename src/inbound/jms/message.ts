import { logger } from '../../logging/index.ts';
import { markBinary } from '../../message/binary-element.ts';
import type { Configuration } from '../../message/configuration.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { Payload } from '../../message/payload.ts';
import type { Delivery, PoisonMessage } from '../../stores/message-store.ts';
import type { StoredMessage } from '../../stores/stored-message.ts';
import { newDocument, type XmlElement } from '../../xml/index.ts';
import { receivedMessage } from '../received-message.ts';

const log = logger('JMSMessage');

/** How the media type of a JMS message is found; what is undefined says nothing. */
export interface JmsContentType {
  /** The property of the message that names it. */
  readonly property: string | undefined;
  /** The media type of all others. */
  readonly fixed: string | undefined;
}

/**
 * What a queue has delivered as a message: the JMS headers are transport headers (`JMS_MESSAGE_ID`, …, the reference's spellings), the
 * properties transport headers where HTTP could carry them, else properties of the default scope (spec proxies 3.5).
 */
export function jmsMessage(
  delivery: Delivery,
  configuration: Configuration,
  queue: string,
  contentType: JmsContentType,
): MessageContext {
  const message = receivedMessage(delivery, configuration, {
    transport: 'jms',
    contentType: (stored) => typeOf(stored, contentType),
    headers: (stored, redelivered) => [
      ['JMS_MESSAGE_ID', stored.id],
      ['JMS_COORELATION_ID', stored.correlationId],
      ['JMS_DESTINATION', `queue://${queue}`],
      ['JMS_REPLY_TO', textOf(stored, 'JMS_REPLY_TO')],
      ['JMS_TYPE', textOf(stored, 'JMS_TYPE')],
      ['JMS_TIMESTAMP', String(stored.storedAt)],
      ['JMS_PRIORITY', String(stored.priority ?? 4)],
      ['JMS_REDELIVERED', String(redelivered)],
    ],
  });
  message.to ??= `jms:/${queue}`;
  if (delivery.poison) warnUnreadable(delivery.poison, queue);
  return message;
}

/** Its flow runs all the same: it may know what to do with the headers. */
function warnUnreadable({ id, reason, bytes }: PoisonMessage, queue: string): void {
  const what = bytes.length === 0 ? 'has no body here' : 'cannot be read';
  log.warn(
    `A message of queue [${queue}] ${what}: ${reason}. Map, stream and object messages of Java do not travel over STOMP; send text (JSON, XML) or bytes`,
    { messageId: id },
  );
}

function typeOf(stored: StoredMessage, { property, fixed }: JmsContentType): string | undefined {
  const named = property === undefined ? undefined : propertyOf(stored, property);
  return named ?? fixed;
}

/** Where the reader of foreign messages keeps what is a media type by another name, too. */
function propertyOf(stored: StoredMessage, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const header = stored.headers.find(([present]) => present.toLowerCase() === wanted)?.[1];
  if (header !== undefined) return header;
  const found = [...stored.properties].find(([present]) => present.toLowerCase() === wanted)?.[1];
  if (found !== undefined) return String(found);
  return /^content_?-?type$/.test(wanted) ? stored.body.contentType : undefined;
}

function textOf(stored: StoredMessage, name: string): string | undefined {
  const value = stored.properties.get(name);
  return value === undefined ? undefined : String(value);
}

/** The element that a text or bytes become the content of. */
export interface Wrapper {
  readonly namespace: string | null;
  readonly name: string;
}

/** A text as the content of the wrapper, bytes as Base64; everything else stays as it is (sample 252). */
export function wrapped(message: MessageContext, wrapper: Wrapper | undefined): MessageContext {
  if (!wrapper) return message;
  const { payload } = message;
  const { format } = payload;
  if (format !== 'text' && format !== 'binary' && format !== 'other') return message;
  const bytes = Buffer.from(payload.originalBytes() ?? []);
  const element = newDocument(wrapper.namespace, wrapper.name).documentElement as XmlElement;
  element.textContent = format === 'text' ? bytes.toString('utf8') : bytes.toString('base64');
  message.payload = Payload.ofBodyChild(element);
  const content = message.payload.firstBodyChild();
  if (format !== 'text' && content) markBinary(content);
  return message;
}
