import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { type BodyFormat, formatOf } from '../message/builder.ts';
import type { Configuration } from '../message/configuration.ts';
import { formatPayload } from '../message/formatter.ts';
import { TransportHeaders } from '../message/headers.ts';
import { hasJsonOrigin, jsonToXml, xmlToJson } from '../message/json-xml.ts';
import { mediaTypeOf } from '../message/media-type.ts';
import { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import { integerOf, type PropertyValue } from '../message/property-value.ts';
import { cloneInto, newDocument, parseXml, serializeXml, type XmlElement } from '../xml/index.ts';
import { newStoredId } from './stored-id.ts';
import type { StoredAddressing, StoredBody, StoredMessage } from './stored-message.ts';

/** The reference's spelling: the id of the message that a copy was made of (spec mediators 2.7). */
const ORIGINAL_ID = 'aggregateCorelation';
const SERVICE_NAME = 'service.logger.name';
/** A restored message does not run in the service that stored it (REQ-06). */
const SERVICE_PROPERTIES: ReadonlySet<string> = new Set(['proxy.name', 'SYNAPSE_REST_API', 'SYNAPSE_RESOURCE']);
const EMPTY = new Uint8Array(0);

/**
 * The copy of a message that a store keeps (spec stores 3.1 step 5): a new id that it will have for ever (OP-05), everything that
 * mediators can see, and nothing of the flow it comes from (REQ-18). The message stays as it is; an untouched body is not looked into.
 * @throws MediationError when a changed payload cannot be written
 */
export function captureMessage(message: MessageContext): StoredMessage {
  const { body, headers } = captureBody(message);
  const correlationId = textOf(message.axis2.get('correlation_id'));
  const storedAt = Date.now();
  return {
    v: 1,
    id: newStoredId(storedAt),
    originalId: message.messageId,
    correlationId,
    storedAt,
    service: message.text('proxy.name') ?? message.text('SYNAPSE_REST_API'),
    body,
    addressing: captureAddressing(message),
    direction: message.direction,
    doingRest: message.doingRest,
    headers,
    axis2: captureAxis2(message, correlationId),
    properties: captureProperties(message),
    variables: copyValues(message.variables),
    priority: priorityOf(message),
    history: [],
  };
}

/**
 * The stored message as a message again, made afresh at every call: each delivery attempt starts from what was stored (REQ-17).
 * The body is not looked into.
 * @throws XmlSyntaxError when kept SOAP header blocks are broken
 */
export function restoreMessage(stored: StoredMessage, configuration: Configuration): MessageContext {
  const message = new MessageContext(configuration, restorePayload(stored), stored.id);
  message.direction = stored.direction;
  message.doingRest = stored.doingRest;
  message.headers = TransportHeaders.from(stored.headers);
  const { to, from, replyTo, faultTo, relatesTo, action } = stored.addressing;
  Object.assign(message, { to, from, replyTo, faultTo, relatesTo, action });
  restoreValues(stored.axis2, message.axis2);
  restoreValues(stored.properties, message.properties);
  restoreValues(stored.variables, message.variables);
  if (stored.service !== undefined) message.properties.set(SERVICE_NAME, stored.service);
  return message;
}

function captureBody({ payload, headers }: MessageContext): Pick<StoredMessage, 'headers' | 'body'> {
  const pairs: Array<readonly [string, string]> = [];
  headers.forEach((name, value) => void pairs.push([name, value]));
  const kept = payload.kind === 'envelope' && !payload.untouched ? jsonBehind(payload) : undefined;
  const formatted = kept ?? formatPayload(payload);
  const { bytes = EMPTY, contentType, contentEncoding } = formatted;
  const kind = bytes.length === 0 ? 'none' : kindOf(formatted.format, contentType, contentEncoding, bytes);
  const header = kept ? payload.header() : payload.soapHeader();
  const soapHeader = header?.firstChild ? { soapHeader: serializeXml(header) } : {};
  // A body that was written anew is not compressed any more.
  const keepsAll = contentEncoding || !headers.has('Content-Encoding');
  const stored = keepsAll ? pairs : pairs.filter(([name]) => name.toLowerCase() !== 'content-encoding');
  return { body: { kind, bytes, contentType, ...soapHeader }, headers: stored };
}

/** The JSON of a tree that was made from JSON and edited: as XML it would lose its types (MREQ-26). */
function jsonBehind(payload: Payload) {
  const child = payload.firstBodyChild();
  if (!child || !hasJsonOrigin(child) || child.nextSibling || child.previousSibling) return undefined;
  try {
    const json = xmlToJson(child);
    if (serializeXml(jsonToXml(json)) !== serializeXml(child)) return undefined;
    const bytes = Buffer.from(json, 'utf8');
    return {
      bytes,
      contentType: 'application/json; charset=UTF-8',
      contentEncoding: undefined,
      format: 'json' as const,
    };
  } catch {
    // It was edited into something that JSON cannot say: it is kept as XML.
    return undefined;
  }
}

const KINDS: Readonly<Record<BodyFormat | 'none', StoredBody['kind']>> = {
  soap11: 'soap11',
  soap12: 'soap12',
  xml: 'xml',
  json: 'json',
  text: 'text',
  form: 'text',
  'form-data': 'binary',
  related: 'binary',
  binary: 'binary',
  other: 'binary',
  none: 'none',
};

function kindOf(
  format: BodyFormat | 'none',
  contentType: string | undefined,
  contentEncoding: string | undefined,
  bytes: Uint8Array,
): StoredBody['kind'] {
  if (contentEncoding) return 'binary';
  const mediaType = mediaTypeOf(contentType);
  if (format !== 'xml' || formatOf(mediaType) !== 'other' || mediaType.endsWith('+xml')) return KINDS[format];
  return mediaType.startsWith('text/') && isUtf8(bytes) ? 'text' : 'binary';
}

function restorePayload(stored: StoredMessage): Payload {
  const { body, axis2 } = stored;
  const header = (name: string) => stored.headers.find(([present]) => present.toLowerCase() === name)?.[1];
  const method = textOf(axis2.get('HTTP_METHOD'));
  const query = queryOf(textOf(axis2.get('TransportInURL')));
  // Without a body only the query of a GET can be the payload.
  if (body.bytes.length === 0 && body.contentType === undefined && query === undefined) {
    return withHeader(Payload.empty(), body);
  }
  const contentEncoding = header('content-encoding');
  const payload = Payload.unread(body.bytes, body.contentType, {
    soapAction: body.kind === 'soap11' || (body.kind !== 'xml' && header('soapaction') !== undefined),
    ...(method !== undefined && { method }),
    ...(query !== undefined && { query }),
    ...(contentEncoding !== undefined && { contentEncoding }),
  });
  return withHeader(payload, body);
}

function withHeader(payload: Payload, { soapHeader }: StoredBody): Payload {
  if (soapHeader !== undefined) payload.setSoapHeader(parseXml(soapHeader).documentElement as XmlElement);
  return payload;
}

function queryOf(url: string | undefined): string | undefined {
  const mark = url?.indexOf('?') ?? -1;
  return mark < 0 ? undefined : url?.slice(mark + 1);
}

function captureAddressing({ to, from, replyTo, faultTo, relatesTo, action }: MessageContext): StoredAddressing {
  return {
    ...(to !== undefined && { to }),
    ...(from !== undefined && { from }),
    ...(replyTo !== undefined && { replyTo }),
    ...(faultTo !== undefined && { faultTo }),
    ...(relatesTo !== undefined && { relatesTo }),
    ...(action !== undefined && { action }),
  };
}

/** A copy's correlation id tells it from the original in logs (spec mediators 2.7). */
function captureAxis2(message: MessageContext, correlationId: string | undefined): Map<string, PropertyValue> {
  const axis2 = copyValues(message.axis2);
  if (correlationId !== undefined) axis2.set('correlation_id', `${correlationId}_${randomUUID()}`);
  return axis2;
}

function captureProperties(message: MessageContext): Map<string, PropertyValue> {
  const properties = copyValues(message.properties);
  for (const name of SERVICE_PROPERTIES) properties.delete(name);
  properties.set(ORIGINAL_ID, message.messageId);
  return properties;
}

/** Default-scope JMS_PROD_PRIORITY, else axis2 JMS_PRIORITY (REQ-42); text that is no number counts as absent. */
function priorityOf({ properties, axis2 }: MessageContext): number | undefined {
  const priority = integerOf(properties.get('JMS_PROD_PRIORITY')) ?? integerOf(axis2.get('JMS_PRIORITY'));
  return priority === undefined ? undefined : Math.min(9, Math.max(0, priority));
}

function copyValues(values: ReadonlyMap<string, PropertyValue>): Map<string, PropertyValue> {
  const copy = new Map<string, PropertyValue>();
  restoreValues(values, copy);
  return copy;
}

function restoreValues(from: ReadonlyMap<string, PropertyValue>, to: Map<string, PropertyValue>): void {
  // A loop would make an array of each name and value.
  from.forEach((value, name) => void to.set(name, copyValue(value)));
}

/** Elements can be edited in place, so every holder has its own. */
function copyValue(value: PropertyValue): PropertyValue {
  if (isElementList(value)) return value.map(copyElement);
  return isElement(value) ? copyElement(value) : value;
}

function copyElement(element: XmlElement): XmlElement {
  const document = newDocument(null, 'property');
  const copy = cloneInto(document, element);
  document.replaceChild(copy, document.documentElement as XmlElement);
  return copy;
}

/** A property that holds a list of elements. */
export function isElementList(value: PropertyValue): value is readonly XmlElement[] {
  return Array.isArray(value);
}

/** A property that holds an element. */
export function isElement(value: PropertyValue): value is XmlElement {
  return typeof value === 'object' && 'nodeType' in value;
}

function textOf(value: PropertyValue | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
