import type { Configuration } from '../message/configuration.ts';
import type { Exchange } from '../message/exchange.ts';
import { mediaTypeOf, parseMediaType } from '../message/media-type.ts';
import { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import { servicePrefix } from './client-exchange.ts';
import type { IncomingRequest } from './incoming-request.ts';

const METHODS_WITH_ENTITY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * The message that a request becomes (spec proxies 1.3 steps 1 and 3, 2.3). Nothing of the body is looked at: WS-Addressing headers
 * (spec proxies 1.7) are therefore not read here; whoever builds the envelope and cares for them reads them then. `proxy.name` and
 * ARTIFACT_NAME are set by the proxy that takes the message.
 *
 * @param postfix REST_URL_POSTFIX, see routeService
 */
export function inboundMessage(
  request: IncomingRequest,
  configuration: Configuration,
  exchange: Exchange | undefined,
  postfix: string,
): MessageContext {
  const { headers, body, stream, method, query } = request;
  const contentEncoding = headers.get('Content-Encoding');
  const payload = Payload.unread(body, headers.get('Content-Type'), {
    soapAction: headers.has('SOAPAction'),
    method,
    query,
    contentEncoding,
    stream,
  });
  const message = new MessageContext(configuration, payload);
  message.headers = headers;
  message.exchange = exchange;
  message.doingRest = request.client === 'rest';
  message.to = request.path;
  message.action = actionOf(request);
  setTransportProperties(message, request, postfix);
  message.properties.set('TRANSPORT_IN_NAME', request.scheme);
  message.properties.set('IsClientDoingREST', message.doingRest);
  message.properties.set('IsClientDoingSOAP11', payload.soapVersion === '1.1');
  message.properties.set('correlation_id', request.correlationId);
  return message;
}

function setTransportProperties(message: MessageContext, request: IncomingRequest, postfix: string): void {
  const { axis2 } = message;
  const contentType = effectiveContentType(request);
  axis2.set('HTTP_METHOD', request.method);
  axis2.set('TransportInURL', request.target);
  axis2.set('REMOTE_ADDR', request.remoteAddress);
  // The reference asks the DNS for the name; a listener must not wait for that.
  axis2.set('REMOTE_HOST', request.remoteAddress);
  axis2.set('REST_URL_POSTFIX', postfix);
  axis2.set('SERVICE_PREFIX', servicePrefix(request));
  axis2.set('ContentType', contentType);
  axis2.set('messageType', messageType(request, contentType));
  axis2.set('CHARACTER_SET_ENCODING', parseMediaType(contentType).parameters.get('charset') ?? 'UTF-8');
  axis2.set('correlation_id', request.correlationId);
  axis2.set('TRANSPORT_IN_NAME', request.scheme);
  if (request.body.byteLength === 0) axis2.set('NO_ENTITY_BODY', true);
}

/** What a request without a Content-Type is taken for (spec proxies 1.6). */
function effectiveContentType({ headers, method }: IncomingRequest): string {
  const given = headers.get('Content-Type');
  if (given !== undefined && given.trim() !== '') return given;
  return METHODS_WITH_ENTITY.has(method) ? 'application/octet-stream' : 'application/x-www-form-urlencoded';
}

function messageType({ client, body }: IncomingRequest, contentType: string): string {
  const type = mediaTypeOf(contentType);
  if (client !== 'rest') return body.byteLength === 0 ? 'application/xml' : type;
  // Without a SOAPAction it is read as a plain document, so it must be written as one.
  return type === 'text/xml' ? 'application/xml' : type;
}

/** SOAPAction without its quotes, or the `action` parameter of a SOAP 1.2 Content-Type (spec proxies 1.6, 1.7). */
function actionOf({ client, headers }: IncomingRequest): string | undefined {
  if (client === 'soap12') {
    const action = parseMediaType(headers.get('Content-Type')).parameters.get('action');
    if (action !== undefined) return action;
  }
  const action = withoutQuotes(headers.get('SOAPAction')?.trim() ?? '');
  return action === '' ? undefined : action;
}

function withoutQuotes(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
