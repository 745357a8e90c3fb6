import type { XmlElement, XmlNode } from '../xml/index.ts';
import type { ArtifactSource, Position } from './diagnostic.ts';

/** The namespace of every Synapse configuration element. */
export const SYNAPSE_NAMESPACE = 'http://ws.apache.org/ns/synapse';

const ELEMENT_NODE = 1;
const TEXT_NODE = 3;
const CDATA_NODE = 4;
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
const NO_PREFIXES: Readonly<Record<string, string>> = Object.freeze({});

/**
 * An element of an artifact file that knows where it stands. Everything that reads configuration goes through this class, so
 * that every diagnostic can name file, line and column.
 */
export class ConfigElement {
  readonly node: XmlElement;
  readonly source: ArtifactSource;
  readonly parent: ConfigElement | undefined;
  #children: ConfigElement[] | undefined;
  #prefixes: Readonly<Record<string, string>> | undefined;

  constructor(node: XmlElement, source: ArtifactSource, parent?: ConfigElement) {
    this.node = node;
    this.source = source;
    this.parent = parent;
  }

  /** Local name. */
  get name(): string {
    return this.node.localName ?? this.node.nodeName;
  }

  get namespace(): string {
    return this.node.namespaceURI ?? '';
  }

  get position(): Position {
    return positionOf(this.node, this.source.file);
  }

  /** Element children, in document order. */
  get children(): readonly ConfigElement[] {
    if (this.#children === undefined) {
      const found: ConfigElement[] = [];
      for (let node: XmlNode | null = this.node.firstChild; node; node = node.nextSibling) {
        if (node.nodeType === ELEMENT_NODE) found.push(new ConfigElement(node as XmlElement, this.source, this));
      }
      this.#children = found;
    }
    return this.#children;
  }

  /** The first child element of that local name in this element's own namespace. */
  child(name: string): ConfigElement | undefined {
    return this.children.find((child) => child.name === name && child.namespace === this.namespace);
  }

  childrenNamed(name: string): ConfigElement[] {
    return this.children.filter((child) => child.name === name && child.namespace === this.namespace);
  }

  /** The text directly inside this element, untrimmed. */
  get text(): string {
    let text = '';
    for (let node: XmlNode | null = this.node.firstChild; node; node = node.nextSibling) {
      if (node.nodeType === TEXT_NODE || node.nodeType === CDATA_NODE) text += node.nodeValue ?? '';
    }
    return text;
  }

  /** An attribute in no namespace, exactly as written, or undefined. */
  attribute(name: string): string | undefined {
    return this.node.hasAttribute(name) ? (this.node.getAttribute(name) ?? undefined) : undefined;
  }

  /** The names of all attributes in no namespace. */
  attributeNames(): string[] {
    const names: string[] = [];
    for (const attribute of this.node.attributes) {
      if (attribute.namespaceURI === null || attribute.namespaceURI === '') names.push(attribute.nodeName);
    }
    return names;
  }

  /** Where an attribute stands; where the element stands when it has no such attribute. */
  attributePosition(name: string): Position {
    const attribute = this.node.getAttributeNode(name);
    return attribute ? positionOf(attribute, this.source.file) : this.position;
  }

  /** The prefixed namespace declarations in scope here; an inner declaration hides an outer one (MREQ-17). */
  prefixes(): Readonly<Record<string, string>> {
    this.#prefixes ??= this.#prefixesHere(this.parent?.prefixes() ?? NO_PREFIXES);
    return this.#prefixes;
  }

  /** The same object as around this element where it declares none, since every expression keeps its own. */
  #prefixesHere(around: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const declared = this.node.attributes.filter(
      ({ namespaceURI, prefix }) => namespaceURI === XMLNS_NAMESPACE && prefix === 'xmlns',
    );
    if (declared.length === 0) return around;
    const found = { ...around };
    for (const { localName, value } of declared) found[localName ?? ''] = value;
    return Object.freeze(found);
  }

  /** The way from the artifact's root element to here, for example `proxy[P]/target/inSequence/log[2]`. */
  get path(): string {
    if (!this.parent) return this.#artifactPath;
    if (this.parent.name === 'definitions') return `${this.parent.path}/${this.#artifactPath}`;
    const twins = this.parent.childrenNamed(this.name);
    const index = twins.findIndex((twin) => twin.node === this.node);
    return `${this.parent.path}/${this.name}${twins.length > 1 ? `[${index + 1}]` : ''}`;
  }

  /** An artifact goes by its name. */
  get #artifactPath(): string {
    const name = this.attribute('name') ?? this.attribute('key');
    return name ? `${this.name}[${name}]` : this.name;
  }
}

function positionOf(node: { lineNumber?: number; columnNumber?: number }, file: string): Position {
  return { file, line: node.lineNumber ?? 1, column: node.columnNumber ?? 1 };
}
