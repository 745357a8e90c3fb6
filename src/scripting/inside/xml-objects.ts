/*
 * Runs inside the sandbox, see `xml-tree.ts`: self-contained. The XML objects of E4X, as far as scripts use them: lists of nodes whose
 * properties are children and attributes, and whose methods work on them (ECMA-357; spec mediators 3.17 [I]).
 *
 * `x.name` may be a child or a method. What is given back is both: called it is the method, used otherwise it is the children.
 */

import type { ScriptAttribute, ScriptElement, ScriptNode, XmlTree } from './xml-tree.ts';

type Node = ScriptNode | ScriptAttribute;
type Nodes = readonly Node[];
type Method = (nodes: Nodes, self: unknown, args: unknown[]) => unknown;

export interface XmlObjects {
  /** What translated scripts call. */
  readonly e4x: {
    xml(parts: readonly string[], kinds: string, values: readonly unknown[]): unknown;
    name(namespace: unknown, local: string, mark?: string): string;
    each(list: unknown): unknown[];
  };
  wrap(nodes: Nodes): unknown;
  /** The nodes of an XML object; undefined for anything else. */
  unwrap(value: unknown): Nodes | undefined;
  readonly XML: (value?: unknown) => unknown;
}

export function xmlObjects(tree: XmlTree): XmlObjects {
  const known = new WeakMap<object, Nodes>();

  const unwrap = (value: unknown): Nodes | undefined =>
    (typeof value === 'object' || typeof value === 'function') && value !== null ? known.get(value) : undefined;

  const isElement = (node: Node): node is ScriptElement => node.kind === 'element';

  /** Names are `name`, `*`, `{namespace}name`, `*::name`, each also with `@` before it. */
  function matcher(key: string): (node: { local: string; uri: string }) => boolean {
    const name = key.startsWith('@') ? key.slice(1) : key;
    if (name === '*') return () => true;
    if (name.startsWith('*::')) return ({ local }) => local === name.slice(3);
    if (!name.startsWith('{')) return ({ local, uri }) => local === name && uri === '';
    const end = name.lastIndexOf('}');
    const wanted = name.slice(end + 1);
    return ({ local, uri }) => uri === name.slice(1, end) && (wanted === '*' || local === wanted);
  }

  function select(nodes: Nodes, key: string): Node[] {
    const matches = matcher(key);
    const found: Node[] = [];
    for (const node of nodes) {
      if (!isElement(node)) continue;
      if (key.startsWith('@')) found.push(...node.attributes.filter(matches));
      else found.push(...node.children.filter((child) => (isElement(child) ? matches(child) : key === '*')));
    }
    return found;
  }

  function descendants(nodes: Nodes, key: string): Node[] {
    const matches = matcher(key);
    const found: Node[] = [];
    const visit = (node: ScriptElement) => {
      if (key.startsWith('@')) found.push(...node.attributes.filter(matches));
      for (const child of node.children) {
        if (!isElement(child)) {
          if (key === '*') found.push(child);
          continue;
        }
        if (!key.startsWith('@') && matches(child)) found.push(child);
        visit(child);
      }
    };
    for (const node of nodes) if (isElement(node)) visit(node);
    return found;
  }

  function isSimple(nodes: Nodes): boolean {
    const [first] = nodes;
    if (nodes.length === 1 && first) return !isElement(first) || !first.children.some(isElement);
    return !nodes.some(isElement);
  }

  const markup = (nodes: Nodes): string => nodes.map((node) => tree.write(node)).join('\n');
  const textOf = (nodes: Nodes): string => (isSimple(nodes) ? nodes.map(tree.text).join('') : markup(nodes));

  /** Copies of what may be put into an element: XML, or the text of anything else. */
  function content(value: unknown): ScriptNode[] {
    const nodes = unwrap(value);
    if (!nodes) return value === undefined || value === null ? [] : [textNode(String(value))];
    return nodes.map((node) => (node.kind === 'attribute' ? textNode(node.value) : tree.copy(node)));
  }

  function textNode(value: string): ScriptNode {
    return { kind: 'text', parent: undefined, value };
  }

  function insert(parent: ScriptElement, at: number, added: ScriptNode[]): void {
    for (const node of added) node.parent = parent;
    parent.children.splice(at, 0, ...added);
  }

  function one(nodes: Nodes, method: string): ScriptElement {
    const [node] = nodes;
    if (nodes.length === 1 && node && isElement(node)) return node;
    throw new TypeError(`${method}() needs exactly one element, this list has ${nodes.length}`);
  }

  const keyOf = (name: unknown, mark = ''): string => {
    const text = name === undefined ? '*' : String(name);
    return mark !== '' && !text.startsWith(mark) ? mark + text : text;
  };

  const prefixed = (node: Node | undefined): string =>
    !node || node.kind === 'text' ? '' : node.prefix === '' ? node.local : `${node.prefix}:${node.local}`;

  const methods: Record<string, Method> = {
    toString: (nodes: Nodes) => textOf(nodes),
    toXMLString: (nodes) => markup(nodes),
    toJSON: (nodes) => textOf(nodes),
    valueOf: (_: Nodes, self: unknown) => self,
    length: (nodes) => nodes.length,
    text: (nodes) => wrap(nodes.flatMap((node) => (isElement(node) ? node.children : [])).filter((n) => !isElement(n))),
    child: (nodes, _, [name]) =>
      wrap(typeof name === 'number' ? nodes.slice(name, name + 1) : select(nodes, keyOf(name))),
    children: (nodes) => wrap(select(nodes, '*')),
    elements: (nodes, _, [name]) => wrap(select(nodes, keyOf(name)).filter(isElement)),
    descendants: (nodes, _, [name]) => wrap(descendants(nodes, keyOf(name))),
    attribute: (nodes, _, [name]) => wrap(select(nodes, keyOf(name, '@'))),
    attributes: (nodes) => wrap(select(nodes, '@*')),
    parent: ([node]) => (node?.parent ? wrap([node.parent]) : undefined),
    name: ([node]) => prefixed(node),
    localName: ([node]) => (node && node.kind !== 'text' ? node.local : ''),
    namespace: ([node]) => (node && node.kind !== 'text' ? node.uri : ''),
    nodeKind: ([node]) => node?.kind ?? 'text',
    hasSimpleContent: (nodes) => isSimple(nodes),
    hasComplexContent: (nodes) => !isSimple(nodes),
    childIndex: ([node]) => (node?.parent && node.kind !== 'attribute' ? node.parent.children.indexOf(node) : -1),
    copy: (nodes) => wrap(nodes.map((node) => tree.copy(node))),
    normalize: (_, self) => self,
    setName: (nodes, self, [name]) => {
      const node = one(nodes, 'setName');
      const [prefix = '', local] = String(name).includes(':') ? String(name).split(':') : ['', String(name)];
      node.prefix = prefix;
      node.local = local ?? '';
      return self;
    },
    appendChild: (nodes, self, [value]) => {
      const node = one(nodes, 'appendChild');
      insert(node, node.children.length, content(value));
      return self;
    },
    prependChild: (nodes, self, [value]) => {
      insert(one(nodes, 'prependChild'), 0, content(value));
      return self;
    },
    setChildren: (nodes, self, [value]) => {
      const node = one(nodes, 'setChildren');
      node.children = [];
      insert(node, 0, content(value));
      return self;
    },
    replace: (nodes, self, [name, value]) => {
      const node = one(nodes, 'replace');
      const [first, ...more] = select([node], keyOf(name)) as ScriptNode[];
      for (const other of more) tree.remove(other);
      if (first) {
        insert(node, node.children.indexOf(first), content(value));
        tree.remove(first);
      }
      return self;
    },
  };

  /** Sets the content of a child or an attribute, which is made if there is none. */
  function assign(nodes: Nodes, key: string, value: unknown): void {
    if (/^\d+$/.test(key)) {
      const node = nodes[Number(key)];
      if (node) replaceNode(node, value);
      return;
    }
    const owner = one(nodes, `the assignment to '${key}'`);
    const [present, ...more] = select([owner], key);
    for (const other of more) tree.remove(other);
    if (present) {
      replaceNode(present, value);
      return;
    }
    const name = key.replace(/^@/, '');
    const end = name.lastIndexOf('}');
    const local = name.slice(end + 1).replace(/^\*::/, '');
    const uri = end < 0 ? '' : name.slice(1, end);
    if (key.startsWith('@')) {
      owner.attributes.push({
        kind: 'attribute',
        parent: owner,
        prefix: uri === '' ? '' : 'ns',
        local,
        uri,
        value: String(value),
      });
      return;
    }
    const made = tree.element(local, uri, uri === owner.uri ? owner.prefix : '');
    insert(owner, owner.children.length, [made]);
    replaceNode(made, value);
  }

  function replaceNode(node: Node, value: unknown): void {
    const xml = unwrap(value);
    if (node.kind !== 'element') {
      node.value = xml ? textOf(xml) : String(value);
      return;
    }
    if (xml?.some(isElement) && node.parent) {
      const { parent } = node;
      insert(parent, parent.children.indexOf(node), content(value));
      tree.remove(node);
      return;
    }
    node.children = [];
    insert(node, 0, content(value));
  }

  /** @param call what happens when the list, which may be a method's name, is called */
  function wrap(nodes: Nodes, call?: (args: unknown[]) => unknown): unknown {
    const self: object = new Proxy(() => undefined, {
      apply(_, __, args) {
        if (call) return call(args);
        throw new TypeError('XML is not a function');
      },
      get(_, key) {
        if (key === Symbol.toPrimitive) return () => textOf(nodes);
        if (key === Symbol.iterator) return () => nodes.map((node) => wrap([node]))[Symbol.iterator]();
        if (typeof key === 'symbol' || key === 'prototype' || key === 'constructor' || key === 'then') return undefined;
        if (/^\d+$/.test(key)) return nodes[Number(key)] && wrap([nodes[Number(key)] as Node]);
        const method = methods[key];
        return wrap(select(nodes, key), (args) => {
          if (method) return method(nodes, self, args);
          throw new TypeError(`XML has no method ${key}()`);
        });
      },
      set(_, key, value) {
        if (typeof key === 'symbol') return false;
        assign(nodes, key, value);
        return true;
      },
      has: (_, key) =>
        typeof key === 'string' && (/^\d+$/.test(key) ? Number(key) < nodes.length : select(nodes, key).length > 0),
      deleteProperty(_, key) {
        if (typeof key === 'symbol') return true;
        const gone = /^\d+$/.test(key) ? nodes.slice(Number(key), Number(key) + 1) : select(nodes, key);
        for (const node of gone) tree.remove(node);
        return true;
      },
      ownKeys: () => nodes.map((_, index) => String(index)),
      getOwnPropertyDescriptor: (_, key) =>
        typeof key === 'string' && /^\d+$/.test(key) && Number(key) < nodes.length
          ? { value: wrap([nodes[Number(key)] as Node]), enumerable: true, configurable: true, writable: true }
          : undefined,
    });
    known.set(self, nodes);
    return self;
  }

  /** As E4X has it, white space between elements does not count. */
  const XML = (value?: unknown): unknown => {
    const nodes = unwrap(value);
    if (nodes) return wrap(nodes);
    const text = value === undefined || value === null ? '' : String(value);
    if (!text.trim().startsWith('<')) return wrap([{ kind: 'text', parent: undefined, value: text }]);
    return wrap([tree.parse(text, false)]);
  };

  function inserted(value: unknown, kind: string): string {
    const nodes = unwrap(value);
    if (kind === 'n') return String(value);
    if (kind === 'a') return `"${tree.escapeText(nodes ? textOf(nodes) : String(value)).replace(/"/g, '&quot;')}"`;
    if (!nodes) return tree.escapeText(String(value));
    return nodes.map((node) => (node.kind === 'attribute' ? tree.escapeText(node.value) : tree.write(node))).join('');
  }

  return {
    e4x: {
      xml(parts, kinds, values) {
        let text = parts[0] ?? '';
        values.forEach((value, index) => {
          text += inserted(value, kinds[index] ?? 'c') + (parts[index + 1] ?? '');
        });
        if (!text.startsWith('<>')) return XML(text);
        return wrap(tree.parse(`<list>${text.slice(2, -3)}</list>`, false).children);
      },
      name: (namespace, local, mark = '') => `${mark}{${String(namespace)}}${local}`,
      each(list) {
        const nodes = unwrap(list);
        if (nodes) return nodes.map((node) => wrap([node]));
        return Object.values((list ?? {}) as object);
      },
    },
    wrap,
    unwrap,
    XML,
  };
}
