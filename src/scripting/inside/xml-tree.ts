/*
 * Runs inside the sandbox: `../sandbox.ts` hands the text of the function to the engine. It must therefore be self-contained: types may
 * be imported, values may not.
 */

/** An element of a script's XML. */
export interface ScriptElement {
  readonly kind: 'element';
  parent: ScriptElement | undefined;
  prefix: string;
  local: string;
  uri: string;
  attributes: ScriptAttribute[];
  children: ScriptNode[];
}

export interface ScriptText {
  readonly kind: 'text';
  parent: ScriptElement | undefined;
  value: string;
}

export interface ScriptAttribute {
  readonly kind: 'attribute';
  parent: ScriptElement | undefined;
  prefix: string;
  local: string;
  uri: string;
  value: string;
}

export type ScriptNode = ScriptElement | ScriptText;

/** As the host writes a parsed document: text, or `[prefix, local, uri, [[prefix, local, uri, value]…], [children…]]`. */
export type WrittenNode =
  | string
  | readonly [
      prefix: string,
      local: string,
      uri: string,
      attributes: ReadonlyArray<readonly [string, string, string, string]>,
      children: readonly WrittenNode[],
    ];

export interface XmlTree {
  /** @throws when it is no well-formed document */
  parse(text: string, keepSpace: boolean): ScriptElement;
  build(written: WrittenNode, parent: ScriptElement | undefined): ScriptNode;
  write(node: ScriptNode | ScriptAttribute): string;
  /** The text of a node and everything in it. */
  text(node: ScriptNode | ScriptAttribute): string;
  copy<N extends ScriptNode | ScriptAttribute>(node: N, parent?: ScriptElement): N;
  element(local: string, uri: string, prefix: string): ScriptElement;
  remove(node: ScriptNode | ScriptAttribute): void;
  escapeText(text: string): string;
}

/** @param parseOutside reads a document outside of the sandbox */
export function xmlTree(parseOutside: (text: string, keepSpace: boolean) => WrittenNode): XmlTree {
  function escapeText(text: string): string {
    return text.replace(/[&<>]/g, (char) => (char === '&' ? '&amp;' : char === '<' ? '&lt;' : '&gt;'));
  }

  function escapeAttribute(text: string): string {
    return escapeText(text).replace(/["\t\n\r]/g, (char) => (char === '"' ? '&quot;' : `&#${char.charCodeAt(0)};`));
  }

  function build(written: WrittenNode, parent: ScriptElement | undefined): ScriptNode {
    if (typeof written === 'string') return { kind: 'text', parent, value: written };
    const [prefix, local, uri, attributes, children] = written;
    const node = element(local, uri, prefix);
    node.parent = parent;
    node.attributes = attributes.map(([prefix, local, uri, value]) => ({
      kind: 'attribute',
      parent: node,
      prefix,
      local,
      uri,
      value,
    }));
    node.children = children.map((child) => build(child, node));
    return node;
  }

  function element(local: string, uri: string, prefix: string): ScriptElement {
    return { kind: 'element', parent: undefined, prefix, local, uri, attributes: [], children: [] };
  }

  /** Names that need it are declared where they occur first. */
  function writeElement(node: ScriptElement, scope: Readonly<Record<string, string>>): string {
    const inner: Record<string, string> = { ...scope };
    let declared = '';
    const declare = (prefix: string, uri: string) => {
      if ((inner[prefix] ?? '') === uri || prefix === 'xml') return;
      inner[prefix] = uri;
      declared += ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(uri)}"`;
    };
    declare(node.prefix, node.uri);
    let attributes = '';
    for (const { prefix, local, uri, value } of node.attributes) {
      if (prefix !== '') declare(prefix, uri);
      attributes += ` ${prefix === '' ? '' : `${prefix}:`}${local}="${escapeAttribute(value)}"`;
    }
    const name = node.prefix === '' ? node.local : `${node.prefix}:${node.local}`;
    if (node.children.length === 0) return `<${name}${declared}${attributes}/>`;
    let content = '';
    for (const child of node.children) {
      content += child.kind === 'text' ? escapeText(child.value) : writeElement(child, inner);
    }
    return `<${name}${declared}${attributes}>${content}</${name}>`;
  }

  function text(node: ScriptNode | ScriptAttribute): string {
    if (node.kind !== 'element') return node.value;
    let found = '';
    for (const child of node.children) found += text(child);
    return found;
  }

  function copy<N extends ScriptNode | ScriptAttribute>(node: N, parent?: ScriptElement): N {
    if (node.kind !== 'element') return { ...node, parent };
    const made: ScriptElement = { ...node, parent, attributes: [], children: [] };
    made.attributes = node.attributes.map((attribute) => ({ ...attribute, parent: made }));
    made.children = node.children.map((child) => copy(child, made));
    return made as N;
  }

  return {
    parse: (written, keepSpace) => build(parseOutside(written, keepSpace), undefined) as ScriptElement,
    build,
    write(node) {
      if (node.kind === 'element') return writeElement(node, {});
      return node.kind === 'text' ? escapeText(node.value) : node.value;
    },
    text,
    copy,
    element,
    remove(node) {
      const { parent } = node;
      if (!parent) return;
      if (node.kind === 'attribute') parent.attributes = parent.attributes.filter((other) => other !== node);
      else parent.children = parent.children.filter((other) => other !== node);
      node.parent = undefined;
    },
    escapeText,
  };
}
