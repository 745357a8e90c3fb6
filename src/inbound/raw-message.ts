import type { Configuration } from '../message/configuration.ts';
import { mediaTypeOf, parseMediaType } from '../message/media-type.ts';
import { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import { bodyKind, usualContentType } from '../stores/broker/foreign-body.ts';

export interface RawMessage {
  readonly configuration: Configuration;
  readonly bytes: Uint8Array;
  /** Undefined: what the first characters look like. */
  readonly contentType: string | undefined;
  /** `mqtt`, `ws`. */
  readonly transport: string;
  readonly to: string;
}

/** Bytes of a transport that knows nothing but bytes as a message for a flow. */
export function rawMessage({ configuration, bytes, contentType, transport, to }: RawMessage): MessageContext {
  const kind = bodyKind(contentType, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const type = contentType ?? usualContentType(kind);
  const payload = bytes.length === 0 ? Payload.empty() : Payload.unread(bytes, type, { soapAction: kind === 'soap11' });
  const message = new MessageContext(configuration, payload);
  const { headers, axis2, properties } = message;
  headers.set('Content-Type', type);
  message.to = to;
  message.doingRest = kind !== 'soap11' && kind !== 'soap12';
  axis2.set('ContentType', type);
  axis2.set('messageType', mediaTypeOf(type));
  axis2.set('CHARACTER_SET_ENCODING', parseMediaType(type).parameters.get('charset') ?? 'UTF-8');
  axis2.set('TRANSPORT_IN_NAME', transport);
  axis2.set('correlation_id', message.messageId);
  properties.set('TRANSPORT_IN_NAME', transport);
  properties.set('IsClientDoingREST', message.doingRest);
  properties.set('IsClientDoingSOAP11', kind === 'soap11');
  return message;
}
