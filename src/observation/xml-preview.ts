import type { XmlElement, XmlNode } from '../xml/index.ts';

const ELEMENT = 1;
const TEXT = 3;
const CDATA = 4;
const COMMENT = 8;
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * The beginning of a tree as XML text, for people to look at: stops when there are so many characters, so that a large tree costs
 * no more than a small one. Namespaces are shown where the tree has them as attributes.
 */
export function previewXml(
  root: XmlElement,
  characters: number,
): { readonly text: string; readonly truncated: boolean } {
  let text = '';
  let node: XmlNode | null = root;
  while (node && text.length < characters) {
    text += opening(node, characters - text.length);
    if (node.firstChild) {
      node = node.firstChild;
      continue;
    }
    while (node && !node.nextSibling) {
      if (node !== root && node.parentNode) text += `</${node.parentNode.nodeName}>`;
      if (node === root || node.parentNode === root) return finished(text, characters);
      node = node.parentNode;
    }
    if (node === root) return finished(text, characters);
    node = node?.nextSibling ?? null;
  }
  return { text: text.slice(0, characters), truncated: true };
}

function finished(text: string, characters: number) {
  return { text: text.slice(0, characters), truncated: text.length > characters };
}

function opening(node: XmlNode, room: number): string {
  switch (node.nodeType) {
    case ELEMENT: {
      const attributes = attributesOf(node as XmlElement);
      return `<${node.nodeName}${attributes}${node.firstChild ? '>' : '/>'}`;
    }
    case TEXT:
      return escaped((node.nodeValue ?? '').slice(0, room));
    case CDATA:
      return `<![CDATA[${(node.nodeValue ?? '').slice(0, room)}]]>`;
    case COMMENT:
      return `<!--${(node.nodeValue ?? '').slice(0, room)}-->`;
    default:
      return '';
  }
}

function attributesOf(element: XmlElement): string {
  let text = '';
  for (let index = 0; index < element.attributes.length; index += 1) {
    const attribute = element.attributes[index];
    if (attribute) text += ` ${attribute.name}="${escaped(attribute.value)}"`;
  }
  return text;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}
