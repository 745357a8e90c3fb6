import type { Configuration } from '../message/configuration.ts';
import { mediaTypeOf } from '../message/media-type.ts';
import type { MessageContext } from '../message/message-context.ts';
import { bodyKind } from '../stores/broker/foreign-body.ts';
import { restoreMessage } from '../stores/capture.ts';
import { foreignMessage } from '../stores/foreign-message.ts';
import type { Delivery, PoisonMessage } from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';

export interface ReceivedAs {
  /** `jms`, `rabbitmq`. */
  readonly transport: string;
  /** The media type that the artifact says; undefined: what the message says, else what its first characters look like. */
  contentType(stored: StoredMessage): string | undefined;
  /** Transport headers beside those of the message. */
  headers(stored: StoredMessage, redelivered: boolean): ReadonlyArray<readonly [string, string | undefined]>;
}

/**
 * What a queue has delivered as a message for a flow. What no store of ours can decode, such as a serialized Java object or a message
 * without a body, is a message all the same: its bytes, with the headers that it came with.
 */
export function receivedMessage(delivery: Delivery, configuration: Configuration, as: ReceivedAs): MessageContext {
  const stored = delivery.message ?? undecoded(delivery.poison);
  const contentType = as.contentType(stored);
  const typed = contentType === undefined ? stored : withType(stored, contentType);
  const message = restoreMessage(typed, configuration);
  const { kind } = typed.body;
  message.doingRest = kind !== 'soap11' && kind !== 'soap12';
  for (const [name, value] of as.headers(stored, delivery.redelivered))
    if (value !== undefined && value !== '') message.headers.set(name, value);
  const type = typed.body.contentType;
  if (type !== undefined) {
    message.axis2.set('ContentType', type);
    message.axis2.set('messageType', mediaTypeOf(type));
  }
  message.axis2.set('TRANSPORT_IN_NAME', as.transport);
  message.axis2.set('correlation_id', typed.correlationId ?? message.messageId);
  message.properties.set('TRANSPORT_IN_NAME', as.transport);
  message.properties.set('IsClientDoingREST', message.doingRest);
  message.properties.set('IsClientDoingSOAP11', kind === 'soap11');
  return message;
}

function withType(stored: StoredMessage, contentType: string): StoredMessage {
  const { body } = stored;
  if (body.bytes.length === 0) return { ...stored, body: { ...body, contentType } };
  const bytes = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength);
  return { ...stored, body: { ...body, contentType, kind: bodyKind(contentType, bytes) } };
}

function undecoded(poison: PoisonMessage | undefined): StoredMessage {
  const { id = '', bytes = new Uint8Array(0), headers = [] } = poison ?? {};
  const empty = bytes.length === 0;
  return foreignMessage({
    id,
    correlationId: headers.find(([name]) => name === 'correlation-id')?.[1],
    body: { kind: empty ? 'none' : 'binary', bytes, contentType: empty ? undefined : 'application/octet-stream' },
    headers,
  });
}
