/**
 * From a request to its answer, without any socket: finds service and operation, runs it and writes the result, the
 * fault or the 202 in the format the request came in (stockquote-samples 1.5, 1.7, 1.9, 1.10).
 */

import { writeRelated } from '../wire/related.ts';
import {
  ENVELOPE_NAMESPACE,
  escapeText,
  type SoapVersion,
  WSA,
  WSA_FAULT_ACTION,
  WSA_SUBMISSION,
  writeAddressing,
  writeEnvelope,
} from '../wire/soap.ts';
import { ServiceFault } from './fault.ts';
import type { Addresses, Operation, Result, SampleService, World } from './operation.ts';
import { errorPage, infoPage, servicesPage } from './pages.ts';
import {
  type Address,
  type Addressing,
  type HttpRequest,
  type Message,
  type ReplyFormat,
  readAddress,
  readMessage,
  readReplyFormat,
} from './request.ts';
import { portNames } from './wsdl.ts';

/** What goes back on the connection. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** A response for another address than the connection's: the request named one in `wsa:ReplyTo`. */
  readonly forward?: Forward;
}

/** A response to be sent by POST. */
export interface Forward {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** The services of one process and the world they run in. */
export interface Deployment {
  readonly services: ReadonlyMap<string, SampleService>;
  readonly world: World;
  /** Told about failures that the client never hears of. */
  reportError(text: string): void;
}

const ACCEPTED: HttpAnswer = { status: 202, headers: {}, body: '' };

/** Answers one request. Never throws: whatever goes wrong is a fault. */
export async function answer(request: HttpRequest, addresses: Addresses, deployment: Deployment): Promise<HttpAnswer> {
  const address = readAddress(request.url);
  const page = request.method === 'GET' ? getPage(address, addresses, deployment) : undefined;
  if (page) return page;
  const reply = readReplyFormat(request);
  let message: Message | undefined;
  try {
    const service = findService(address, deployment);
    message = service.ignoresRequest ? UNREAD : readMessage(request, reply.format, address);
    const operation = findOperation(service, address, message);
    return await run(operation, message, reply, deployment);
  } catch (error) {
    return writeFault(asFault(error), reply, message?.addressing);
  }
}

const UNREAD: Message = {
  action: 'urn:getQuote',
  payload: undefined,
  parameters: undefined,
  addressing: undefined,
  sessionId: undefined,
};

/** The pages and documents that a browser or a tool asks for; undefined when the GET is a call. */
function getPage(address: Address, addresses: Addresses, { services, world }: Deployment): HttpAnswer | undefined {
  const { path, query } = address;
  if (path === '/favicon.ico') return { status: 301, headers: { Location: '/services' }, body: '' };
  if (path === '/services' || path === '/services/') return html(200, servicesPage([...services.values()]));
  if (!address.service) return html(500, errorPage(`There is nothing at ${path}`));
  if (!query.has('wsdl') && !query.has('xsd') && !query.has('info')) return undefined;
  const service = services.get(address.service);
  if (!service) return html(500, errorPage(unknownService(address).message));
  if (query.has('info')) return html(200, infoPage(service));
  if (!service.description) return html(500, errorPage(`${service.name} has no description`));
  const { wsdl, schema } = service.description;
  const body = query.has('wsdl') ? wsdl(world.flavour, addresses) : schema(world.flavour);
  return { status: 200, headers: { 'Content-Type': 'text/xml; charset=UTF-8' }, body };
}

function html(status: number, body: string): HttpAnswer {
  return { status, headers: { 'Content-Type': 'text/html; charset=UTF-8' }, body };
}

function findService(address: Address, { services }: Deployment): SampleService {
  const service = address.service === undefined ? undefined : services.get(address.service);
  const portIsKnown = address.port === undefined || portNames(address.service ?? '').includes(address.port);
  if (!service || !portIsKnown) throw unknownService(address);
  return service;
}

function unknownService({ path }: Address): ServiceFault {
  return new ServiceFault(`The service cannot be found for the endpoint reference (EPR) ${path}`, { code: 'client' });
}

/** Action, then address, then the name of the first element: the first that names an operation wins. */
function findOperation(service: SampleService, address: Address, message: Message): Operation {
  const { action, payload } = message;
  const byAction = action?.startsWith('urn:') ? service.operations.get(action.slice('urn:'.length)) : undefined;
  const operation =
    byAction ?? service.operations.get(address.operation ?? '') ?? service.operations.get(payload?.localName ?? '');
  if (operation) return operation;
  throw new ServiceFault(
    `The endpoint reference (EPR) for the Operation not found is ${address.path} and the WSA Action = ` +
      `${action ?? null}. If this EPR was previously reachable, please contact the server administrator.`,
    { code: 'client' },
  );
}

async function run(
  operation: Operation,
  message: Message,
  reply: ReplyFormat,
  { world, reportError }: Deployment,
): Promise<HttpAnswer> {
  if (operation.oneWay) {
    try {
      await operation.run(message, world);
    } catch (error) {
      reportError(`${operation.name} failed: ${asFault(error).message}`);
    }
    return ACCEPTED;
  }
  const result = await operation.run(message, world);
  return result ? writeResult(operation, result, reply, message.addressing) : ACCEPTED;
}

function asFault(error: unknown): ServiceFault {
  if (error instanceof ServiceFault) return error;
  return new ServiceFault(error instanceof Error ? error.message : String(error), { cause: error });
}

function writeResult(operation: Operation, result: Result, reply: ReplyFormat, addressing?: Addressing): HttpAnswer {
  const action = `urn:${operation.name}Response`;
  const cookie = result.sessionId === undefined ? {} : { 'Set-Cookie': `JSESSIONID=${result.sessionId}; Path=/` };
  const target = addressing?.replyTo;
  const answered = deliver(
    200,
    cookie,
    writeBody(result.body, action, reply, addressing, target),
    action,
    reply,
    addressing,
    target,
  );
  return withAttachments(answered, result, reply);
}

function withAttachments(
  answered: HttpAnswer,
  { attachments, mtom = false }: Result,
  { format }: ReplyFormat,
): HttpAnswer {
  if (!attachments || format === 'pox' || answered.body.length === 0) return answered;
  const { contentType, body } = writeRelated(format, answered.body, attachments, mtom);
  return { ...answered, headers: { ...answered.headers, 'Content-Type': contentType }, body };
}

function writeFault(fault: ServiceFault, reply: ReplyFormat, addressing: Addressing | undefined): HttpAnswer {
  const action = fault.action ?? WSA_FAULT_ACTION;
  const target = addressing?.faultTo ?? addressing?.replyTo;
  const xml =
    reply.format === 'pox'
      ? fault.detail || `<faultstring>${escapeText(fault.message)}</faultstring>`
      : soapFault(fault, reply.format);
  return deliver(500, {}, writeBody(xml, action, reply, addressing, target), action, reply, addressing, target);
}

function soapFault(fault: ServiceFault, version: SoapVersion): string {
  const reason = escapeText(fault.message);
  const serverSide = fault.code === 'server';
  const namespace = ENVELOPE_NAMESPACE[version];
  const codeAs = (name: string, server: string, client: string) =>
    serverSide
      ? `<${name}>soapenv:${server}</${name}>`
      : `<${name} xmlns:axis2ns1="${namespace}">axis2ns1:${client}</${name}>`;
  if (version === 'soap11') {
    const detail = fault.detail ? `<detail>${fault.detail}</detail>` : '<detail/>';
    return `<soapenv:Fault>${codeAs('faultcode', 'Server', 'Client')}<faultstring>${reason}</faultstring>${detail}</soapenv:Fault>`;
  }
  const detail = fault.detail ? `<soapenv:Detail>${fault.detail}</soapenv:Detail>` : '<soapenv:Detail/>';
  return (
    `<soapenv:Fault><soapenv:Code>${codeAs('soapenv:Value', 'Receiver', 'Sender')}</soapenv:Code>` +
    `<soapenv:Reason><soapenv:Text xml:lang="en-US">${reason}</soapenv:Text></soapenv:Reason>${detail}</soapenv:Fault>`
  );
}

function writeBody(
  xml: string,
  action: string,
  { format, charset }: ReplyFormat,
  addressing: Addressing | undefined,
  target: string | undefined,
): string | Uint8Array {
  if (format === 'pox') return encode(xml, charset);
  const header = addressing
    ? writeAddressing(
        { to: isElsewhere(target) ? target : undefined, action, relatesTo: addressing.messageId },
        addressing.namespace,
      )
    : '';
  return encode(writeEnvelope(format, xml, header, charset), charset);
}

/** Sends the written message where it is wanted: back on the connection, to another address, or nowhere. */
function deliver(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  action: string,
  { format, charset }: ReplyFormat,
  addressing: Addressing | undefined,
  target: string | undefined,
): HttpAnswer {
  if (addressing && isNowhere(target)) return ACCEPTED;
  const contentType = {
    soap11: `text/xml; charset=${charset}`,
    soap12: `application/soap+xml; charset=${charset}; action="${action}"`,
    pox: `application/xml; charset=${charset}`,
  }[format];
  const all = { ...headers, 'Content-Type': contentType };
  if (!isElsewhere(target)) return { status, headers: all, body };
  const soapAction: Record<string, string> = format === 'soap11' ? { SOAPAction: `"${action}"` } : {};
  return { ...ACCEPTED, forward: { url: target, headers: { ...all, ...soapAction }, body } };
}

function isNowhere(target: string | undefined): boolean {
  return target === `${WSA}/none`;
}

function isElsewhere(target: string | undefined): target is string {
  if (target === undefined || target === '' || isNowhere(target)) return false;
  return target !== `${WSA}/anonymous` && target !== `${WSA_SUBMISSION}/role/anonymous`;
}

/** Characters that the charset does not have are written as character references. */
function encode(text: string, charset: string): string | Uint8Array {
  if (charset === 'UTF-8') return text;
  if (charset === 'UTF-16') return Buffer.from(`\uFEFF${text}`, 'utf16le');
  const limit = charset === 'US-ASCII' ? 0x7f : 0xff;
  let safe = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    safe += code > limit ? `&#${code};` : character;
  }
  return Buffer.from(safe, 'latin1');
}
