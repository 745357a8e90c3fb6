import { indexOfIllegalCharacter, NEEDS_CARE } from './names.ts';
import { NODE_TYPES } from './node-types.ts';
import { OutputScope } from './output-scope.ts';
import type { XmlAttribute, XmlElement, XmlNode } from './tree.ts';
import { XMLNS_NAMESPACE } from './tree-names.ts';

export interface SerializeOptions {
  /** Writes `<?xml version="1.0" encoding="…"?>` in front, with this encoding. */
  readonly declaration?: string;
}

/** A tree that no well-formed document can hold, for example text with a control character. */
export class XmlSerializationError extends Error {
  override readonly name = 'XmlSerializationError';
}

/**
 * The XML text of a document, an element or another node, without XML declaration unless asked for. A fragment declares the
 * namespaces of its names where they are used. Nothing in a node can end up as markup (OP-92): text is escaped, `]]>` in CDATA is split, and what
 * cannot be written is an error.
 * @throws XmlSerializationError
 */
export function serializeXml(node: XmlNode, options: SerializeOptions = {}): string {
  const text = new XmlWriter().write(node);
  return options.declaration ? `<?xml version="1.0" encoding="${options.declaration}"?>${text}` : text;
}

/** Writes one tree without recursion, so that depth costs no stack. */
class XmlWriter {
  #out = '';
  readonly #scope = new OutputScope();

  write(root: XmlNode): string {
    if (root.nodeType === NODE_TYPES.document) {
      for (let child = root.firstChild; child; child = child.nextSibling) this.#tree(child);
    } else {
      this.#tree(root);
    }
    return this.#out;
  }

  #tree(root: XmlNode): void {
    let node: XmlNode = root;
    for (;;) {
      const below = this.#enter(node);
      if (below) {
        node = below;
        continue;
      }
      let next: XmlNode | null = null;
      while (!next) {
        if (node === root) return;
        next = node.nextSibling;
        if (next) break;
        node = node.parentNode as XmlNode;
        this.#out += `</${node.nodeName}>`;
        this.#scope.leave(node as XmlElement);
      }
      node = next;
    }
  }

  /** Writes a node up to its children; gives the first child, if any. */
  #enter(node: XmlNode): XmlNode | null {
    switch (node.nodeType) {
      case NODE_TYPES.element:
        return this.#element(node as XmlElement);
      case NODE_TYPES.text:
        this.#out += escapeText(node.nodeValue ?? '');
        return null;
      case NODE_TYPES.cdata:
        this.#out += `<![CDATA[${allowed(node.nodeValue ?? '').replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
        return null;
      case NODE_TYPES.comment:
        this.#comment(node.nodeValue ?? '');
        return null;
      case NODE_TYPES.processingInstruction:
        this.#processingInstruction(node.nodeName, node.nodeValue ?? '');
        return null;
      case NODE_TYPES.attribute:
        this.#out += escapeText(node.nodeValue ?? '');
        return null;
      default:
        throw new XmlSerializationError(`a node of type ${node.nodeType} cannot be written as XML`);
    }
  }

  #element(element: XmlElement): XmlNode | null {
    this.#out += `<${element.nodeName}`;
    this.#attributes(element);
    const child = element.firstChild;
    if (child) {
      this.#out += '>';
      return child;
    }
    this.#out += '/>';
    this.#scope.leave(element);
    return null;
  }

  #attributes(element: XmlElement): void {
    const { attributes } = element;
    const wanted = element.namespaceURI ?? '';
    const prefix = element.prefix ?? '';
    let plain = 0;
    for (let index = 0; index < attributes.length; index += 1) {
      const attribute = attributes[index] as XmlAttribute;
      if (attribute.namespaceURI === XMLNS_NAMESPACE) this.#declaration(element, attribute, prefix, wanted);
      else plain += 1;
    }
    if (this.#scope.namespaceOf(prefix) !== wanted) this.#declare(element, prefix, wanted);
    if (plain === 0) return;
    // Declarations that attributes turn out to need go in front of all attributes.
    let written = '';
    for (let index = 0; index < attributes.length; index += 1) {
      const attribute = attributes[index] as XmlAttribute;
      if (attribute.namespaceURI !== XMLNS_NAMESPACE) written += this.#attribute(element, attribute);
    }
    this.#out += written;
  }

  /** Repeats a written declaration, unless the element's own name needs the prefix for another namespace. */
  #declaration(element: XmlElement, attribute: XmlAttribute, elementPrefix: string, elementNamespace: string): void {
    const prefix = attribute.prefix === 'xmlns' ? attribute.localName : '';
    if (prefix === 'xml') return;
    if (prefix === elementPrefix && attribute.value !== elementNamespace) return;
    this.#declare(element, prefix, attribute.value);
  }

  #declare(element: XmlElement, prefix: string, namespace: string): void {
    if (prefix !== '' && namespace === '') {
      throw new XmlSerializationError(`the prefix '${prefix}' stands for no namespace`);
    }
    this.#scope.declare(element, prefix, namespace);
    this.#out += ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(namespace)}"`;
  }

  #attribute(element: XmlElement, attribute: XmlAttribute): string {
    const { namespaceURI, prefix, localName, nodeName } = attribute;
    let name = nodeName;
    if (namespaceURI) {
      const usable = prefix ? this.#scope.namespaceOf(prefix) : undefined;
      if (usable === undefined && prefix) this.#declare(element, prefix, namespaceURI);
      else if (usable !== namespaceURI) name = `${this.#otherPrefix(element, namespaceURI)}:${localName}`;
    }
    return ` ${name}="${escapeAttribute(attribute.value)}"`;
  }

  /** A prefix for a namespace whose own prefix is missing or means something else here. */
  #otherPrefix(element: XmlElement, namespace: string): string {
    const known = this.#scope.prefixOf(namespace);
    if (known !== undefined) return known;
    const free = this.#scope.freePrefix();
    this.#declare(element, free, namespace);
    return free;
  }

  #comment(text: string): void {
    if (text.includes('--') || text.endsWith('-')) {
      throw new XmlSerializationError("a comment must not hold '--' or end with '-'");
    }
    this.#out += `<!--${allowed(text)}-->`;
  }

  #processingInstruction(target: string, data: string): void {
    if (data.includes('?>')) throw new XmlSerializationError("a processing instruction must not hold '?>'");
    this.#out += data === '' ? `<?${target}?>` : `<?${target} ${allowed(data)}?>`;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/**
 * Text as it stands between tags.
 * @throws XmlSerializationError for characters that XML does not allow
 */
export function escapeText(text: string): string {
  if (!NEEDS_CARE.test(text)) return text;
  return allowed(text).replace(/[&<>\r]/g, (character) => ESCAPES[character] ?? character);
}

/**
 * Text as it stands between double quotes.
 * @throws XmlSerializationError for characters that XML does not allow
 */
export function escapeAttribute(text: string): string {
  if (!NEEDS_CARE.test(text)) return text;
  return allowed(text).replace(/[&<>"\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}

function allowed(text: string): string {
  const illegal = indexOfIllegalCharacter(text);
  if (illegal === -1) return text;
  const code = text.charCodeAt(illegal).toString(16).toUpperCase().padStart(4, '0');
  throw new XmlSerializationError(`the character U+${code} cannot be written in XML`);
}
