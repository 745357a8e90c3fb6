import { DOMImplementation } from '@xmldom/xmldom';
import { decodeXml } from './decode.ts';
import type { XmlAttribute, XmlDocument, XmlElement, XmlNode } from './dom.ts';
import { MAX_XML_NODES } from './limits.ts';
import { indexOfIllegalCharacter, isCharacter, NCNAME_HERE } from './names.ts';
import { XmlSyntaxError } from './syntax-error.ts';

export interface ParseOptions {
  /** Elements inside each other; 256 unless told (OP-91). */
  readonly maxDepth?: number;
  /** Attributes of one element, namespace declarations included; 1,024 unless told (OP-91). */
  readonly maxAttributes?: number;
  /** Elements, attributes, texts and the like in all; 2,000,000 unless told (OP-91). */
  readonly maxNodes?: number;
  /** The charset that the transport named, for bytes; it goes before the XML declaration, after a byte order mark. */
  readonly charset?: string;
}

const MAX_DEPTH = 256;
const MAX_ATTRIBUTES = 1_024;

/**
 * Reads one XML 1.0 document with namespaces, strictly (OP-92): nothing that is not well-formed is repaired, DOCTYPE is refused, so
 * that entities are neither defined, expanded nor fetched. Cost is linear in the length of the text.
 *
 * The tree is @xmldom/xmldom's; elements and attributes carry `lineNumber` and `columnNumber` (from 1). Its own parser is not used: it accepts several malformed inputs without a word, turns U+2028 into
 * a line feed, places attributes at their value and takes about three times as long.
 * @throws XmlSyntaxError
 */
export function parseXml(source: string | Uint8Array, options: ParseOptions = {}): XmlDocument {
  const text = typeof source === 'string' ? source : decodeXml(source, options.charset);
  return new XmlReader(text, options).read();
}

/** Prefix to namespace; `''` is the default namespace. Inner scopes inherit from outer ones. */
type Scope = Record<string, string>;

interface OpenElement {
  readonly node: XmlElement;
  readonly name: string;
  /** Of the start tag, for the message about a missing end tag. */
  readonly offset: number;
  readonly outerScope: Scope;
}

interface WrittenAttribute {
  readonly name: string;
  readonly prefix: string;
  readonly localName: string;
  readonly value: string;
  readonly offset: number;
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
const IMPLEMENTATION = new DOMImplementation();

const XML_DECLARATION =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.\d+"|'1\.\d+')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"[A-Za-z][\w.-]*"|'[A-Za-z][\w.-]*'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>/;
const REFERENCE = /&(?:#([0-9]+);|#x([0-9a-fA-F]+);|(lt|gt|amp|apos|quot);)?/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' };
const ASCII_NAME = /[A-Za-z_][A-Za-z0-9_.-]*/y;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const BANG = 0x21;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const SLASH = 0x2f;
const COLON = 0x3a;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const QUESTION = 0x3f;

/** Reads one document from left to right; `#at` is the offset of what is read next. */
class XmlReader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #maxAttributes: number;
  readonly #maxNodes: number;
  #nodes = 0;
  readonly #document: XmlDocument = IMPLEMENTATION.createDocument(null, '');
  readonly #open: OpenElement[] = [];
  #parent: XmlNode = this.#document;
  #scope: Scope = Object.assign(Object.create(null), { '': '', xml: XML_NAMESPACE });
  #at = 0;
  /** The line of the last position asked for, and where it starts; positions are asked for in ascending order. */
  #line = 1;
  #lineStart = 0;
  #nextLineFeed: number;

  constructor(text: string, options: ParseOptions) {
    const unmarked = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    this.#text = unmarked.includes('\r') ? unmarked.replace(/\r\n?/g, '\n') : unmarked;
    this.#maxDepth = options.maxDepth ?? MAX_DEPTH;
    this.#maxAttributes = options.maxAttributes ?? MAX_ATTRIBUTES;
    this.#maxNodes = options.maxNodes ?? MAX_XML_NODES;
    this.#nextLineFeed = this.#text.indexOf('\n');
  }

  read(): XmlDocument {
    const illegal = indexOfIllegalCharacter(this.#text);
    if (illegal !== -1) this.#failOnCharacter(illegal);
    this.#skipDeclaration();
    const { length } = this.#text;
    while (this.#at < length) {
      if (this.#text.charCodeAt(this.#at) === 0x3c) this.#markup();
      else this.#characters();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed) this.#fail(`element <${unclosed.name}> is not closed`, unclosed.offset);
    if (!this.#document.documentElement) this.#fail('the document has no root element', length);
    return this.#document;
  }

  #count(nodes: number): void {
    this.#nodes += nodes;
    if (this.#nodes > this.#maxNodes) this.#fail(`the document has more than ${this.#maxNodes} nodes`, this.#at);
  }

  #skipDeclaration(): void {
    if (!/^<\?xml[\s?]/.test(this.#text)) return;
    const match = XML_DECLARATION.exec(this.#text);
    if (!match) this.#fail('the XML declaration is not well-formed', 0);
    else this.#at = match[0].length;
  }

  #markup(): void {
    const second = this.#text.charCodeAt(this.#at + 1);
    if (second === SLASH) {
      this.#endTag();
      return;
    }
    this.#count(1);
    if (second === BANG) this.#declarationCommentOrCData();
    else if (second === QUESTION) this.#processingInstruction();
    else this.#startTag();
  }

  #characters(): void {
    this.#count(1);
    const start = this.#at;
    const next = this.#text.indexOf('<', start);
    const end = next === -1 ? this.#text.length : next;
    const written = this.#text.slice(start, end);
    this.#at = end;
    if (this.#open.length === 0) {
      const stray = written.search(/[^ \t\n]/);
      if (stray === -1) return;
      const where = this.#document.documentElement ? 'after' : 'before';
      this.#fail(`text ${where} the root element`, start + stray);
    }
    const forbidden = written.indexOf(']]>');
    if (forbidden !== -1) this.#fail("']]>' must be written as ']]&gt;' in text", start + forbidden);
    this.#parent.appendChild(this.#document.createTextNode(this.#dereferenced(written, start)));
  }

  #dereferenced(written: string, offset: number): string {
    if (!written.includes('&')) return written;
    return written.replace(REFERENCE, (all, decimal?: string, hex?: string, name?: string, index?: number) => {
      if (name !== undefined) return ENTITIES[name] ?? '';
      const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : undefined;
      const at = offset + (index ?? 0);
      if (code === undefined) return this.#failOnReference(at);
      if (!isCharacter(code)) this.#fail(`${all} is not a character that XML allows`, at);
      return String.fromCodePoint(code);
    });
  }

  #failOnReference(offset: number): never {
    const name = /^&([\w.:-]+);/.exec(this.#text.slice(offset, offset + 80))?.[1];
    if (name)
      return this.#fail(`entity '&${name};' is not defined (DOCTYPE and its entities are not supported)`, offset);
    return this.#fail("'&' must be written as '&amp;'", offset);
  }

  #declarationCommentOrCData(): void {
    const start = this.#at;
    if (this.#text.startsWith('<!--', start)) this.#comment();
    else if (this.#text.startsWith('<![CDATA[', start)) this.#cdata();
    else if (/^<!doctype/i.test(this.#text.slice(start, start + 9))) this.#fail('DOCTYPE is not allowed', start);
    else this.#fail("'<!' starts neither a comment nor a CDATA section", start);
  }

  #comment(): void {
    const start = this.#at + 4;
    const end = this.#text.indexOf('--', start);
    if (end === -1) this.#fail('the comment is not closed', this.#at);
    if (this.#text.charCodeAt(end + 2) !== GREATER) this.#fail("'--' is not allowed inside a comment", end);
    this.#parent.appendChild(this.#document.createComment(this.#text.slice(start, end)));
    this.#at = end + 3;
  }

  #cdata(): void {
    if (this.#open.length === 0) this.#fail('a CDATA section outside the root element', this.#at);
    const start = this.#at + 9;
    const end = this.#text.indexOf(']]>', start);
    if (end === -1) this.#fail('the CDATA section is not closed', this.#at);
    this.#parent.appendChild(this.#document.createCDATASection(this.#text.slice(start, end)));
    this.#at = end + 3;
  }

  #processingInstruction(): void {
    const start = this.#at;
    this.#at += 2;
    const target = this.#ncName('a processing instruction needs a name');
    if (target.toLowerCase() === 'xml') {
      this.#fail('an XML declaration is only allowed at the very start of the document', start);
    }
    const end = this.#text.indexOf('?>', this.#at);
    if (end === -1) this.#fail('the processing instruction is not closed', start);
    const nameEnd = this.#at;
    this.#skipBlanks();
    if (this.#at === nameEnd && end !== nameEnd) this.#fail(`a blank is missing after '${target}'`, nameEnd);
    const data = this.#text.slice(Math.min(this.#at, end), end);
    this.#parent.appendChild(this.#document.createProcessingInstruction(target, data));
    this.#at = end + 2;
  }

  #endTag(): void {
    const start = this.#at;
    const open = this.#open.pop();
    if (!open) this.#fail('an end tag without a start tag', start);
    const afterName = start + 2 + open.name.length;
    if (this.#text.startsWith(open.name, start + 2) && this.#text.charCodeAt(afterName) === GREATER) {
      this.#at = afterName + 1;
    } else {
      this.#at = start + 2;
      this.#slowEndTag(open, start);
    }
    this.#scope = open.outerScope;
    this.#parent = this.#open.at(-1)?.node ?? this.#document;
  }

  #slowEndTag(open: OpenElement, start: number): void {
    const name = this.#qualifiedName('an end tag needs a name').name;
    if (name !== open.name) {
      const { line } = this.#locate(open.offset);
      this.#fail(`</${name}> does not close <${open.name}> of line ${line}`, start);
    }
    this.#skipBlanks();
    if (this.#text.charCodeAt(this.#at) !== GREATER) this.#fail(`'>' expected in </${name}`, this.#at);
    this.#at += 1;
  }

  #startTag(): void {
    const start = this.#at;
    if (this.#open.length === 0 && this.#document.documentElement) this.#fail('a second root element', start);
    if (this.#open.length >= this.#maxDepth) this.#fail(`elements are nested more than ${this.#maxDepth} deep`, start);
    this.#at += 1;
    const { name, prefix } = this.#qualifiedName("'<' must be written as '&lt;' or start a tag");
    const attributes = this.#attributes(name);
    const outerScope = this.#scope;
    if (attributes !== NO_ATTRIBUTES) this.#declareNamespaces(attributes);
    const element = this.#document.createElementNS(this.#namespaceOf(prefix, start) || null, name);
    this.#placeAt(element, start);
    if (attributes !== NO_ATTRIBUTES) {
      this.#count(attributes.length);
      this.#setAttributes(element, attributes);
    }
    this.#parent.appendChild(element);
    if (this.#text.charCodeAt(this.#at) === SLASH) {
      if (this.#text.charCodeAt(this.#at + 1) !== GREATER) this.#fail("'>' expected after '/'", this.#at + 1);
      this.#at += 2;
      this.#scope = outerScope;
      return;
    }
    this.#at += 1;
    this.#open.push({ node: element, name, offset: start, outerScope });
    this.#parent = element;
  }

  /** Reads up to the `>` or `/` that ends the tag. */
  #attributes(element: string): readonly WrittenAttribute[] {
    let attributes: WrittenAttribute[] | undefined;
    for (;;) {
      const before = this.#at;
      this.#skipBlanks();
      const code = this.#text.charCodeAt(this.#at);
      if (code === GREATER || code === SLASH) return attributes ?? NO_ATTRIBUTES;
      if (Number.isNaN(code)) this.#fail(`the start tag <${element} is not closed`, before);
      if (this.#at === before) this.#fail(`a blank, '>' or '/>' expected in <${element}`, before);
      attributes ??= [];
      if (attributes.length === this.#maxAttributes) {
        this.#fail(`<${element}> has more than ${this.#maxAttributes} attributes`, this.#at);
      }
      attributes.push(this.#attribute());
    }
  }

  #attribute(): WrittenAttribute {
    const offset = this.#at;
    const { name, prefix, localName } = this.#qualifiedName('the name of an attribute expected');
    this.#skipBlanks();
    if (this.#text.charCodeAt(this.#at) !== EQUALS) this.#fail(`attribute '${name}' has no value`, offset);
    this.#at += 1;
    this.#skipBlanks();
    const quote = this.#text.charCodeAt(this.#at);
    if (quote !== QUOTE && quote !== APOSTROPHE) this.#fail(`the value of '${name}' must stand in quotes`, this.#at);
    const start = this.#at + 1;
    const end = this.#text.indexOf(quote === QUOTE ? '"' : "'", start);
    if (end === -1) this.#fail(`the value of '${name}' is not closed`, this.#at);
    const written = this.#text.slice(start, end);
    const markup = written.indexOf('<');
    if (markup !== -1) this.#fail(`'<' must be written as '&lt;' in the value of '${name}'`, start + markup);
    this.#at = end + 1;
    return { name, prefix, localName, value: this.#dereferenced(written.replace(/[\t\n]/g, ' '), start), offset };
  }

  #declareNamespaces(attributes: readonly WrittenAttribute[]): void {
    let inner: Scope | undefined;
    for (const { name, prefix, localName, value, offset } of attributes) {
      if (name !== 'xmlns' && prefix !== 'xmlns') continue;
      const declared = prefix === '' ? '' : localName;
      this.#checkDeclaration(declared, value, offset);
      inner ??= Object.create(this.#scope) as Scope;
      inner[declared] = value;
    }
    if (inner) this.#scope = inner;
  }

  #checkDeclaration(prefix: string, namespace: string, offset: number): void {
    if (prefix === 'xmlns') this.#fail("the prefix 'xmlns' must not be declared", offset);
    if ((prefix === 'xml') !== (namespace === XML_NAMESPACE)) {
      this.#fail(`'xml' and '${XML_NAMESPACE}' only go together`, offset);
    }
    if (namespace === XMLNS_NAMESPACE) this.#fail(`'${XMLNS_NAMESPACE}' must not be declared`, offset);
    if (prefix !== '' && namespace === '') this.#fail(`the prefix '${prefix}' is bound to nothing`, offset);
  }

  #setAttributes(element: XmlElement, attributes: readonly WrittenAttribute[]): void {
    const names = attributes.length > 1 ? new Set<string>() : undefined;
    for (const { name, prefix, localName, value, offset } of attributes) {
      const namespace = this.#attributeNamespace(name, prefix, offset);
      // The expanded name decides: two prefixes of one namespace are the same attribute twice.
      const expanded = namespace ? `${localName} ${namespace}` : name;
      if (names?.has(expanded)) this.#fail(`attribute '${name}' is given twice`, offset);
      names?.add(expanded);
      const attribute = this.#document.createAttributeNS(namespace, name);
      attribute.value = value;
      attribute.nodeValue = value;
      this.#placeAt(attribute, offset);
      element.setAttributeNode(attribute);
    }
  }

  #attributeNamespace(name: string, prefix: string, offset: number): string | null {
    if (prefix === 'xmlns' || name === 'xmlns') return XMLNS_NAMESPACE;
    return prefix === '' ? null : this.#namespaceOf(prefix, offset);
  }

  #namespaceOf(prefix: string, offset: number): string {
    const namespace = this.#scope[prefix];
    if (namespace === undefined) return this.#fail(`the prefix '${prefix}' is not declared`, offset);
    return namespace;
  }

  #qualifiedName(missing: string): { name: string; prefix: string; localName: string } {
    const first = this.#ncName(missing);
    if (this.#text.charCodeAt(this.#at) !== COLON) return { name: first, prefix: '', localName: first };
    this.#at += 1;
    const second = this.#ncName(`a name expected after '${first}:'`);
    return { name: `${first}:${second}`, prefix: first, localName: second };
  }

  #ncName(missing: string): string {
    ASCII_NAME.lastIndex = this.#at;
    let match = ASCII_NAME.exec(this.#text);
    const end = this.#at + (match?.[0].length ?? 0);
    if (!match || this.#text.charCodeAt(end) > 0x7f) {
      NCNAME_HERE.lastIndex = this.#at;
      match = NCNAME_HERE.exec(this.#text);
    }
    if (!match) return this.#fail(missing, this.#at);
    this.#at += match[0].length;
    return match[0];
  }

  #skipBlanks(): void {
    let code = this.#text.charCodeAt(this.#at);
    while (code === SPACE || code === LINE_FEED || code === TAB) {
      this.#at += 1;
      code = this.#text.charCodeAt(this.#at);
    }
  }

  #placeAt(node: XmlElement | XmlAttribute, offset: number): void {
    while (this.#nextLineFeed !== -1 && this.#nextLineFeed < offset) {
      this.#line += 1;
      this.#lineStart = this.#nextLineFeed + 1;
      this.#nextLineFeed = this.#text.indexOf('\n', this.#lineStart);
    }
    node.lineNumber = this.#line;
    node.columnNumber = offset - this.#lineStart + 1;
  }

  #locate(offset: number): { line: number; column: number } {
    const before = this.#text.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    return { line: before.split('\n').length, column: offset - lineStart + 1 };
  }

  #failOnCharacter(offset: number): never {
    const code = this.#text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
    return this.#fail(`the character U+${code} is not allowed in XML`, offset);
  }

  #fail(message: string, offset: number): never {
    const { line, column } = this.#locate(offset);
    throw new XmlSyntaxError(message, line, column);
  }
}

const NO_ATTRIBUTES: readonly WrittenAttribute[] = [];
