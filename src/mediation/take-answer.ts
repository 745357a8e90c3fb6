import { TransportHeaders } from '../message/headers.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { PropertyValue } from '../message/property-value.ts';

/**
 * Puts the answer of a non-blocking call into the message that called (spec mediators 3.11, proxies 3.1). Direction, default scope,
 * variables, fault stack, operation scope and client stay; payload, axis2 scope, headers and addressing are the answer's.
 */
export function takeAnswer(message: MessageContext, answer: MessageContext): void {
  message.payload = answer.payload;
  message.headers = answer.headers;
  message.doingRest = answer.doingRest;
  const { to, from, replyTo, faultTo, relatesTo, action } = answer;
  Object.assign(message, { to, from, replyTo, faultTo, relatesTo, action });
  replaceAll(message.axis2, answer.axis2);
  message.axis2Client.clear();
  for (const [name, value] of answer.properties) message.properties.set(name, value);
  message.resumed = true;
}

function replaceAll(target: Map<string, PropertyValue>, source: ReadonlyMap<string, PropertyValue>): void {
  target.clear();
  for (const [name, value] of source) target.set(name, value);
}

/** What of the answer's axis2 scope says how its payload is to be read and written. */
const OF_THE_PAYLOAD = ['messageType', 'ContentType', 'NO_ENTITY_BODY', 'CHARACTER_SET_ENCODING'];
/** Headers that belong to the request's body. */
const OF_THE_BODY = ['Content-Type', 'Content-Length', 'Content-Encoding', 'Transfer-Encoding'];

/**
 * Puts the answer of a blocking call into the message that called (spec mediators 3.11, 3.24): payload, its types and axis2 HTTP_SC;
 * the rest of the axis2 scope stays. Request headers stay beside those of the answer unless BLOCKING_SENDER_PRESERVE_REQ_HEADERS is
 * `false`.
 */
export function takeBlockingAnswer(message: MessageContext, answer: MessageContext): void {
  const preserve = message.text('BLOCKING_SENDER_PRESERVE_REQ_HEADERS') !== 'false';
  const headers = preserve ? message.headers.clone() : new TransportHeaders();
  for (const name of OF_THE_BODY) headers.delete(name);
  const taken = new Set<string>();
  for (const [name, value] of answer.headers.pairs()) {
    const first = !taken.has(name.toLowerCase());
    taken.add(name.toLowerCase());
    if (first) headers.set(name, value);
    else headers.add(name, value);
  }
  message.headers = headers;
  message.payload = answer.payload;
  message.doingRest = answer.doingRest;
  for (const name of OF_THE_PAYLOAD) message.axis2.delete(name);
  for (const name of [...OF_THE_PAYLOAD, 'HTTP_SC', 'HTTP_SC_DESC']) {
    const value = answer.axis2.get(name);
    if (value !== undefined) message.axis2.set(name, value);
  }
}
