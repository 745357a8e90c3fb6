import { TransportHeaders } from '../message/headers.ts';
import { mediaTypeOf } from '../message/media-type.ts';
import { createFault, type SoapVersion } from '../message/soap.ts';
import { newDocument, serializeXml, type XmlElement } from '../xml/index.ts';
import { type HttpAnswer, textAnswer } from './http-answer.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** What went wrong, as far as a client may know. */
export interface Fault {
  /** HTTP status; SOAP 1.1 and 1.2 faults go out with it too. */
  readonly status: number;
  readonly reason: string;
  /** ERROR_CODE, told to JSON clients and in the detail of SOAP faults. */
  readonly code?: number;
  /** When the client may come again, s. */
  readonly retryAfterS?: number;
}

/** The parts of a request that decide the form of its fault. */
export type FaultClient = Pick<IncomingRequest, 'client' | 'headers'>;

const MAX_REASON = 2048;

/**
 * An error in the client's own language: a SOAP fault in its SOAP version, a JSON object for JSON clients, `<Exception>` for XML
 * clients, plain text for everyone else (spec proxies 1.7, 1.8, REQ-2).
 */
export function faultAnswer(client: FaultClient, fault: Fault): HttpAnswer {
  const answer = answerFor(client, fault);
  if (fault.retryAfterS !== undefined) answer.headers.set('Retry-After', `${fault.retryAfterS}`);
  return answer;
}

function answerFor(client: FaultClient, fault: Fault): HttpAnswer {
  const reason = readable(fault.reason);
  switch (errorForm(client)) {
    case 'soap11':
      return xmlAnswer(fault.status, 'text/xml', soapFault('1.1', reason, fault.code));
    case 'soap12':
      return xmlAnswer(fault.status, 'application/soap+xml', soapFault('1.2', reason, fault.code));
    case 'json':
      return textAnswer(fault.status, 'application/json', jsonFault(reason, fault.code));
    case 'xml':
      return xmlAnswer(fault.status, 'application/xml', exception(reason));
    default:
      return textAnswer(fault.status, 'text/plain', reason);
  }
}

/** No service of this name, or not on this transport (spec proxies 1.7): 500. */
export function serviceNotFound(request: IncomingRequest): HttpAnswer {
  const reason = `The service cannot be found for the endpoint reference (EPR) ${request.path}`;
  return faultAnswer(request, { status: 500, reason });
}

/** A WSDL-backed service without this operation (spec proxies 1.7): 500. */
export function operationNotFound(request: IncomingRequest, action: string | undefined): HttpAnswer {
  const reason = `The endpoint reference (EPR) for the Operation not found is ${request.path} and the WSA Action = ${action ?? 'null'}`;
  return faultAnswer(request, { status: 500, reason });
}

/** A service that is stopped or was deployed with startOnLoad="false" (spec proxies 1.7, 1.8): 500. */
export function inactiveService(request: IncomingRequest, name: string): HttpAnswer {
  return faultAnswer(request, {
    status: 500,
    reason: `The system is attempting to access an inactive service: ${name}`,
  });
}

/** The last resort when not even a fault can be produced (spec proxies 1.8). */
export function failedToProcess(reason: string): HttpAnswer {
  const text = escapeHtml(readable(reason));
  return textAnswer(500, 'text/html', `<html><body><h1>Failed to process the request</h1><p>${text}</p></body></html>`);
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function errorForm({ client, headers }: FaultClient): 'soap11' | 'soap12' | 'json' | 'xml' | 'text' {
  if (client !== 'rest') return client;
  const spoken = mediaTypeOf(headers.get('Content-Type'));
  const form = formOf(spoken);
  if (form !== 'text') return form;
  for (const accepted of (headers.get('Accept') ?? '').split(',', 16)) {
    const wanted = formOf(mediaTypeOf(accepted));
    if (wanted !== 'text') return wanted;
  }
  return 'text';
}

function formOf(mediaType: string): 'json' | 'xml' | 'text' {
  if (mediaType === 'application/json' || mediaType.endsWith('+json')) return 'json';
  if (mediaType === 'application/xhtml+xml') return 'text';
  if (mediaType === 'application/xml' || mediaType === 'text/xml' || mediaType.endsWith('+xml')) return 'xml';
  return 'text';
}

function xmlAnswer(status: number, mediaType: string, root: XmlElement): HttpAnswer {
  const headers = TransportHeaders.from([['Content-Type', `${mediaType}; charset=UTF-8`]]);
  return { status, headers, body: Buffer.from(serializeXml(root, { declaration: 'UTF-8' }), 'utf8') };
}

function soapFault(version: SoapVersion, reason: string, code: number | undefined): XmlElement {
  return createFault(version, { code: 'Server', reason, ...(code !== undefined && { detail: String(code) }) });
}

function exception(reason: string): XmlElement {
  const document = newDocument(null, 'Exception');
  const root = document.documentElement as XmlElement;
  root.appendChild(document.createTextNode(reason));
  return root;
}

/** The shape in which the reference writes a fault as JSON. */
function jsonFault(reason: string, code: number | undefined): string {
  return JSON.stringify({
    Fault: { faultcode: 'soapenv:Server', faultstring: reason, detail: code === undefined ? '' : { code } },
  });
}

/** Reasons may quote what a client or back end sent: characters that XML cannot hold are replaced, the length is bounded. */
function readable(reason: string): string {
  const bounded = reason.slice(0, MAX_REASON).toWellFormed();
  return bounded.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
}
