import { TransportHeaders } from '../message/headers.ts';
import type { XmlElement } from '../xml/index.ts';
import { escapeHtml } from './fault-response.ts';
import { emptyAnswer, type HttpAnswer, textAnswer } from './http-answer.ts';
import type { HttpScheme, IncomingRequest } from './incoming-request.ts';
import { embeddedSchema, generatedWsdl, publishedWsdl, type ServiceUrls } from './wsdl.ts';

/** What a deployed service says about itself. */
export interface ServiceDescription {
  readonly name: string;
  readonly active: boolean;
  /** Is the service offered on this transport? */
  exposedOn(transport: string): boolean;
  /** The given WSDL (1.1 `definitions` or 2.0 `description`); undefined when the service has none. */
  readonly wsdl?: XmlElement | undefined;
  /** Serve the given WSDL with the addresses it came with (`useOriginalwsdl`). */
  readonly keepsAddresses?: boolean | undefined;
  /** The document behind a `<resource location=…>` of `publishWSDL`, as text. */
  resource?(location: string): string | undefined;
}

/** Where this server listens. */
export interface ListeningPort {
  readonly scheme: HttpScheme;
  readonly port: number;
}

export interface MetadataOptions {
  /** The service that the request's path names; undefined when there is none. */
  readonly service: ServiceDescription | undefined;
  readonly ports: readonly ListeningPort[];
  /** For the list of services; not called otherwise. */
  services(): Iterable<ServiceDescription>;
  /** `http.block_service_list`. */
  readonly blockServiceList?: boolean;
  /** Default `services`. */
  readonly servicePath?: string;
}

const METHODS = new Set(['GET', 'HEAD']);
const WSDL20 = 'http://www.w3.org/ns/wsdl';
/** Longer tokens first; a token counts alone or before `&` or `=`. */
const TOKEN = /^(wsdl2|wsdl|xsd|info)(?:$|&|=([^&]*))/i;

/**
 * The answer to a request for metadata (`?wsdl`, `?wsdl2`, `?xsd`, `?info`, the list of services, the favicon); undefined for every
 * other request, which is an ordinary one (spec proxies 1.5).
 */
export function metadataAnswer(request: IncomingRequest, options: MetadataOptions): HttpAnswer | undefined {
  if (!METHODS.has(request.method)) return undefined;
  if (request.path === '/favicon.ico') return emptyAnswer(404);
  const { service, servicePath = 'services' } = options;
  if (request.path === `/${servicePath}` || request.path === `/${servicePath}/`) return serviceList(request, options);
  const asked = service && request.query !== undefined && TOKEN.exec(request.query);
  if (!asked) return undefined;
  try {
    return describe(service, request, options, asked);
  } catch (error) {
    return { ...textAnswer(500, 'text/plain', error instanceof Error ? error.message : String(error)), close: true };
  }
}

function describe(
  service: ServiceDescription,
  request: IncomingRequest,
  options: MetadataOptions,
  [, token = '', value]: RegExpExecArray,
): HttpAnswer {
  const urls = serviceUrls(service, request, options);
  const name = value === undefined || value === '' ? undefined : decode(value);
  switch (token.toLowerCase()) {
    case 'wsdl':
      return name === undefined ? xml(wsdlOf(service, urls)) : resource(service, name);
    case 'wsdl2':
      return wsdl2Of(service, urls);
    case 'xsd':
      return name === undefined ? schemaOf(service) : resource(service, name);
    default:
      return information(service, urls);
  }
}

function wsdlOf(service: ServiceDescription, urls: ServiceUrls): string {
  const { wsdl } = service;
  return wsdl ? published(service, wsdl, urls) : generatedWsdl(service.name, urls);
}

function wsdl2Of(service: ServiceDescription, urls: ServiceUrls): HttpAnswer {
  const { wsdl } = service;
  if (!wsdl) {
    const text = `No WSDL was provided for the Service ${service.name}. A WSDL cannot be generated.`;
    return textAnswer(500, 'text/html', escapeHtml(text));
  }
  if (wsdl.namespaceURI === WSDL20) return xml(published(service, wsdl, urls));
  return textAnswer(500, 'text/html', escapeHtml(`The Service ${service.name} has no WSDL 2.0 description.`));
}

function published(service: ServiceDescription, wsdl: XmlElement, urls: ServiceUrls): string {
  const own = service.keepsAddresses ? { http: undefined, https: undefined } : urls;
  return publishedWsdl(wsdl, own, (location) => service.resource?.(location) !== undefined);
}

function schemaOf({ wsdl }: ServiceDescription): HttpAnswer {
  const schema = wsdl && embeddedSchema(wsdl, 0);
  return schema === undefined ? emptyAnswer(404) : xml(schema);
}

function resource(service: ServiceDescription, name: string): HttpAnswer {
  const document = service.resource?.(name) ?? numberedSchema(service, name);
  return document === undefined ? emptyAnswer(404) : xml(document);
}

/** Schemas inside a WSDL are called `xsd0`, `xsd1`, … */
function numberedSchema({ wsdl }: ServiceDescription, name: string): string | undefined {
  const index = /^xsd(\d{1,4})(?:\.xsd)?$/.exec(name)?.[1];
  return wsdl && index !== undefined ? embeddedSchema(wsdl, Number(index)) : undefined;
}

function information(service: ServiceDescription, urls: ServiceUrls): HttpAnswer {
  const name = escapeHtml(service.name);
  const addresses = [urls.http, urls.https]
    .filter((url) => url !== undefined)
    .map((url) => `<li>${escapeHtml(url)}</li>`);
  return html(
    `Service ${name}`,
    `<h1>${name}</h1><p>${service.active ? 'Active' : 'Inactive'}</p><ul>${addresses.join('')}</ul><p><a href="?wsdl">WSDL</a></p>`,
  );
}

function serviceList(request: IncomingRequest, options: MetadataOptions): HttpAnswer {
  if (options.blockServiceList) return emptyAnswer(403);
  const items: string[] = [];
  for (const service of options.services()) {
    const { http, https } = serviceUrls(service, request, options);
    const url = escapeHtml((request.scheme === 'https' ? (https ?? http) : (http ?? https)) ?? '');
    const state = service.active ? '' : ' (inactive)';
    items.push(`<li><a href="${url}?info">${escapeHtml(service.name)}</a>${state} <a href="${url}?wsdl">WSDL</a></li>`);
  }
  return html('Deployed services', `<h1>Deployed services</h1><ul>${items.join('')}</ul>`);
}

/** The client's own way of writing this server's address, with the ports of the other listeners beside it. */
function serviceUrls(service: ServiceDescription, request: IncomingRequest, options: MetadataOptions): ServiceUrls {
  const { ports, servicePath = 'services' } = options;
  const host = request.authority.replace(/:\d+$/, '');
  const path = service.name.split('/').map(encodeURIComponent).join('/');
  const url = (scheme: HttpScheme): string | undefined => {
    if (!service.exposedOn(scheme)) return undefined;
    const port = ports.find((listening) => listening.scheme === scheme)?.port;
    if (scheme === request.scheme) return `${scheme}://${request.authority}/${servicePath}/${path}`;
    return port === undefined ? undefined : `${scheme}://${host}:${port}/${servicePath}/${path}`;
  };
  return { http: url('http'), https: url('https') };
}

function xml(document: string): HttpAnswer {
  return textAnswer(200, 'text/xml', document);
}

function html(title: string, body: string): HttpAnswer {
  const headers = TransportHeaders.from([
    ['Content-Type', 'text/html; charset=UTF-8'],
    ['Content-Security-Policy', "default-src 'none'"],
    ['X-Content-Type-Options', 'nosniff'],
  ]);
  const page = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>${body}</body></html>`;
  return { status: 200, headers, body: Buffer.from(page, 'utf8') };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
