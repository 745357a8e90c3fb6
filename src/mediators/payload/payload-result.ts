import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import { acceptJson, NotJsonError } from '../../message/json.ts';
import { mediaTypeOf } from '../../message/media-type.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { Payload } from '../../message/payload.ts';
import { setProperty } from '../../message/property-scopes.ts';
import { isEnvelope } from '../../message/soap.ts';
import {
  cloneInto,
  firstElement,
  newDocument,
  parseXml,
  type XmlElement,
  XmlLimitError,
  XmlSyntaxError,
} from '../../xml/index.ts';
import type { MediaType } from './payload-values.ts';

/** Of a document that cannot be used a fault shows at most this much, characters. */
const MAX_SHOWN = 1024;
/** A message of one of these types keeps it when its payload becomes XML. */
const XML_TYPES = ['application/xml', 'text/xml', 'application/soap+xml'];

/**
 * Makes generated text the payload of a message, with its media type (spec mediators 3.7.2).
 * @throws MediationError when it is not what the media type says
 */
export function setGeneratedPayload(message: MessageContext, generated: string, media: MediaType): void {
  const { payload, axis2 } = message;
  if (media === 'xml') setXml(payload, generated);
  else if (media === 'json') setJson(payload, generated);
  else payload.setText(generated);
  const type = typeFor(media, mediaTypeOf(String(axis2.get('messageType') ?? '')));
  if (type !== undefined) setProperty(message, 'axis2', 'messageType', type);
  axis2.delete('NO_ENTITY_BODY');
}

function typeFor(media: MediaType, present: string): string | undefined {
  if (media === 'json') return 'application/json';
  if (media === 'text') return 'text/plain';
  return XML_TYPES.includes(present) ? undefined : 'application/xml';
}

/** Only the first element counts; an envelope becomes the envelope. */
function setXml(payload: Payload, generated: string): void {
  const element = firstElementOf(generated);
  if (!element) throw new MediationError('Generated content is not a valid XML payload');
  if (!isEnvelope(element)) {
    payload.replaceBody(element);
    return;
  }
  const document = newDocument(element.namespaceURI, element.nodeName);
  const envelope = cloneInto(document, element);
  document.replaceChild(envelope, document.documentElement as XmlElement);
  payload.replaceEnvelope(envelope);
}

function firstElementOf(generated: string): XmlElement | undefined {
  const content = generated.replace(/^<\?xml[^>]*\?>/, '');
  try {
    return firstElement(parseXml(`<generated>${content}</generated>`).documentElement as XmlElement);
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    const code = ERROR_CODES.payloadParseFailed;
    if (cause instanceof XmlLimitError) {
      throw new MediationError(`payloadFactory makes a payload that is too large: ${cause.message}`, { code, cause });
    }
    throw new MediationError(`Error creating SOAP Envelope from source ${generated.slice(0, MAX_SHOWN)}`, {
      code,
      detail: cause.message,
      cause,
    });
  }
}

function setJson(payload: Payload, generated: string): void {
  let json: string | undefined;
  try {
    json = acceptJson(generated);
  } catch (cause) {
    if (!(cause instanceof NotJsonError)) throw cause;
    throw new MediationError(`Error creating JSON Payload from source ${generated.slice(0, MAX_SHOWN)}`, { cause });
  }
  if (json === undefined) payload.clear();
  else payload.setJson(json);
}
