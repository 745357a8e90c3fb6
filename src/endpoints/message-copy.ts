import { randomUUID } from 'node:crypto';
import { MessageContext } from '../message/message-context.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../message/property-value.ts';
import { cloneInto, type XmlElement } from '../xml/index.ts';

/** The reference's spelling: the id of the message that a copy was made of (spec mediators 2.7). */
const ORIGINAL_ID = 'aggregateCorelation';
const POSITION_PROPERTY = 'MESSAGE_SEQUENCE';

/**
 * One of several copies of a message, each of which goes its own way (spec mediators 2.7): a new id, everything that mediators can
 * see, the same waiting client. The fault stack stays behind: what becomes of the message as a whole is decided by whoever copies it.
 * @param index of the copy, from 0, of `count` copies
 */
export function copyOf(message: MessageContext, index: number, count: number): MessageContext {
  const copy = new MessageContext(message.configuration, message.payload.clone());
  const { direction, to, from, replyTo, faultTo, relatesTo, action, doingRest, operation, exchange } = message;
  Object.assign(copy, { direction, to, from, replyTo, faultTo, relatesTo, action, doingRest, operation, exchange });
  copy.responseReceiver = message.responseReceiver;
  copy.headers = message.headers.clone();
  for (const scope of ['properties', 'axis2', 'axis2Client', 'variables'] as const) {
    for (const [name, value] of message[scope]) copy[scope].set(name, copyOfValue(value));
  }
  copy.properties.set(ORIGINAL_ID, message.messageId);
  copy.properties.set(POSITION_PROPERTY, `${index}/${count}`);
  const correlationId = message.axis2.get('correlation_id');
  if (correlationId !== undefined) copy.axis2.set('correlation_id', `${correlationId}_${randomUUID()}`);
  return copy;
}

/** Elements belong to one property. */
function copyOfValue(value: PropertyValue): PropertyValue {
  if (typeof value !== 'object' || value instanceof TypedNumber || value instanceof JsonValue) return value;
  return isList(value) ? value.map(copyOfElement) : copyOfElement(value);
}

function isList(value: XmlElement | readonly XmlElement[]): value is readonly XmlElement[] {
  return Array.isArray(value);
}

function copyOfElement(element: XmlElement): XmlElement {
  const document = element.ownerDocument;
  return document ? cloneInto(document, element) : element;
}
