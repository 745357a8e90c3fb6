import type { Expression } from '../../expressions/expression.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue } from '../../message/property-value.ts';
import { isEnvelope } from '../../message/soap.ts';
import {
  cloneInto,
  elementChildren,
  NODE_TYPES,
  parseXml,
  serializeXml,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
  XmlSyntaxError,
} from '../../xml/index.ts';

/** What a transformation works on: the XML as text, and the node in the message that it was, if it was one. */
export interface TransformSource {
  readonly xml: string;
  readonly node: XmlElement | undefined;
}

/**
 * The first Body child, or what an expression selects: its first node, or text that is XML (spec mediators 3.18). Undefined when there
 * is nothing and no expression.
 * @throws MediationError when the expression selects nothing usable
 */
export function transformSource(message: MessageContext, source: Expression | undefined): TransformSource | undefined {
  if (!source) {
    const child = message.payload.firstBodyChild();
    return child && { xml: serializeXml(child), node: child };
  }
  const [node] = source.nodes(message);
  if (node && !(node instanceof JsonValue) && isElement(node)) return { xml: serializeXml(node), node };
  const written = source.stringValue(message) ?? '';
  try {
    return { xml: serializeXml(parseXml(written)), node: undefined };
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw new MediationError(`the source '${source.source}' gives no XML: ${cause.message}`, { cause });
  }
}

/** The root of a result. @throws MediationError when it is no XML */
export function resultElement(text: string): XmlElement {
  try {
    return parseXml(text).documentElement as XmlElement;
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw new MediationError(`the result is no XML document: ${cause.message}`, { cause });
  }
}

/**
 * Puts a result where the source was. Of Body and Header, the children are replaced by those of the result; the Envelope is replaced by
 * a result that is one (spec mediators 3.18).
 */
export function replaceSource({ payload }: MessageContext, node: XmlElement | undefined, result: XmlElement): void {
  const envelope = payload.envelope();
  if (node === envelope) {
    if (!isEnvelope(result)) throw new MediationError('the result is no SOAP envelope, and the source is one');
    payload.replaceEnvelope(result);
    return;
  }
  if (!node || !isInside(node, envelope)) {
    payload.replaceBody(result);
    return;
  }
  const document = node.ownerDocument as XmlDocument;
  if (node.parentNode === envelope) {
    while (node.firstChild) node.removeChild(node.firstChild);
    for (const child of elementChildren(result)) node.appendChild(cloneInto(document, child));
  } else node.parentNode?.replaceChild(cloneInto(document, result), node);
  payload.changed();
}

function isInside(node: XmlNode, envelope: XmlElement): boolean {
  for (let parent: XmlNode | null = node; parent; parent = parent.parentNode) if (parent === envelope) return true;
  return false;
}

export function isElement(node: XmlNode): node is XmlElement {
  return node.nodeType === NODE_TYPES.element;
}
