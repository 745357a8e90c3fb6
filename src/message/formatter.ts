import { serializeXml, type XmlElement } from '../xml/index.ts';
import { binaryContent, formatOf, isPayloadWrapper } from './builder.ts';
import { encodeText } from './charset.ts';
import { MediationError } from './errors.ts';
import { formatForm, xmlToFields } from './form.ts';
import { xmlToJson } from './json-xml.ts';
import { formatMediaType, mediaTypeOf, parseMediaType, withCharset } from './media-type.ts';
import type { MessageContext } from './message-context.ts';
import { newBoundary, xmlToFormData } from './multipart.ts';
import { embeddedChild, isPackaged, packEnvelope, type WantedPackaging, wantedPackaging } from './packaging.ts';
import type { Payload } from './payload.ts';
import { isFlagSet, type PropertyValue } from './property-value.ts';
import { type Packaging, packagingOf } from './related.ts';
import { convertEnvelope, faultToPox, type SoapVersion } from './soap.ts';
import { DEFAULT_TYPES, type FormattedBody, plainText, soapFormat, type WireFormat } from './written-body.ts';

export { formatPayload } from './kept-payload.ts';
export type { FormattedBody } from './written-body.ts';

/** What an endpoint sends besides the headers. */
export interface FormattedRequest extends FormattedBody {
  /** `name=value&…` to append to the URL (format `get`). */
  readonly query: string | undefined;
  /** The quoted SOAPAction header of a SOAP 1.1 request; none when undefined. */
  readonly soapAction: string | undefined;
}

/** The style in which the client spoke (spec proxies 1.9). */
export type ClientStyle = 'soap11' | 'soap12' | 'rest';

/** The `format` attribute of an endpoint (spec proxies 5.3). */
export type EndpointFormat = 'soap11' | 'soap12' | 'pox' | 'get' | 'rest';

/** Properties that want a Content-Length instead of chunks. */
const KNOWN_LENGTH = ['DISABLE_CHUNKING', 'FORCE_HTTP_1.0', 'FORCE_HTTP_CONTENT_LENGTH'];
const NOTHING: FormattedBody = { bytes: undefined, contentType: undefined, contentEncoding: undefined };

/** How a message is to be written. */
interface Style {
  /** `as received`: a format that we pass on and cannot write (multipart/related). */
  readonly format: WireFormat | 'as received';
  /** The artifact's own Content-Type text; undefined when the format decides. */
  readonly declared: string | undefined;
  /** The charset asked for; undefined leaves an untouched body in its own. */
  readonly charset: string | undefined;
  /** How binary content goes with an envelope. */
  readonly packaging: WantedPackaging;
}

/**
 * The body of the answer to a client (spec proxies 1.9): in the format that axis2 messageType, ContentType or the payload itself
 * ask for; converted to the client's SOAP version when the answer is of the other one or came from a REST exchange (`doingRest`); for
 * REST clients a SOAP fault becomes `<Exception>`. The payload stays as it is, and untouched bytes are returned themselves.
 * @throws MediationError when the payload cannot be written so
 */
export function formatResponse(message: MessageContext, client: ClientStyle): FormattedBody {
  if (isFlagSet(message.axis2.get('NO_ENTITY_BODY'))) return NOTHING;
  const style = responseStyle(message, client);
  if (client === 'rest' && style.format !== 'json' && message.payload.hasFault()) return exceptionFor(message, style);
  return write(message, style);
}

function responseStyle(message: MessageContext, client: ClientStyle): Style {
  const style = ownStyle(message, wantedPackaging(message));
  if (client === 'rest' || style.format === client || (style.packaging === 'mtom' && isSoap(style))) return style;
  const otherVersion = style.format === 'soap11' || style.format === 'soap12';
  if (!otherVersion && !message.doingRest) return style;
  return { ...style, format: client, declared: undefined };
}

function exceptionFor(message: MessageContext, style: Style): FormattedBody {
  const exception = faultToPox(message.payload.firstBodyChild() as XmlElement);
  const declared = style.format === 'xml' ? style.declared : undefined;
  return writeXml(message, exception, { ...style, format: 'xml', declared });
}

/**
 * The body that an endpoint sends (spec proxies 2.4, 5.3). The payload stays as it is for a resend, and untouched bytes are returned
 * themselves.
 * @param encoding the endpoint's `encoding` attribute
 * @param method the HTTP method of the request: GET and HEAD carry no body
 * @param optimize the endpoint's `optimize` attribute
 * @throws MediationError when the payload cannot be written so
 */
export function formatRequest(
  message: MessageContext,
  format: EndpointFormat | undefined,
  encoding?: string,
  method = 'POST',
  optimize?: Packaging,
): FormattedRequest {
  if (format === 'get') return getRequest(message);
  const style = requestStyle(message, format, encoding, wantedPackaging(message, optimize));
  const soapAction = speaksSoap11(message, style) ? quotedAction(message) : undefined;
  const bodiless = method === 'GET' || method === 'HEAD' || isFlagSet(message.axis2.get('NO_ENTITY_BODY'));
  const body = bodiless ? NOTHING : write(message, style);
  return { ...body, query: undefined, soapAction };
}

/** How an endpoint writes its request; the arguments of {@link formatRequest}. */
export interface RequestForm {
  readonly format: EndpointFormat | undefined;
  readonly encoding: string | undefined;
  readonly method: string;
  readonly optimize: Packaging | undefined;
}

/** True when {@link formatRequest} sends a body that is still coming just as it comes; otherwise it has to be held for it. */
export function requestPasses(message: MessageContext, { format, encoding, method, optimize }: RequestForm): boolean {
  if (format === 'get') return false;
  if (method === 'GET' || method === 'HEAD' || isFlagSet(message.axis2.get('NO_ENTITY_BODY'))) return true;
  const style = requestStyle(message, format, encoding, wantedPackaging(message, optimize));
  return mayStream(message) && received(message, style) !== undefined;
}

/**
 * True when {@link formatResponse} answers with a body that is still coming just as it comes. For a REST client it must be plain that
 * no SOAP fault is in it, which would become an `<Exception>`.
 */
export function responsePasses(message: MessageContext, client: ClientStyle): boolean {
  const style = responseStyle(message, client);
  if (client === 'rest' && style.format !== 'json' && !message.payload.isPlainlyNoFault) return false;
  return mayStream(message) && !isFlagSet(message.axis2.get('HTTP_ETAG')) && received(message, style) !== undefined;
}

/** What has to say its length beforehand must know it (spec proxies 1.9, 2.4). */
function mayStream({ axis2, payload }: MessageContext): boolean {
  return payload.stream?.length !== undefined || !KNOWN_LENGTH.some((name) => isFlagSet(axis2.get(name)));
}

function requestStyle(
  message: MessageContext,
  format: EndpointFormat | undefined,
  encoding: string | undefined,
  packaging: WantedPackaging,
): Style {
  const own = ownStyle(message, packaging);
  const charset = encoding ?? own.charset;
  if (format === 'soap11') return { ...own, format, declared: undefined, charset };
  if (format === 'pox') return { ...own, format: 'xml', declared: DEFAULT_TYPES.xml, charset };
  if (format === 'soap12' || own.format === 'soap12') {
    return { ...own, format: 'soap12', declared: soap12Type(message.action), charset };
  }
  return { ...own, charset };
}

/** Messages with attachments say which SOAP they are in their Content-Type; those that say nothing are of 1.1. */
function speaksSoap11({ payload, action }: MessageContext, { format }: Style): boolean {
  if (format !== 'as received') return format === 'soap11';
  return action !== undefined && !(payload.contentType ?? '').includes('application/soap+xml');
}

function isSoap({ format }: Style): boolean {
  return format === 'soap11' || format === 'soap12' || format === 'as received';
}

function soap12Type(action: string | undefined): string {
  return formatMediaType('application/soap+xml', action ? [['action', action]] : []);
}

function quotedAction({ action = '' }: MessageContext): string {
  return `"${action.replace(/[\r\n"]/g, '')}"`;
}

/** Parameters in the URL instead of a body: the children of the first Body element. */
function getRequest(message: MessageContext): FormattedRequest {
  const child = message.payload.firstBodyChild();
  const query = child ? formatForm(xmlToFields(child)) : '';
  return { ...NOTHING, contentType: DEFAULT_TYPES.form, query: query || undefined, soapAction: undefined };
}

/** The style that the message has by itself (spec proxies 1.6): axis2 messageType, else ContentType, else its own type. */
function ownStyle(message: MessageContext, packaging: WantedPackaging): Style {
  const { axis2, payload } = message;
  const header = textOf(axis2.get('ContentType'));
  const wanted = mediaTypeOf(textOf(axis2.get('messageType'))) || mediaTypeOf(header);
  const isOwn = wanted === '' || wanted === mediaTypeOf(payload.contentType);
  const asked = isOwn ? payload.format : formatOf(wanted);
  const charset = payload.untouched ? undefined : textOf(axis2.get('CHARACTER_SET_ENCODING'));
  if (asked === 'related') {
    // As SOAP; what came beside the envelope is put beside it again.
    const asReceived = isOwn && payload.untouched && isPackaged(payload, packaging);
    const format = asReceived ? 'as received' : soapFormat(readVersion(payload));
    return { format, declared: undefined, charset, packaging };
  }
  const declared = header ?? (isOwn ? payload.contentType : wanted);
  if (asked !== undefined && asked !== 'other') return { format: asked, declared, charset, packaging };
  const plain = payload.plain || message.doingRest;
  return { format: plain ? 'xml' : soapFormat(payload.soapVersion), declared, charset, packaging };
}

/** The Content-Type of a message with attachments tells how they are packaged, not reliably which SOAP is inside. */
function readVersion(payload: Payload): SoapVersion {
  if (!payload.stream && packagingOf(payload.contentType) !== undefined) payload.envelope();
  return payload.soapVersion;
}

function write(message: MessageContext, style: Style): FormattedBody {
  const asReceived = received(message, style);
  if (asReceived) return asReceived;
  try {
    return rebuild(message, style);
  } catch (cause) {
    if (cause instanceof MediationError) throw cause;
    throw new MediationError(`Error while writing message. ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** The bytes as received, when they are in the wanted format already. */
function received({ payload }: MessageContext, style: Style): FormattedBody | undefined {
  const { format, declared, charset } = style;
  const { stream } = payload;
  const bytes = stream ? stream.head : payload.originalBytes();
  if (!bytes || (format !== 'as received' && payload.format !== format)) return undefined;
  if (isSoap(style) && !isPackaged(payload, style.packaging)) return undefined;
  const { contentType, contentEncoding } = payload;
  const { type, parameters } = parseMediaType(contentType);
  if (charset !== undefined && !sameCharset(charset, parameters.get('charset') ?? 'UTF-8')) return undefined;
  if (bytes.length === 0) return { ...NOTHING, contentType };
  const sent = stream ? { bytes: undefined, stream } : { bytes };
  return { ...sent, contentType: receivedType(contentType, type, parameters, declared), contentEncoding };
}

/** The original Content-Type unless the same bytes now go by another name or action. */
function receivedType(
  contentType: string | undefined,
  type: string,
  parameters: ReadonlyMap<string, string>,
  declared: string | undefined,
): string | undefined {
  if (declared === undefined || contentType === undefined) return contentType;
  const wanted = parseMediaType(declared);
  const action = wanted.parameters.get('action');
  if (wanted.type === type && (action === undefined || action === parameters.get('action'))) return contentType;
  const charset = parameters.get('charset');
  return charset === undefined ? declared : withCharset(declared, charset);
}

function sameCharset(one: string, other: string): boolean {
  const canonical = (charset: string) => charset.toLowerCase().replace(/[^a-z0-9]/g, '');
  return canonical(one) === canonical(other);
}

function rebuild(message: MessageContext, style: Style): FormattedBody {
  const { payload } = message;
  switch (style.format) {
    case 'soap11':
      return writeSoap(message, '1.1', style);
    case 'soap12':
      return writeSoap(message, '1.2', style);
    case 'xml':
      return writePlain(message, style);
    case 'json':
      return writeText(message, jsonTextOf(payload), style);
    case 'form': {
      const child = payload.firstBodyChild();
      return writeText(message, child ? formatForm(xmlToFields(child)) : '', style);
    }
    case 'form-data':
      return writeFormData(payload, style);
    case 'text':
      return writeText(message, plainText(payload), style);
    default:
      return { bytes: binaryBytes(payload), contentType: typeFor(style), contentEncoding: undefined };
  }
}

function writeSoap(message: MessageContext, version: SoapVersion, style: Style): FormattedBody {
  const { payload } = message;
  const envelope = convertEnvelope(payload.envelope(), version);
  const packed = packEnvelope(payload, envelope, style.packaging, (element) => writeXml(message, element, style));
  return { ...packed, contentEncoding: undefined };
}

function writePlain(message: MessageContext, style: Style): FormattedBody {
  const child = embeddedChild(message.payload);
  if (child) return writeXml(message, child, style);
  return { ...NOTHING, contentType: textType(message, style, 'UTF-8') };
}

/** Where bytes were taken out of an envelope, they are in the JSON as Base64. */
function jsonTextOf(payload: Payload): string {
  const child = payload.json() === undefined ? embeddedChild(payload) : undefined;
  return child && payload.attachments() ? xmlToJson(child) : payload.jsonText();
}

function writeXml(message: MessageContext, element: XmlElement, style: Style): WrittenText {
  const soap = style.format === 'soap11' || style.format === 'soap12';
  const content = serializeXml(element);
  const { charset } = encodeText(content, charsetFor(message, style));
  // A declaration says the charset to those who lose the header; plain documents in UTF-8 do not need one.
  const declaration = soap || charset !== 'UTF-8' ? `<?xml version="1.0" encoding="${charset}"?>` : '';
  return writeText(message, declaration + content, style);
}

/** A body with characters in it. */
interface WrittenText extends FormattedBody {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

function writeText(message: MessageContext, text: string, style: Style): WrittenText {
  const { bytes, charset } = encodeText(text, charsetFor(message, style));
  return { bytes, contentType: textType(message, style, charset), contentEncoding: undefined };
}

/** The Content-Type with the charset that was used, unless the artifact does not want one (setCharacterEncoding). */
function textType({ axis2 }: MessageContext, style: Style, charset: string): string {
  const type = typeFor(style);
  const named = parseMediaType(type).parameters.get('charset');
  if (named !== undefined) return sameCharset(named, charset) ? type : withCharset(type, charset);
  return textOf(axis2.get('setCharacterEncoding')) === 'false' ? type : withCharset(type, charset);
}

function typeFor({ format, declared }: Style): string {
  return declared ?? DEFAULT_TYPES[format as WireFormat];
}

function charsetFor({ axis2 }: MessageContext, { declared, charset }: Style): string | undefined {
  if (charset !== undefined) return charset;
  return parseMediaType(declared).parameters.get('charset') ?? textOf(axis2.get('CHARACTER_SET_ENCODING'));
}

function writeFormData(payload: Payload, style: Style): FormattedBody {
  const type = typeFor(style);
  const { parameters } = parseMediaType(type);
  const boundary = parameters.get('boundary') ?? newBoundary();
  const child = payload.firstBodyChild();
  const contentType = parameters.has('boundary') ? type : formatMediaType(mediaTypeOf(type), [['boundary', boundary]]);
  return { bytes: child ? xmlToFormData(child, boundary) : undefined, contentType, contentEncoding: undefined };
}

function binaryBytes(payload: Payload): Uint8Array | undefined {
  const own = payload.binary();
  if (own) return own;
  const text = payload.json() ?? payload.text();
  if (text !== undefined) return Buffer.from(text, 'utf8');
  const child = payload.firstBodyChild();
  if (isPayloadWrapper(child, 'binary')) return binaryContent(child);
  return child && Buffer.from(serializeXml(child), 'utf8');
}

function textOf(value: PropertyValue | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
