import { NODE_TYPES } from './node-types.ts';
import { serializeXml } from './serialize.ts';
import { append, childOf, joinTextsInside, moveBefore, take, textInside } from './tree-edits.ts';
import {
  attributeName,
  type QualifiedName,
  qualifiedName,
  requireName,
  XMLNS_NAMESPACE,
  XmlTreeError,
} from './tree-names.ts';

/*
 * The tree of an XML document: as much of the DOM as mediation needs, made to be small and quick to build. A node of @xmldom/xmldom takes
 * about 800 bytes, because each has a list of children and a map of attributes of its own; one of ours takes 64 to 104. There are four
 * shapes of objects only, so that a walk over any tree stays fast: elements, documents, attributes, and everything that is text.
 *
 * Links between nodes are written by this folder only; they are read-only for everybody who has an XmlNode.
 */

/** What every node answers. */
export abstract class XmlNode {
  abstract readonly nodeType: number;
  abstract readonly nodeName: string;
  /** The text of what is text, the value of an attribute; null for elements and documents. */
  abstract nodeValue: string | null;
  /** Null for documents. */
  abstract readonly ownerDocument: XmlDocument | null;
  /** Null for documents, attributes and what stands nowhere. */
  abstract readonly parentNode: XmlParent | null;
  abstract readonly firstChild: XmlChild | null;
  abstract readonly lastChild: XmlChild | null;
  abstract readonly previousSibling: XmlChild | null;
  abstract readonly nextSibling: XmlChild | null;
  /** All text inside, comments and processing instructions left out; null for documents. Setting it replaces what is inside. */
  abstract textContent: string | null;

  /** Null for everything but elements and attributes. */
  get localName(): string | null {
    return null;
  }
  get prefix(): string | null {
    return null;
  }
  get namespaceURI(): string | null {
    return null;
  }

  /** The children as they are at this moment. */
  get childNodes(): XmlChild[] {
    const children: XmlChild[] = [];
    for (let child = this.firstChild; child; child = child.nextSibling) children.push(child);
    return children;
  }

  /** Moves a node to the end of the children. @throws XmlTreeError when it cannot be a child of this one */
  appendChild<N extends XmlNode>(node: N): N {
    moveBefore(this, node, null);
    return node;
  }

  /** Moves a node in front of a child, or to the end. @throws XmlTreeError */
  insertBefore<N extends XmlNode>(node: N, before: XmlNode | null): N {
    moveBefore(this, node, before && childOf(this, before));
    return node;
  }

  /** @throws XmlTreeError when it is no child of this node */
  removeChild<N extends XmlNode>(node: N): N {
    take(childOf(this, node));
    return node;
  }

  /** Puts a node into the place of a child. @throws XmlTreeError */
  replaceChild<N extends XmlNode>(node: XmlNode, replaced: N): N {
    const place = childOf(this, replaced);
    if ((node as XmlNode) === replaced) return replaced;
    moveBefore(this, node, place, place);
    take(place);
    return replaced;
  }

  /** A copy that stands nowhere, of the same document. */
  cloneNode(deep: boolean): this {
    return copyOf(this, this.ownerDocument ?? new XmlDocument(), deep) as this;
  }

  /** Joins texts that stand beside each other, and takes out empty ones, everywhere inside. */
  normalize(): void {
    joinTextsInside(this);
  }

  /** Its XML, for messages to people. @throws XmlSerializationError */
  toString(): string {
    return serializeXml(this);
  }

  /**
   * The namespace that a prefix (null or `''` for none) stands for here; null if it is not declared.
   */
  lookupNamespaceURI(prefix: string | null): string | null {
    const wanted = prefix || null;
    for (let node: XmlNode | null = this; node; node = node.parentNode) {
      if (!(node instanceof XmlElement)) continue;
      if (node.namespaceURI !== null && node.prefix === wanted) return node.namespaceURI;
      const declared = node.getAttributeNodeNS(XMLNS_NAMESPACE, wanted ?? 'xmlns');
      if (declared && (declared.prefix === null) === (wanted === null)) return declared.value || null;
    }
    return null;
  }
}

/** What has children. */
export abstract class XmlParent extends XmlNode {
  abstract override firstChild: XmlChild | null;
  abstract override lastChild: XmlChild | null;
}

/** What can be a child. */
export type XmlChild = XmlElement | XmlCharacterData;

const NO_ATTRIBUTES: readonly XmlAttribute[] = Object.freeze([]);

export class XmlElement extends XmlParent {
  qualifiedName: QualifiedName;
  ownerDocument: XmlDocument;
  parentNode: XmlParent | null = null;
  firstChild: XmlChild | null = null;
  lastChild: XmlChild | null = null;
  previousSibling: XmlChild | null = null;
  nextSibling: XmlChild | null = null;
  /** In the order in which they were written. */
  attributes: readonly XmlAttribute[] = NO_ATTRIBUTES;
  /** Where the start tag was written, from 1; 0 for elements that no parser made. */
  lineNumber = 0;
  columnNumber = 0;

  constructor(name: QualifiedName, document: XmlDocument) {
    super();
    this.qualifiedName = name;
    this.ownerDocument = document;
  }

  get nodeType(): number {
    return NODE_TYPES.element;
  }
  get nodeName(): string {
    return this.qualifiedName.nodeName;
  }
  get nodeValue(): null {
    return null;
  }
  override get localName(): string {
    return this.qualifiedName.localName;
  }
  override get prefix(): string | null {
    return this.qualifiedName.prefix;
  }
  override get namespaceURI(): string | null {
    return this.qualifiedName.namespaceURI;
  }

  get textContent(): string {
    return textInside(this);
  }
  set textContent(text: string) {
    while (this.lastChild) take(this.lastChild);
    if (text !== '') moveBefore(this, new XmlCharacterData(NODE_TYPES.text, text, this.ownerDocument), null);
  }

  /** By the name as it is written; null if there is none. */
  getAttributeNode(name: string): XmlAttribute | null {
    const { attributes } = this;
    for (let index = 0; index < attributes.length; index += 1) {
      const attribute = attributes[index] as XmlAttribute;
      if (attribute.nodeName === name) return attribute;
    }
    return null;
  }

  getAttributeNodeNS(namespace: string | null, localName: string): XmlAttribute | null {
    const { attributes } = this;
    for (let index = 0; index < attributes.length; index += 1) {
      const attribute = attributes[index] as XmlAttribute;
      if (attribute.localName === localName && attribute.namespaceURI === (namespace || null)) return attribute;
    }
    return null;
  }

  getAttribute(name: string): string | null {
    return this.getAttributeNode(name)?.value ?? null;
  }

  getAttributeNS(namespace: string | null, localName: string): string | null {
    return this.getAttributeNodeNS(namespace, localName)?.value ?? null;
  }

  hasAttribute(name: string): boolean {
    return this.getAttributeNode(name) !== null;
  }

  hasAttributeNS(namespace: string | null, localName: string): boolean {
    return this.getAttributeNodeNS(namespace, localName) !== null;
  }

  /** Gives an attribute without namespace a value. @throws XmlTreeError when that is no name */
  setAttribute(name: string, value: string): void {
    const present = this.getAttributeNode(name);
    if (present) present.value = value;
    else this.setAttributeNode(new XmlAttribute(attributeName(name), value));
  }

  /** @throws XmlTreeError when that is no name, or its prefix cannot stand for the namespace */
  setAttributeNS(namespace: string | null, name: string, value: string): void {
    this.setAttributeNode(new XmlAttribute(qualifiedName(namespace, name), value));
  }

  /** Takes the place of an attribute with the same local name and namespace. @throws XmlTreeError when another element has it */
  setAttributeNode(attribute: XmlAttribute): void {
    if (attribute.ownerElement === this) return;
    if (attribute.ownerElement) throw new XmlTreeError(`attribute '${attribute.nodeName}' belongs to another element`);
    const present = this.getAttributeNodeNS(attribute.namespaceURI, attribute.localName);
    if (present) present.ownerElement = null;
    attribute.ownerElement = this;
    if (present) this.attributes = this.attributes.map((one) => (one === present ? attribute : one));
    else addAttribute(this, attribute);
  }

  removeAttribute(name: string): void {
    const attribute = this.getAttributeNode(name);
    if (attribute) this.removeAttributeNode(attribute);
  }

  /** @throws XmlTreeError when the element does not have it */
  removeAttributeNode(attribute: XmlAttribute): XmlAttribute {
    if (attribute.ownerElement !== this) throw new XmlTreeError(`there is no such attribute '${attribute.nodeName}'`);
    attribute.ownerElement = null;
    this.attributes = this.attributes.filter((one) => one !== attribute);
    return attribute;
  }
}

export class XmlAttribute extends XmlNode {
  readonly qualifiedName: QualifiedName;
  value: string;
  ownerElement: XmlElement | null = null;
  /** Where its name was written, from 1; 0 for attributes that no parser made. */
  lineNumber = 0;
  columnNumber = 0;

  constructor(name: QualifiedName, value: string) {
    super();
    this.qualifiedName = name;
    this.value = value;
  }

  get nodeType(): number {
    return NODE_TYPES.attribute;
  }
  get nodeName(): string {
    return this.qualifiedName.nodeName;
  }
  get name(): string {
    return this.qualifiedName.nodeName;
  }
  override get localName(): string {
    return this.qualifiedName.localName;
  }
  override get prefix(): string | null {
    return this.qualifiedName.prefix;
  }
  override get namespaceURI(): string | null {
    return this.qualifiedName.namespaceURI;
  }
  get nodeValue(): string {
    return this.value;
  }
  set nodeValue(value: string) {
    this.value = value;
  }
  get textContent(): string {
    return this.value;
  }
  set textContent(value: string) {
    this.value = value;
  }
  get ownerDocument(): XmlDocument | null {
    return this.ownerElement?.ownerDocument ?? null;
  }
  get parentNode(): null {
    return null;
  }
  get firstChild(): null {
    return null;
  }
  get lastChild(): null {
    return null;
  }
  get previousSibling(): null {
    return null;
  }
  get nextSibling(): null {
    return null;
  }
}

/** A text, a CDATA section, a comment, or the data of a processing instruction. */
export class XmlCharacterData extends XmlNode {
  readonly nodeType: number;
  data: string;
  ownerDocument: XmlDocument;
  parentNode: XmlParent | null = null;
  previousSibling: XmlChild | null = null;
  nextSibling: XmlChild | null = null;

  constructor(nodeType: number, data: string, document: XmlDocument) {
    super();
    this.nodeType = nodeType;
    this.data = data;
    this.ownerDocument = document;
  }

  get nodeName(): string {
    if (this.nodeType === NODE_TYPES.text) return '#text';
    return this.nodeType === NODE_TYPES.cdata ? '#cdata-section' : '#comment';
  }
  get nodeValue(): string {
    return this.data;
  }
  set nodeValue(data: string) {
    this.data = data;
  }
  get textContent(): string {
    return this.data;
  }
  set textContent(data: string) {
    this.data = data;
  }
  get firstChild(): null {
    return null;
  }
  get lastChild(): null {
    return null;
  }
}

export class XmlProcessingInstruction extends XmlCharacterData {
  readonly target: string;

  constructor(target: string, data: string, document: XmlDocument) {
    super(NODE_TYPES.processingInstruction, data, document);
    this.target = target;
  }

  override get nodeName(): string {
    return this.target;
  }
}

export class XmlDocument extends XmlParent {
  firstChild: XmlChild | null = null;
  lastChild: XmlChild | null = null;
  /** The root when somebody last asked. */
  #root: XmlElement | undefined;

  get nodeType(): number {
    return NODE_TYPES.document;
  }
  get nodeName(): string {
    return '#document';
  }
  get nodeValue(): null {
    return null;
  }
  get textContent(): null {
    return null;
  }
  get ownerDocument(): null {
    return null;
  }
  get parentNode(): null {
    return null;
  }
  get previousSibling(): null {
    return null;
  }
  get nextSibling(): null {
    return null;
  }

  /** The root element; null in a document that has none yet. */
  get documentElement(): XmlElement | null {
    // A document may have a million comments in front of its root.
    if (this.#root?.parentNode === this) return this.#root;
    for (let child = this.firstChild; child; child = child.nextSibling) {
      if (child.nodeType !== NODE_TYPES.element) continue;
      this.#root = child as XmlElement;
      return this.#root;
    }
    return null;
  }

  /** @throws XmlTreeError when that is no name, or its prefix cannot stand for the namespace */
  createElementNS(namespace: string | null, name: string): XmlElement {
    return new XmlElement(qualifiedName(namespace, name), this);
  }

  /** @throws XmlTreeError as {@link createElementNS} */
  createAttributeNS(namespace: string | null, name: string): XmlAttribute {
    return new XmlAttribute(qualifiedName(namespace, name), '');
  }

  createTextNode(text: string): XmlCharacterData {
    return new XmlCharacterData(NODE_TYPES.text, text, this);
  }

  createCDATASection(text: string): XmlCharacterData {
    return new XmlCharacterData(NODE_TYPES.cdata, text, this);
  }

  createComment(text: string): XmlCharacterData {
    return new XmlCharacterData(NODE_TYPES.comment, text, this);
  }

  createProcessingInstruction(target: string, data: string): XmlProcessingInstruction {
    requireName(target);
    return new XmlProcessingInstruction(target, data, this);
  }

  /** A copy, for this document, of a node of any document. */
  importNode<N extends XmlNode>(node: N, deep: boolean): N {
    return copyOf(node, this, deep) as N;
  }
}

/** Puts an attribute behind the others. Nothing is checked: the element has none of this name, and no other element has it. */
export function addAttribute(element: XmlElement, attribute: XmlAttribute): void {
  attribute.ownerElement = element;
  if (element.attributes === NO_ATTRIBUTES) element.attributes = [attribute];
  else (element.attributes as XmlAttribute[]).push(attribute);
}

/** A copy for a document, made without recursion, so that depth costs no stack. */
function copyOf(root: XmlNode, document: XmlDocument, deep: boolean): XmlNode {
  const top = shallowCopy(root, document);
  if (!deep) return top;
  const owner = top instanceof XmlDocument ? top : document;
  let source: XmlNode = root;
  let copy: XmlNode = top;
  const go = (next: XmlChild, parent: XmlNode | null) => {
    const made = shallowCopy(next, owner) as XmlChild;
    append(parent as XmlParent, made);
    source = next;
    copy = made;
  };
  for (;;) {
    if (source.firstChild) {
      go(source.firstChild, copy);
      continue;
    }
    while (source !== root && !source.nextSibling) {
      source = source.parentNode as XmlNode;
      copy = copy.parentNode ?? copy;
    }
    if (source === root) return top;
    go(source.nextSibling as unknown as XmlChild, copy.parentNode);
  }
}

function shallowCopy(node: XmlNode, document: XmlDocument): XmlNode {
  if (node instanceof XmlElement) return elementCopy(node, document);
  if (node instanceof XmlProcessingInstruction) return new XmlProcessingInstruction(node.target, node.data, document);
  if (node instanceof XmlCharacterData) return new XmlCharacterData(node.nodeType, node.data, document);
  if (node instanceof XmlAttribute) return attributeCopy(node);
  return new XmlDocument();
}

function elementCopy(element: XmlElement, document: XmlDocument): XmlElement {
  const copy = new XmlElement(element.qualifiedName, document);
  copy.lineNumber = element.lineNumber;
  copy.columnNumber = element.columnNumber;
  const { attributes } = element;
  for (let index = 0; index < attributes.length; index += 1) {
    addAttribute(copy, attributeCopy(attributes[index] as XmlAttribute));
  }
  return copy;
}

function attributeCopy(attribute: XmlAttribute): XmlAttribute {
  const copy = new XmlAttribute(attribute.qualifiedName, attribute.value);
  copy.lineNumber = attribute.lineNumber;
  copy.columnNumber = attribute.columnNumber;
  return copy;
}
