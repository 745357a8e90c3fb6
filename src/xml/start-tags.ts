import { NCNAME_HERE } from './names.ts';
import type { Places } from './places.ts';
import { dereferenced } from './references.ts';
import { addAttribute, XmlAttribute, type XmlDocument, XmlElement } from './tree.ts';
import { type QualifiedName, XML_NAMESPACE, XMLNS_NAMESPACE } from './tree-names.ts';
import { attributeName, type Binding, elementName, type WrittenName, WrittenNames } from './written-names.ts';

interface WrittenAttribute {
  readonly name: WrittenName;
  readonly value: string;
  readonly offset: number;
}

/** A prefix got another meaning inside an element. */
interface Declaration {
  readonly element: XmlElement;
  readonly binding: Binding;
  readonly outer: string | undefined;
}

const ASCII_NAME = /[A-Za-z_][A-Za-z0-9_.-]*/y;
const NO_ATTRIBUTES: readonly WrittenAttribute[] = [];
/** Fewer names are compared with each other. */
const FEW = 8;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const AMPERSAND = 0x26;
const APOSTROPHE = 0x27;
const SLASH = 0x2f;
const COLON = 0x3a;
const LESS = 0x3c;
const EQUALS = 0x3d;
const GREATER = 0x3e;

/** Reads start tags, and knows what prefixes stand for at the place that was read last. */
export class StartTags {
  /** Of the tag that was read last: the offset of the `>` or `/` that ends it. */
  end = 0;
  readonly #text: string;
  readonly #document: XmlDocument;
  readonly #places: Places;
  readonly #maxAttributes: number;
  readonly #names: WrittenNames;
  /** Those of the elements that are open, outer ones first. */
  readonly #declarations: Declaration[] = [];

  constructor(text: string, document: XmlDocument, places: Places, maxAttributes: number) {
    this.#text = text;
    this.#document = document;
    this.#places = places;
    this.#maxAttributes = maxAttributes;
    this.#names = new WrittenNames(text);
  }

  /** The element whose tag starts at an offset, with its attributes, standing nowhere yet. @throws XmlSyntaxError */
  read(start: number): XmlElement {
    const name = this.name(start + 1, "'<' must be written as '&lt;' or start a tag");
    this.end = start + 1 + name.nodeName.length;
    const code = this.#text.charCodeAt(this.end);
    const written = code === GREATER || code === SLASH ? NO_ATTRIBUTES : this.#attributes(name.nodeName);
    if (written.length === 0) return this.#element(name, start);
    const declared = this.#declared(written);
    const element = this.#element(name, start);
    for (const { binding, outer } of declared) this.#declarations.push({ element, binding, outer });
    this.#setAttributes(element, written);
    return element;
  }

  /** What an element declared is forgotten: it is closed. */
  leave(element: XmlElement): void {
    for (let last = this.#declarations.at(-1); last?.element === element; last = this.#declarations.at(-1)) {
      last.binding.namespace = last.outer;
      this.#declarations.pop();
    }
  }

  /** The name at an offset. @throws XmlSyntaxError with `missing` when there is none */
  name(offset: number, missing: string): WrittenName {
    return this.#names.at(offset) ?? this.#slowName(offset, missing);
  }

  #slowName(offset: number, missing: string): WrittenName {
    const first = this.simpleName(offset, missing);
    const colon = offset + first.length;
    if (this.#text.charCodeAt(colon) !== COLON) return this.#names.of(first);
    return this.#names.of(`${first}:${this.simpleName(colon + 1, `a name expected after '${first}:'`)}`);
  }

  /** A name without colon. @throws XmlSyntaxError */
  simpleName(offset: number, missing: string): string {
    ASCII_NAME.lastIndex = offset;
    let match = ASCII_NAME.exec(this.#text);
    const end = offset + (match?.[0].length ?? 0);
    if (!match || this.#text.charCodeAt(end) > 0x7f) {
      NCNAME_HERE.lastIndex = offset;
      match = NCNAME_HERE.exec(this.#text);
    }
    return match ? match[0] : this.#fail(missing, offset);
  }

  /** The offset of what is no blank. */
  afterBlanks(offset: number): number {
    let at = offset;
    let code = this.#text.charCodeAt(at);
    while (code === SPACE || code === LINE_FEED || code === TAB) {
      at += 1;
      code = this.#text.charCodeAt(at);
    }
    return at;
  }

  #element(name: WrittenName, start: number): XmlElement {
    const { namespace } = name.binding;
    if (namespace === undefined) return this.#fail(`the prefix '${name.prefix}' is not declared`, start);
    const element = new XmlElement(elementName(name, namespace), this.#document);
    this.#places.moveTo(start);
    element.lineNumber = this.#places.line;
    element.columnNumber = this.#places.column;
    return element;
  }

  /** Reads up to the `>` or `/` that ends the tag. */
  #attributes(element: string): readonly WrittenAttribute[] {
    const attributes: WrittenAttribute[] = [];
    for (;;) {
      const before = this.end;
      const at = this.afterBlanks(before);
      this.end = at;
      const code = this.#text.charCodeAt(at);
      if (code === GREATER || code === SLASH) return attributes;
      if (Number.isNaN(code)) this.#fail(`the start tag <${element} is not closed`, before);
      if (at === before) this.#fail(`a blank, '>' or '/>' expected in <${element}`, before);
      if (attributes.length === this.#maxAttributes) {
        throw this.#places.limitError(`<${element}> has more than ${this.#maxAttributes} attributes`, at);
      }
      attributes.push(this.#attribute(at));
    }
  }

  #attribute(offset: number): WrittenAttribute {
    const name = this.name(offset, 'the name of an attribute expected');
    const { nodeName } = name;
    let at = this.afterBlanks(offset + nodeName.length);
    if (this.#text.charCodeAt(at) !== EQUALS) this.#fail(`attribute '${nodeName}' has no value`, offset);
    at = this.afterBlanks(at + 1);
    const quote = this.#text.charCodeAt(at);
    if (quote !== QUOTE && quote !== APOSTROPHE) this.#fail(`the value of '${nodeName}' must stand in quotes`, at);
    return { name, value: this.#value(nodeName, at, quote), offset };
  }

  /** What stands between quotes. */
  #value(name: string, opening: number, quote: number): string {
    const start = opening + 1;
    let at = start;
    let plain = true;
    for (let code = this.#text.charCodeAt(at); code !== quote; code = this.#text.charCodeAt(at)) {
      if (code === LESS || Number.isNaN(code)) this.#failInValue(name, opening, quote);
      if (code === AMPERSAND || code === TAB || code === LINE_FEED) plain = false;
      at += 1;
    }
    this.end = at + 1;
    const written = this.#text.slice(start, at);
    if (plain) return written;
    const blanked = written.replace(/[\t\n]/g, ' ');
    return dereferenced(blanked, (problem, offset) => this.#fail(problem, start + offset));
  }

  #failInValue(name: string, opening: number, quote: number): never {
    const end = this.#text.indexOf(String.fromCharCode(quote), opening + 1);
    if (end === -1) return this.#fail(`the value of '${name}' is not closed`, opening);
    const less = this.#text.indexOf('<', opening);
    return this.#fail(`'<' must be written as '&lt;' in the value of '${name}'`, less);
  }

  /** Gives prefixes their new meanings, and tells what they meant outside. */
  #declared(attributes: readonly WrittenAttribute[]): ReadonlyArray<Omit<Declaration, 'element'>> {
    let declared: Array<Omit<Declaration, 'element'>> | undefined;
    for (const { name, value, offset } of attributes) {
      if (name.nodeName !== 'xmlns' && name.prefix !== 'xmlns') continue;
      const prefix = name.prefix === '' ? '' : name.localName;
      this.#checkDeclaration(prefix, value, offset);
      const binding = this.#names.binding(prefix);
      declared ??= [];
      // The innermost meaning is undone first.
      declared.push({ binding, outer: binding.namespace });
      binding.namespace = value;
    }
    return declared ?? [];
  }

  #checkDeclaration(prefix: string, namespace: string, offset: number): void {
    if (prefix === 'xmlns') this.#fail("the prefix 'xmlns' must not be declared", offset);
    if ((prefix === 'xml') !== (namespace === XML_NAMESPACE)) {
      this.#fail(`'xml' and '${XML_NAMESPACE}' only go together`, offset);
    }
    if (namespace === XMLNS_NAMESPACE) this.#fail(`'${XMLNS_NAMESPACE}' must not be declared`, offset);
    if (prefix !== '' && namespace === '') this.#fail(`the prefix '${prefix}' is bound to nothing`, offset);
  }

  #setAttributes(element: XmlElement, written: readonly WrittenAttribute[]): void {
    const names = written.length > FEW ? new Set<string>() : undefined;
    for (const { name, value, offset } of written) {
      const qualified = attributeName(name, this.#namespaceOf(name, offset));
      // The expanded name decides: two prefixes of one namespace are the same attribute twice.
      if (names ? isRepeated(names, qualified) : hasAttribute(element, qualified)) {
        this.#fail(`attribute '${name.nodeName}' is given twice`, offset);
      }
      const attribute = new XmlAttribute(qualified, value);
      this.#places.moveTo(offset);
      attribute.lineNumber = this.#places.line;
      attribute.columnNumber = this.#places.column;
      addAttribute(element, attribute);
    }
  }

  #namespaceOf({ nodeName, prefix, binding }: WrittenName, offset: number): string | null {
    if (prefix === 'xmlns' || nodeName === 'xmlns') return XMLNS_NAMESPACE;
    if (prefix === '') return null;
    return binding.namespace ?? this.#fail(`the prefix '${prefix}' is not declared`, offset);
  }

  #fail(message: string, offset: number): never {
    throw this.#places.error(message, offset);
  }
}

function hasAttribute({ attributes }: XmlElement, { localName, namespaceURI }: QualifiedName): boolean {
  for (let index = 0; index < attributes.length; index += 1) {
    const other = attributes[index] as XmlAttribute;
    if (other.localName === localName && other.namespaceURI === namespaceURI) return true;
  }
  return false;
}

function isRepeated(names: Set<string>, { localName, namespaceURI }: QualifiedName): boolean {
  const before = names.size;
  return names.add(`${localName} ${namespaceURI ?? ''}`).size === before;
}
