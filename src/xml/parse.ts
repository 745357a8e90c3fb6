import { decodeXml } from './decode.ts';
import { maxXmlNodes } from './limits.ts';
import { indexOfIllegalCharacter } from './names.ts';
import { NODE_TYPES } from './node-types.ts';
import { Places } from './places.ts';
import { dereferenced } from './references.ts';
import { StartTags } from './start-tags.ts';
import { XmlSyntaxError } from './syntax-error.ts';
import { XmlCharacterData, XmlDocument, type XmlElement, type XmlParent, XmlProcessingInstruction } from './tree.ts';
import { append } from './tree-edits.ts';

export interface ParseOptions {
  /** Elements inside each other; 256 unless told (OP-91). */
  readonly maxDepth?: number;
  /** Attributes of one element, namespace declarations included; 1,024 unless told (OP-91). */
  readonly maxAttributes?: number;
  /** Elements, attributes, texts and the like in all; 2,000,000 unless told or configured (OP-91). */
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
 * Elements and attributes know their line and column (from 1).
 * @throws XmlSyntaxError
 */
export function parseXml(source: string | Uint8Array, options: ParseOptions = {}): XmlDocument {
  const text = typeof source === 'string' ? source : decodeXml(source, options.charset);
  return new XmlReader(text, options).read();
}

const XML_DECLARATION =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.\d+"|'1\.\d+')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"[A-Za-z][\w.-]*"|'[A-Za-z][\w.-]*'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>/;

const BANG = 0x21;
const SLASH = 0x2f;
const LESS = 0x3c;
const GREATER = 0x3e;
const QUESTION = 0x3f;

/** Reads one document from left to right; `#at` is the offset of what is read next. */
class XmlReader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #maxNodes: number;
  readonly #places: Places;
  readonly #tags: StartTags;
  readonly #document = new XmlDocument();
  /** What is read next becomes a child of it. */
  #parent: XmlParent = this.#document;
  #root: XmlElement | undefined;
  #depth = 0;
  #nodes = 0;
  #at = 0;
  /** The first `&` and `]]>` at or after the last text that was asked about; most documents have none. */
  #nextAmpersand = -1;
  #nextSectionEnd = -1;

  constructor(text: string, options: ParseOptions) {
    const unmarked = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    this.#text = unmarked.includes('\r') ? unmarked.replace(/\r\n?/g, '\n') : unmarked;
    this.#maxDepth = options.maxDepth ?? MAX_DEPTH;
    this.#maxNodes = options.maxNodes ?? maxXmlNodes();
    this.#places = new Places(this.#text);
    this.#tags = new StartTags(this.#text, this.#document, this.#places, options.maxAttributes ?? MAX_ATTRIBUTES);
  }

  read(): XmlDocument {
    const illegal = indexOfIllegalCharacter(this.#text);
    if (illegal !== -1) this.#failOnCharacter(illegal);
    this.#skipDeclaration();
    const { length } = this.#text;
    while (this.#at < length) {
      if (this.#text.charCodeAt(this.#at) === LESS) this.#markup();
      else this.#characters();
    }
    if (this.#parent !== this.#document) {
      const { nodeName, lineNumber, columnNumber } = this.#parent as XmlElement;
      throw new XmlSyntaxError(`element <${nodeName}> is not closed`, lineNumber, columnNumber);
    }
    if (!this.#root) this.#fail('the document has no root element', length);
    return this.#document;
  }

  #count(nodes: number): void {
    this.#nodes += nodes;
    if (this.#nodes > this.#maxNodes)
      throw this.#places.limitError(`the document has more than ${this.#maxNodes} nodes`, this.#at);
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
    if (this.#depth === 0) {
      this.#outsideRoot(written, start);
      return;
    }
    if (this.#nextSectionEnd < start) this.#nextSectionEnd = this.#find(']]>', start);
    if (this.#nextSectionEnd < end) this.#fail("']]>' must be written as ']]&gt;' in text", this.#nextSectionEnd);
    if (this.#nextAmpersand < start) this.#nextAmpersand = this.#find('&', start);
    this.#append(NODE_TYPES.text, this.#nextAmpersand < end ? this.#dereferenced(written, start) : written);
  }

  #outsideRoot(written: string, start: number): void {
    const stray = written.search(/[^ \t\n]/);
    if (stray !== -1) this.#fail(`text ${this.#root ? 'after' : 'before'} the root element`, start + stray);
  }

  #find(what: string, from: number): number {
    const found = this.#text.indexOf(what, from);
    return found === -1 ? Number.MAX_SAFE_INTEGER : found;
  }

  #dereferenced(written: string, start: number): string {
    return dereferenced(written, (problem, offset) => this.#fail(problem, start + offset));
  }

  #append(nodeType: number, data: string): void {
    append(this.#parent, new XmlCharacterData(nodeType, data, this.#document));
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
    this.#append(NODE_TYPES.comment, this.#text.slice(start, end));
    this.#at = end + 3;
  }

  #cdata(): void {
    if (this.#depth === 0) this.#fail('a CDATA section outside the root element', this.#at);
    const start = this.#at + 9;
    const end = this.#text.indexOf(']]>', start);
    if (end === -1) this.#fail('the CDATA section is not closed', this.#at);
    this.#append(NODE_TYPES.cdata, this.#text.slice(start, end));
    this.#at = end + 3;
  }

  #processingInstruction(): void {
    const start = this.#at;
    const target = this.#tags.simpleName(start + 2, 'a processing instruction needs a name');
    if (target.toLowerCase() === 'xml') {
      this.#fail('an XML declaration is only allowed at the very start of the document', start);
    }
    const nameEnd = start + 2 + target.length;
    const end = this.#text.indexOf('?>', nameEnd);
    if (end === -1) this.#fail('the processing instruction is not closed', start);
    const dataStart = this.#tags.afterBlanks(nameEnd);
    if (dataStart === nameEnd && end !== nameEnd) this.#fail(`a blank is missing after '${target}'`, nameEnd);
    const data = this.#text.slice(Math.min(dataStart, end), end);
    append(this.#parent, new XmlProcessingInstruction(target, data, this.#document));
    this.#at = end + 2;
  }

  #endTag(): void {
    const start = this.#at;
    if (this.#depth === 0) this.#fail('an end tag without a start tag', start);
    const open = this.#parent as XmlElement;
    const { nodeName } = open;
    const afterName = start + 2 + nodeName.length;
    if (this.#text.startsWith(nodeName, start + 2) && this.#text.charCodeAt(afterName) === GREATER) {
      this.#at = afterName + 1;
    } else {
      this.#slowEndTag(open, start);
    }
    this.#tags.leave(open);
    this.#depth -= 1;
    this.#parent = open.parentNode as XmlParent;
  }

  #slowEndTag({ nodeName, lineNumber }: XmlElement, start: number): void {
    const { nodeName: name } = this.#tags.name(start + 2, 'an end tag needs a name');
    if (name !== nodeName) this.#fail(`</${name}> does not close <${nodeName}> of line ${lineNumber}`, start);
    const end = this.#tags.afterBlanks(start + 2 + name.length);
    if (this.#text.charCodeAt(end) !== GREATER) this.#fail(`'>' expected in </${name}`, end);
    this.#at = end + 1;
  }

  #startTag(): void {
    const start = this.#at;
    if (this.#depth === 0 && this.#root) this.#fail('a second root element', start);
    if (this.#depth >= this.#maxDepth)
      throw this.#places.limitError(`elements are nested more than ${this.#maxDepth} deep`, start);
    const element = this.#tags.read(start);
    const end = this.#tags.end;
    if (element.attributes.length > 0) this.#count(element.attributes.length);
    append(this.#parent, element);
    this.#root ??= element;
    if (this.#text.charCodeAt(end) === SLASH) {
      if (this.#text.charCodeAt(end + 1) !== GREATER) this.#fail("'>' expected after '/'", end + 1);
      this.#at = end + 2;
      this.#tags.leave(element);
      return;
    }
    this.#at = end + 1;
    this.#depth += 1;
    this.#parent = element;
  }

  #failOnCharacter(offset: number): never {
    const code = this.#text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
    return this.#fail(`the character U+${code} is not allowed in XML`, offset);
  }

  #fail(message: string, offset: number): never {
    throw this.#places.error(message, offset);
  }
}
