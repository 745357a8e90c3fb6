import { expression } from '../expressions/attribute-types.ts';
import type { Expression } from '../expressions/expression.ts';
import { readAttributes, text } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { always, type MediatorCompilation, mediator } from '../mediation/component.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Payload } from '../message/payload.ts';
import { createFaultWithCode, documentOf, ensureHeader, type SoapVersion, soapNamespace } from '../message/soap.ts';
import { cloneInto, elementChildren, NODE_TYPES, newDocument, type XmlElement, type XmlNode } from '../xml/index.ts';
import { type FaultTextSource, readFaultCode } from './makefault-code.ts';

const VERSIONS = ['soap11', 'soap12', 'pox'] as const;
const ATTRIBUTES = {
  version: text({ doc: `${VERSIONS.join(', ')}.` }),
  response: text({ doc: 'Exactly `true` (also when absent) makes the message a response, `false` does not.' }),
} as const;
const TEXT_ATTRIBUTES = {
  value: text({ doc: 'The text, literally.' }),
  expression: expression({ doc: 'The expression that gives the text.' }),
} as const;
const DETAIL_ATTRIBUTES = { expression: expression({ doc: 'The expression that gives the detail.' }) } as const;

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;
type TextFor = FaultTextSource;

/** What the fault says, as configured. */
interface FaultDefinition {
  /** Undefined for POX. */
  readonly version: SoapVersion | undefined;
  readonly code: TextFor | undefined;
  readonly reason: TextFor | undefined;
  readonly node: string | undefined;
  readonly role: string | undefined;
  readonly detail: Detail | undefined;
}

type Detail =
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'elements'; readonly elements: readonly XmlElement[] }
  | { readonly kind: 'text'; readonly text: string };

/**
 * Makes a fault of the message (spec mediators 3.9). A FaultTo address goes before ReplyTo, also in a response (MREQ-32); the
 * messageType stays, so that a JSON exchange gets the fault as JSON.
 */
export const makefault = mediator({
  element: 'makefault',
  doc: 'Replaces the payload by a SOAP fault, or by an <Exception> element (version="pox"). Sends nothing.',
  attributes: ATTRIBUTES,
  children: ['code', 'reason', 'node', 'role', 'detail'],
  compile(compilation) {
    const definition = readDefinition(compilation);
    const response = readResponse(compilation);
    if (!definition || response === undefined) return undefined;
    const { version } = definition;
    return always((message) => {
      if (version === undefined) makeException(message, definition);
      else makeFault(message, version, definition);
      if (response) message.direction = 'response';
      message.to = message.faultTo ?? message.replyTo;
    });
  },
});

function makeFault(message: MessageContext, version: SoapVersion, definition: FaultDefinition): void {
  const { code, reason, node, role, detail } = definition;
  const envelope = createFaultWithCode(version, {
    code: code?.(message) ?? '',
    reason: reason?.(message) ?? '',
    ...(role !== undefined && { role }),
    ...(node !== undefined && version === '1.2' && { node }),
    ...(detail && { detail: detailFor(message, detail) }),
  });
  const blocks = headerBlocks(message.payload);
  if (blocks.length > 0) {
    const header = ensureHeader(envelope);
    for (const block of blocks) header.appendChild(cloneInto(documentOf(header), block));
  }
  message.payload.replaceEnvelope(envelope);
  message.relatesTo = message.messageId;
}

/** A body that cannot be read has no header blocks: often that is the very reason for the fault. */
function headerBlocks(payload: Payload): XmlElement[] {
  const mayBeSoap = payload.kind === 'envelope' || (payload.kind === 'unread' && !payload.plain);
  try {
    const header = mayBeSoap ? payload.header() : payload.soapHeader();
    return header ? elementChildren(header) : [];
  } catch (error) {
    if (error instanceof MediationError) return [];
    throw error;
  }
}

function detailFor(message: MessageContext, detail: Detail): string | readonly XmlNode[] {
  if (detail.kind === 'text') return detail.text;
  if (detail.kind === 'elements') return detail.elements;
  const nodes = detail.expression.kind === 'xpath' ? detail.expression.nodes(message) : [];
  if (nodes.length > 0 && nodes.every(isContent)) return nodes;
  return detail.expression.stringValue(message) ?? '';
}

/** Can it stand inside an element? */
function isContent(node: object): node is XmlNode {
  const type = 'nodeType' in node ? node.nodeType : undefined;
  return type === NODE_TYPES.element || type === NODE_TYPES.text || type === NODE_TYPES.cdata;
}

/** The first of: detail text, detail expression, reason. */
function makeException(message: MessageContext, { detail, reason }: FaultDefinition): void {
  const fromDetail =
    detail?.kind === 'text' ? detail.text : detail?.kind === 'expression' && detail.expression.stringValue(message);
  const document = newDocument(null, 'Exception');
  const exception = document.documentElement as XmlElement;
  exception.appendChild(document.createTextNode(fromDetail || (reason?.(message) ?? '')));
  try {
    message.payload.replaceBody(exception);
  } catch (error) {
    if (!(error instanceof MediationError)) throw error;
    // What could not be read has been given up by now.
    message.payload.replaceBody(exception);
  }
}

function readDefinition(compilation: Compilation): FaultDefinition | undefined {
  const { element, attributes, reader } = compilation;
  const version = VERSIONS.find((known) => known === (attributes.version ?? 'soap11'));
  if (!version) {
    reader.error(element, 'Invalid SOAP version', { attribute: 'version', expected: `one of: ${VERSIONS.join(', ')}` });
    return undefined;
  }
  const soapVersion = version === 'pox' ? undefined : version === 'soap12' || isCode12(compilation) ? '1.2' : '1.1';
  const code = readFaultText(compilation, 'code', soapVersion);
  const reason = readFaultText(compilation, 'reason', soapVersion);
  const node = readUri(element, 'node', reader);
  const role = readUri(element, 'role', reader);
  const detail = readDetail(element, reader);
  if (code === 'invalid' || reason === 'invalid' || node === 'invalid' || role === 'invalid' || detail === 'invalid')
    return undefined;
  return { version: soapVersion, code, reason, node, role, detail };
}

/** Without a version, a literal code of SOAP 1.2 says which one is meant; many artifacts are written so. */
function isCode12({ element, attributes }: Compilation): boolean {
  const code = element.child('code');
  const prefix = code?.attribute('value')?.split(':', 1)[0] ?? '';
  return attributes.version === undefined && code?.prefixes()[prefix.trim()] === soapNamespace('1.2');
}

/** Both must be there and say something, except for POX. */
function readFaultText(
  { element, reader }: Compilation,
  name: 'code' | 'reason',
  version: SoapVersion | undefined,
): TextFor | undefined | 'invalid' {
  const child = element.child(name);
  if (!child) {
    if (version === undefined) return undefined;
    reader.error(
      element,
      `The fault ${name} is a required attribute for the makefault mediator unless it is a pox fault`,
      { expected: `<${name} value="…"/> or <${name} expression="…"/>` },
    );
    return 'invalid';
  }
  const attributes = readAttributes(child, TEXT_ATTRIBUTES, reader);
  if (!attributes) return 'invalid';
  const { value, expression: computed } = attributes;
  if (value !== undefined)
    return name === 'code' && version ? readFaultCode(child, value, version, reader) : () => value;
  if (computed) return (message) => computed.stringValue(message) ?? '';
  // The reference says "fault code" for both (MREQ-2).
  reader.error(child, `A 'value' or 'expression' attribute must specify the fault ${name}`, {
    expected: 'value="…" or expression="…"',
  });
  return 'invalid';
}

function readUri(
  element: ConfigElement,
  name: 'node' | 'role',
  reader: ArtifactReader,
): string | undefined | 'invalid' {
  const child = element.child(name);
  if (!child) return undefined;
  const uri = child.text.trim();
  if (!/[\s<>"{}|\\^`]/.test(uri)) return uri;
  reader.error(child, `Invalid URI specified for fault ${name} : ${uri}`, { expected: 'a URI' });
  return 'invalid';
}

function readDetail(element: ConfigElement, reader: ArtifactReader): Detail | undefined | 'invalid' {
  const child = element.child('detail');
  if (!child) return undefined;
  const attributes = readAttributes(child, DETAIL_ATTRIBUTES, reader);
  if (!attributes) return 'invalid';
  if (attributes.expression) return { kind: 'expression', expression: attributes.expression };
  const elements = child.children.map(({ node }) => node);
  return elements.length > 0 ? { kind: 'elements', elements } : { kind: 'text', text: child.text };
}

function readResponse({ element, attributes, reader }: Compilation): boolean | undefined {
  const { response } = attributes;
  if (response === undefined || response === 'true') return true;
  if (response === 'false') return false;
  reader.error(element, `Invalid value '${response}' passed as response. Expected 'true' or 'false'`, {
    attribute: 'response',
    expected: 'one of: true, false',
  });
  return undefined;
}
