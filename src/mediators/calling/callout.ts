import { checkScheme } from '../../endpoints/address-scheme.ts';
import type { Endpoint } from '../../endpoints/endpoint.ts';
import { defaultEndpoint, readEndpointChild, securedDefaultEndpoint } from '../../endpoints/index.ts';
import { IndirectEndpoint } from '../../endpoints/indirect.ts';
import { expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import { parseDynamicValue } from '../../expressions/value.ts';
import { nonEmptyText, readAttributes, text } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { maskSecrets } from '../../logging/secrets.ts';
import { sendBlocking } from '../../mediation/blocking-send.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { asMediationError } from '../../mediation/fault.ts';
import { takeBlockingAnswer } from '../../mediation/take-answer.ts';
import { copyBinaryMarks } from '../../message/binary-element.ts';
import { findEntry } from '../../message/entry.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import { cloneWithOrigins } from '../../message/json-xml.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { embeddedChild, selfContained } from '../../message/packaging.ts';
import { Payload } from '../../message/payload.ts';
import { systemProperty } from '../../message/property-scopes.ts';
import { readEndpointSecurity } from '../../security/read-enable-sec.ts';
import { NODE_TYPES, newDocument, type XmlElement, type XmlNode } from '../../xml/index.ts';

const ATTRIBUTES = {
  serviceURL: text({ doc: 'The address; may hold {system.prop.name}.' }),
  endpointKey: nonEmptyText({ doc: 'The name of the endpoint.' }),
  action: text({ doc: 'The SOAPAction.' }),
  initAxis2ClientOptions: text({ doc: 'true or false; without effect.' }),
} as const;
const PLACE_ATTRIBUTES = {
  type: text({ doc: '`envelope`: the whole message.' }),
  xpath: expression({ doc: 'The expression that selects the element.' }),
  key: nonEmptyText({ doc: 'The property, or of a source the entry, that holds the element.' }),
} as const;

/** Undefined: the envelope. */
export type Place = NodePlace | { readonly key: string } | undefined;

/** A node of the message, which it is asked for when it is needed. */
export interface NodePlace {
  /** For faults. */
  readonly source: string;
  first(message: MessageContext): object | undefined;
}

/** What a callout does, for one message or for all. */
export interface Callout {
  readonly endpoint: Endpoint;
  readonly serviceUrl: string | undefined;
  readonly action: string | undefined;
  readonly source: Place;
  readonly target: Place;
}

/** Calls a service with a part of the message and puts a part of the answer into it (spec mediators 3.24). */
export const callout = mediator({
  element: 'callout',
  doc: 'Calls a service and goes on with its answer, or with the answer in a part of the message or a property.',
  attributes: ATTRIBUTES,
  children: ['configuration', 'endpoint', 'source', 'target', 'enableSec'],
  compile(compilation) {
    const definition = readCallout(compilation);
    return definition && ((message) => callOut(message, definition));
  },
});

/** @throws MediationError */
export async function callOut(message: MessageContext, definition: Callout): Promise<boolean> {
  const request = requestFor(message, definition);
  const outOnly = message.properties.get('OUT_ONLY') === 'true';
  let answer: MessageContext;
  try {
    answer = await sendBlocking(request, definition.endpoint);
  } catch (error) {
    throw calloutFailed(message, request, error);
  } finally {
    const failed = request.properties.get('blocking.sender.error');
    if (failed !== undefined) message.properties.set('blocking.sender.error', failed);
  }
  if (!outOnly) takeInto(message, answer, definition.target);
  return true;
}

function calloutFailed(message: MessageContext, request: MessageContext, error: unknown): MediationError {
  const cause = asMediationError(error);
  const status = request.axis2.get('HTTP_SC');
  if (status !== undefined) message.axis2.set('HTTP_SC', status);
  const code = cause.code === ERROR_CODES.blockingSenderFailed ? undefined : cause.code;
  const where = maskSecrets(request.to ?? '');
  return new MediationError(`Error invoking service : ${where} with action : ${request.action ?? ''}`, {
    code: code ?? ERROR_CODES.calloutFailed,
    detail: cause.message,
    ...(cause.status !== undefined && { status: cause.status }),
    cause,
  });
}

/** What is sent is a message of its own: of this one only the named place changes. */
function requestFor(message: MessageContext, { serviceUrl, action, source }: Callout): MessageContext {
  const request = message.copy(sourcePayload(message, source));
  request.faultStack.length = 0;
  if (serviceUrl !== undefined) request.to = withSystemProperties(serviceUrl);
  if (action !== undefined) request.action = action;
  return request;
}

function withSystemProperties(url: string): string {
  return url.replace(/\{system\.prop\.([^{}]+)\}/g, (_, name: string) => systemProperty(name) ?? '');
}

/** JSON is sent as it is, whatever the source says. */
function sourcePayload(message: MessageContext, source: Place): Payload {
  const { payload } = message;
  if (!source || payload.json() !== undefined) return payload.clone();
  const chosen = 'key' in source ? byKey(message, source.key) : elementAt(message, source);
  const element = selfContained(payload, chosen);
  if (!payload.plain) {
    const sent = Payload.ofBodyChild(element, payload.soapVersion);
    const child = sent.firstBodyChild();
    if (child && element !== chosen) copyBinaryMarks(element, child);
    return sent;
  }
  const plain = payload.clone();
  plain.replaceBody(element);
  return plain;
}

function elementAt(message: MessageContext, place: NodePlace): XmlElement {
  const first = place.first(message);
  if (first && isElement(first)) return first;
  throw new MediationError(`The evaluation of the XPath expression : ${place.source} did not result in an OMElement`);
}

function byKey(message: MessageContext, key: string): XmlElement {
  const value = message.properties.get(key) ?? findEntry(message.configuration, key)?.xml;
  const [element] = Array.isArray(value) ? value : [value];
  if (typeof element === 'object' && isElement(element)) return element;
  throw new MediationError(`The property : ${key} is not an OMElement`);
}

function isElement(node: object): node is XmlElement {
  return 'nodeType' in node && node.nodeType === NODE_TYPES.element;
}

/** JSON and, without a target, everything else become the payload; a target leaves all but its place as it is. */
function takeInto(message: MessageContext, answer: MessageContext, target: Place): void {
  if (!target || answer.payload.json() !== undefined) {
    takeBlockingAnswer(message, answer);
    return;
  }
  const child = embeddedChild(answer.payload);
  if ('key' in target) {
    if (child) message.properties.set(target.key, cloneWithOrigins(newDocument(null, 'property'), child));
  } else {
    replaceFirst(message, target, child);
  }
  const status = answer.axis2.get('HTTP_SC');
  if (status !== undefined) message.axis2.set('HTTP_SC', status);
}

function replaceFirst(message: MessageContext, place: NodePlace, child: XmlElement | undefined): void {
  const first = place.first(message);
  const node = first && 'parentNode' in first ? (first as XmlNode) : undefined;
  const document = node?.ownerDocument;
  if (!node?.parentNode || !document) {
    throw new MediationError(`Evaluation of target XPath expression : ${place.source} did not yeild an OMNode`);
  }
  if (child) node.parentNode.replaceChild(cloneWithOrigins(document, child), node);
  else node.parentNode.removeChild(node);
  message.payload.changed();
}

function readCallout({ element, attributes, reader }: MediatorCompilation<typeof ATTRIBUTES>): Callout | undefined {
  const { action, initAxis2ClientOptions: init } = attributes;
  const wrongInit = init !== undefined && init !== 'true' && init !== 'false';
  if (wrongInit) {
    reader.error(element, "The 'initAxis2ClientOptions' attribute only accepts a boolean value.", {
      attribute: 'initAxis2ClientOptions',
      expected: 'one of: true, false',
    });
  }
  const source = readPlace(element, 'source', reader);
  const target = readPlace(element, 'target', reader);
  const endpoint = readEndpointChild(element, reader);
  if (wrongInit || source === 'invalid' || target === 'invalid' || endpoint === 'invalid') return undefined;
  const serviceUrl = attributes.serviceURL?.trim() || undefined;
  if (serviceUrl !== undefined) checkScheme(serviceUrl, element, reader, 'serviceURL');
  const key = serviceUrl === undefined ? attributes.endpointKey : undefined;
  return {
    endpoint: endpointFor(element, key, serviceUrl ? undefined : endpoint, reader),
    serviceUrl,
    action,
    source,
    target,
  };
}

/** An address goes before a key, a key before an endpoint inside; without all of them To is the address. */
function endpointFor(
  element: ConfigElement,
  key: string | undefined,
  inline: Endpoint | undefined,
  reader: ArtifactReader,
): Endpoint {
  const security = readEndpointSecurity(element, reader);
  if (security && (key !== undefined || inline)) {
    reader.error(element.child('enableSec') ?? element, '<enableSec> of <callout> goes with an address only', {
      expected: '<enableSec> in the endpoint',
    });
  }
  if (security && key === undefined && !inline) return securedDefaultEndpoint(security);
  if (key === undefined) return inline ?? defaultEndpoint();
  reader.refer('endpoint', key, element, 'endpointKey');
  return new IndirectEndpoint(parseDynamicValue(key, {}), element.position, key);
}

function placeOf(xpath: Expression): NodePlace {
  return { source: xpath.source, first: (message) => xpath.nodes(message)[0] };
}

function readPlace(parent: ConfigElement, name: 'source' | 'target', reader: ArtifactReader): Place | 'invalid' {
  const element = parent.child(name);
  if (!element) return undefined;
  const attributes = readAttributes(element, PLACE_ATTRIBUTES, reader);
  if (!attributes) return 'invalid';
  const { xpath, key, type } = attributes;
  if (name === 'source' && type === 'envelope') return undefined;
  if (xpath) return placeOf(xpath);
  if (key !== undefined) return { key };
  reader.error(element, `A 'xpath' or 'key' attribute is required for the Callout '${name}'`, {
    expected: 'xpath="…" or key="…"',
  });
  return 'invalid';
}
