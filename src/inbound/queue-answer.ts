import { TransportHeaders } from '../message/headers.ts';
import { mediaTypeOf } from '../message/media-type.ts';
import type { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import type { StoredMessage } from '../stores/stored-message.ts';

/** What came over a queue as the answer to a request; undefined: a message without a body. */
export function answerFrom(request: MessageContext, stored: StoredMessage | undefined): MessageContext {
  const { bytes, contentType, kind } = stored?.body ?? {
    bytes: new Uint8Array(0),
    contentType: undefined,
    kind: 'none',
  };
  const soap = kind === 'soap11' || kind === 'soap12';
  const payload =
    bytes.length === 0 ? Payload.empty() : Payload.unread(bytes, contentType, { soapAction: kind === 'soap11' });
  const response = request.responseContext(payload);
  response.doingRest = !soap;
  response.headers = TransportHeaders.from(stored?.headers ?? []);
  if (contentType !== undefined) {
    response.axis2.set('ContentType', contentType);
    response.axis2.set('messageType', mediaTypeOf(contentType));
  }
  return response;
}

/** The broker has the message, and nobody answers. */
export function acceptedAnswer(request: MessageContext): MessageContext {
  const response = request.responseContext(Payload.empty());
  response.axis2.set('SC_ACCEPTED', true);
  response.axis2.set('NO_ENTITY_BODY', true);
  return response;
}
