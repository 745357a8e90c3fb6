/**
 * The SOAP that both sides of the samples speak: names, reading of envelopes and faults, writing of envelopes. Text is
 * written as Axis2 writes it (prefix `soapenv`, single quotes in the XML declaration, no indentation).
 */
import type { XmlElement } from '../../../src/xml/index.ts';
import { elementChildren, textOf } from '../../../src/xml/index.ts';

/** Namespace of the operations and of their wrappers. */
export const NS = 'http://services.samples';
/** Namespace of the fields inside `return` in the WSO2 flavour. */
export const XSD = 'http://services.samples/xsd';
/** The XML Schema instance namespace: `xsi:type`, `xsi:nil`. */
export const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
/** WS-Addressing 1.0. */
export const WSA = 'http://www.w3.org/2005/08/addressing';
/** The addressing submission of 2004, which old clients still send. */
export const WSA_SUBMISSION = 'http://schemas.xmlsoap.org/ws/2004/08/addressing';
/** The WS-Addressing action of a fault that no operation declares. */
export const WSA_FAULT_ACTION = `${WSA}/soap/fault`;

export type SoapVersion = 'soap11' | 'soap12';

/** Envelope namespaces by version. */
export const ENVELOPE_NAMESPACE: Readonly<Record<SoapVersion, string>> = {
  soap11: 'http://schemas.xmlsoap.org/soap/envelope/',
  soap12: 'http://www.w3.org/2003/05/soap-envelope',
};

/** An envelope taken apart; nothing is copied. */
export interface Envelope {
  readonly version: SoapVersion;
  readonly header: XmlElement | undefined;
  /** The first element in the body. */
  readonly payload: XmlElement | undefined;
}

/** Takes an envelope apart; undefined when the element is no SOAP envelope. */
export function openEnvelope(root: XmlElement): Envelope | undefined {
  if (root.localName !== 'Envelope') return undefined;
  const version = (['soap11', 'soap12'] as const).find((name) => ENVELOPE_NAMESPACE[name] === root.namespaceURI);
  if (!version) return undefined;
  const parts = elementChildren(root);
  const body = parts.find((part) => part.localName === 'Body');
  return {
    version,
    header: parts.find((part) => part.localName === 'Header'),
    payload: body && elementChildren(body)[0],
  };
}

/** The reason of a SOAP fault of either version; undefined when the element is no fault. */
export function faultReason(payload: XmlElement | undefined): string | undefined {
  if (payload?.localName !== 'Fault') return undefined;
  for (const child of elementChildren(payload)) {
    if (child.localName === 'faultstring') return textOf(child);
    if (child.localName === 'Reason') return textOf(elementChildren(child)[0] ?? child);
  }
  return '';
}

/** Escapes character data. */
export function escapeText(text: string): string {
  return /[&<>\r]/.test(text) ? text.replace(/[&<>\r]/g, (character) => ESCAPES[character] ?? character) : text;
}

/** Escapes the value of an attribute in double quotes. */
export function escapeAttribute(text: string): string {
  return text.replace(/[&<>\r\n\t"]/g, (character) => ESCAPES[character] ?? character);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\t': '&#x9;',
};

/**
 * Writes an envelope.
 *
 * @param header the whole `soapenv:Header` element or nothing
 * @param charset the encoding that the XML declaration names
 */
export function writeEnvelope(version: SoapVersion, body: string, header = '', charset = 'UTF-8'): string {
  return (
    `<?xml version='1.0' encoding='${charset}'?><soapenv:Envelope xmlns:soapenv="${ENVELOPE_NAMESPACE[version]}">` +
    `${header}<soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`
  );
}

/** The addressing headers that the samples write, in the order in which Axis2 writes them. */
export interface AddressingHeaders {
  readonly to?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly messageId?: string | undefined;
  readonly action?: string | undefined;
  readonly relatesTo?: string | undefined;
}

/** Writes a `soapenv:Header` with the given addressing headers; prefix `wsa`. */
export function writeAddressing(headers: AddressingHeaders, namespace: string = WSA): string {
  const element = (name: string, value: string | undefined) =>
    value === undefined ? '' : `<wsa:${name}>${escapeText(value)}</wsa:${name}>`;
  const replyTo =
    headers.replyTo === undefined
      ? ''
      : `<wsa:ReplyTo><wsa:Address>${escapeText(headers.replyTo)}</wsa:Address></wsa:ReplyTo>`;
  return (
    `<soapenv:Header xmlns:wsa="${namespace}">${element('To', headers.to)}${replyTo}` +
    `${element('MessageID', headers.messageId)}${element('Action', headers.action)}` +
    `${element('RelatesTo', headers.relatesTo)}</soapenv:Header>`
  );
}
