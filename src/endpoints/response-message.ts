import type { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import { TypedNumber } from '../message/property-value.ts';
import type { HttpResponse } from '../transport/http-exchange.ts';

/** What a back end without a Content-Type is taken to have sent (spec proxies 2.5). */
const DEFAULT_RESPONSE_TYPE = 'application/octet-stream';

/**
 * The message that a back end's answer becomes (spec proxies 2.5, 3.1).
 * @param options.rest the request was sent as plain XML or REST
 */
export function responseMessage(
  request: MessageContext,
  answer: HttpResponse,
  options: { readonly outOnly?: boolean | undefined; readonly rest: boolean },
): MessageContext {
  const empty = options.outOnly === true || answer.body.byteLength === 0;
  const contentType = answer.headers.get('Content-Type') ?? (empty ? undefined : DEFAULT_RESPONSE_TYPE);
  const contentEncoding = answer.headers.get('Content-Encoding');
  const { stream } = answer;
  const payload = empty ? Payload.empty() : Payload.unread(answer.body, contentType, { contentEncoding, stream });
  const response = request.responseContext(payload);
  response.doingRest = options.rest;
  response.headers = answer.headers;
  const { axis2 } = response;
  axis2.set('HTTP_SC', new TypedNumber('INTEGER', answer.status));
  axis2.set('ORIGINAL_STATUS_CODE', new TypedNumber('INTEGER', answer.status));
  axis2.set('HTTP_SC_DESC', answer.reason);
  axis2.set('HTTP_REASON_PHRASE', answer.reason);
  if (contentType !== undefined) {
    axis2.set('ContentType', contentType);
    axis2.set('messageType', contentType.split(';', 1)[0]?.trim() ?? contentType);
  }
  if (answer.status >= 400) axis2.set('FAULT_MESSAGE', 'TRUE');
  if (answer.status === 202) axis2.set('SC_ACCEPTED', true);
  if (empty) axis2.set('NO_ENTITY_BODY', true);
  if (request.axis2.get('IGNORE_SC_ACCEPTED') !== undefined) axis2.set('FORCE_SC_ACCEPTED', true);
  return response;
}
