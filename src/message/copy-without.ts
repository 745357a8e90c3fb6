import { cloneInto, type XmlElement, type XmlNode } from '../xml/index.ts';
import { bodyOf, createEnvelope, documentOf, soapVersionOf } from './soap.ts';

/**
 * A copy of an envelope that leaves elements out. Taking them out of a tree one by one would cost the square of their number.
 * @returns the copy, and the copies of everything around the elements
 */
export function copyWithout(
  envelope: XmlElement,
  elements: readonly XmlElement[],
): { readonly envelope: XmlElement; readonly copies: ReadonlyMap<XmlNode, XmlNode> } {
  const omitted = new Set<XmlNode>(elements);
  const around = nodesAround(elements);
  const copies = new Map<XmlNode, XmlNode>();
  const document = documentOf(createEnvelope(soapVersionOf(envelope) ?? '1.1'));
  const copied = (node: XmlNode): XmlNode => {
    if (!around.has(node)) return cloneInto(document, node);
    const copy = document.importNode(node, false);
    copies.set(node, copy);
    for (let child = node.firstChild; child; child = child.nextSibling) {
      if (!omitted.has(child)) copy.appendChild(copied(child));
    }
    return copy;
  };
  const copy = copied(envelope) as XmlElement;
  document.replaceChild(copy, document.documentElement as XmlElement);
  bodyOf(copy);
  return { envelope: copy, copies };
}

function nodesAround(elements: readonly XmlElement[]): ReadonlySet<XmlNode> {
  const around = new Set<XmlNode>();
  for (const element of elements) {
    for (let node = element.parentNode; node && !around.has(node); node = node.parentNode) around.add(node);
  }
  return around;
}
