import { NODE_TYPES, type XmlAttribute, type XmlElement, type XmlNode } from '../xml/index.ts';
import { NAMESPACES } from './names.ts';

export interface CanonicalOptions {
  /** `#WithComments`: comments are kept. */
  readonly comments?: boolean;
  /** The PrefixList of InclusiveNamespaces; `#default` is the default namespace. */
  readonly inclusivePrefixes?: readonly string[];
}

/** Prefix to namespace; `''` is the default one. Inner scopes inherit from outer ones. */
type Scope = Record<string, string>;

interface Frame {
  readonly element: XmlElement;
  readonly outerRendered: Scope;
  readonly outerDeclared: Scope;
}

/**
 * Exclusive canonical XML 1.0 of an element and all that is in it: the text that signatures are about.
 *
 * It works on the tree that is mediated afterwards, so that what was signed and what is processed cannot be two readings of one text,
 * and covers all of it: processing instructions, and attributes of any name. Its cost is linear, without recursion.
 */
export function canonicalize(element: XmlElement, options: CanonicalOptions = {}): string {
  return new Canonicalizer(options).write(element);
}

class Canonicalizer {
  readonly #comments: boolean;
  readonly #inclusive: readonly string[];
  #out = '';
  /** What the output has declared so far. */
  #rendered: Scope = scope();
  /** What the tree declares here; followed only where a PrefixList needs it. */
  #declared: Scope = scope();
  readonly #open: Frame[] = [];

  constructor({ comments = false, inclusivePrefixes = [] }: CanonicalOptions) {
    this.#comments = comments;
    this.#inclusive = inclusivePrefixes.map((prefix) => (prefix === '#default' ? '' : prefix));
  }

  write(root: XmlElement): string {
    if (this.#inclusive.length > 0) this.#declared = namespacesAround(root);
    let node: XmlNode = root;
    for (;;) {
      const below = this.#enter(node);
      if (below) {
        node = below;
        continue;
      }
      let next: XmlNode | null = null;
      while (!next) {
        if (node === root) return this.#out;
        next = node.nextSibling;
        if (next) break;
        const frame = this.#open.pop();
        if (!frame) return this.#out;
        this.#leave(frame);
        node = frame.element;
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
      case NODE_TYPES.cdata:
        this.#out += escapeText(node.nodeValue ?? '');
        return null;
      case NODE_TYPES.processingInstruction:
        this.#out += `<?${node.nodeName}${node.nodeValue ? ` ${node.nodeValue}` : ''}?>`;
        return null;
      case NODE_TYPES.comment:
        if (this.#comments) this.#out += `<!--${node.nodeValue ?? ''}-->`;
        return null;
      default:
        return null;
    }
  }

  #element(element: XmlElement): XmlNode | null {
    const frame = { element, outerRendered: this.#rendered, outerDeclared: this.#declared };
    const attributes = plainAttributes(element);
    this.#out += `<${element.nodeName}${this.#namespaces(element, attributes)}`;
    for (const { nodeName, value } of attributes.sort(byName)) this.#out += ` ${nodeName}="${escapeAttribute(value)}"`;
    this.#out += '>';
    const child = element.firstChild;
    if (child) this.#open.push(frame);
    else this.#leave(frame);
    return child;
  }

  #leave({ element, outerRendered, outerDeclared }: Frame): void {
    this.#out += `</${element.nodeName}>`;
    this.#rendered = outerRendered;
    this.#declared = outerDeclared;
  }

  /** Declares what the names of the element and its attributes use, and what the PrefixList asks for, if not declared already. */
  #namespaces(element: XmlElement, attributes: readonly XmlAttribute[]): string {
    const used = new Map<string, string>([[element.prefix ?? '', element.namespaceURI ?? '']]);
    for (const { prefix, namespaceURI } of attributes)
      if (prefix && prefix !== 'xml') used.set(prefix, namespaceURI ?? '');
    if (this.#inclusive.length > 0) this.#addInclusive(element, used);
    let written = '';
    let inner: Scope | undefined;
    for (const [prefix, namespace] of used.size > 1 ? [...used].sort(byPrefix) : used) {
      if (prefix === 'xml' || (this.#rendered[prefix] ?? '') === namespace) continue;
      inner ??= Object.create(this.#rendered) as Scope;
      inner[prefix] = namespace;
      written += ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(namespace)}"`;
    }
    if (inner) this.#rendered = inner;
    return written;
  }

  #addInclusive(element: XmlElement, used: Map<string, string>): void {
    this.#declared = withDeclarationsOf(element, this.#declared);
    for (const prefix of this.#inclusive) {
      const namespace = this.#declared[prefix];
      if (namespace !== undefined && !used.has(prefix)) used.set(prefix, namespace);
    }
  }
}

function scope(): Scope {
  return Object.create(null) as Scope;
}

function plainAttributes(element: XmlElement): XmlAttribute[] {
  const found: XmlAttribute[] = [];
  const { attributes } = element;
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index] as XmlAttribute;
    if (attribute.namespaceURI !== NAMESPACES.xmlns) found.push(attribute);
  }
  return found;
}

function withDeclarationsOf(element: XmlElement, outer: Scope): Scope {
  let inner: Scope | undefined;
  const { attributes } = element;
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index] as XmlAttribute;
    if (attribute.namespaceURI !== NAMESPACES.xmlns) continue;
    inner ??= Object.create(outer) as Scope;
    inner[attribute.prefix === 'xmlns' ? (attribute.localName ?? '') : ''] = attribute.value;
  }
  return inner ?? outer;
}

/** Prefix to namespace as it is in scope outside of an element. */
export function namespacesAround(element: XmlElement): Record<string, string> {
  const ancestors: XmlElement[] = [];
  for (let node = element.parentNode; node?.nodeType === NODE_TYPES.element; node = node.parentNode)
    ancestors.unshift(node as XmlElement);
  return ancestors.reduce((outer, ancestor) => withDeclarationsOf(ancestor, outer), scope());
}

function byName(left: XmlAttribute, right: XmlAttribute): number {
  return (
    compareCodePoints(left.namespaceURI ?? '', right.namespaceURI ?? '') ||
    compareCodePoints(left.localName ?? '', right.localName ?? '')
  );
}

function byPrefix([left]: [string, string], [right]: [string, string]): number {
  return compareCodePoints(left, right);
}

/** The order of UTF-8 is that of code points; the order of JavaScript's texts is not, beyond the basic plane. */
function compareCodePoints(left: string, right: string): number {
  if (left === right) return 0;
  if (/[\ud800-\udfff]/.test(left + right)) return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return left < right ? -1 : 1;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => ESCAPES[character] ?? character);
}

function escapeAttribute(text: string): string {
  return text.replace(/[&<"\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}
