/*
 * Runs inside the sandbox, see `xml-tree.ts`: self-contained. Elements and lists as the scripts of the reference know them from Axiom
 * and Java, as far as they are used.
 */

import type { XmlObjects } from './xml-objects.ts';
import type { ScriptAttribute, ScriptElement, ScriptNode, XmlTree } from './xml-tree.ts';

export type OmElements = ReturnType<typeof omElements>;

export function omElements(tree: XmlTree, xml: Pick<XmlObjects, 'unwrap'>) {
  /** An element as the reference's scripts know it (Axiom). */
  class OmElement {
    readonly node: ScriptElement;
    constructor(node: ScriptElement) {
      this.node = node;
    }
    getLocalName() {
      return this.node.local;
    }
    getQName() {
      const { local, uri, prefix } = this.node;
      return { getLocalPart: () => local, getNamespaceURI: () => uri, getPrefix: () => prefix };
    }
    getNamespaceURI() {
      return this.node.uri;
    }
    getText() {
      return this.node.children.map((child) => (child.kind === 'text' ? child.value : '')).join('');
    }
    setText(text: unknown) {
      this.node.children = [{ kind: 'text', parent: this.node, value: String(text) }];
    }
    getFirstElement() {
      return elementsIn(this.node)[0] ?? null;
    }
    getFirstOMChild() {
      return this.getFirstElement();
    }
    getFirstChildWithName(name: unknown) {
      return elementsIn(this.node).find((child) => child.node.local === localNameOf(name)) ?? null;
    }
    getChildElements() {
      return iterator(elementsIn(this.node));
    }
    getChildren() {
      return this.getChildElements();
    }
    getChildrenWithLocalName(local: unknown) {
      return iterator(elementsIn(this.node).filter((child) => child.node.local === String(local)));
    }
    getChildrenWithName(name: unknown) {
      return iterator(elementsIn(this.node).filter((child) => child.node.local === localNameOf(name)));
    }
    getParent() {
      return this.node.parent ? new OmElement(this.node.parent) : null;
    }
    getAttributeValue(name: unknown) {
      const local = localNameOf(name);
      return this.node.attributes.find((attribute) => attribute.local === local)?.value ?? null;
    }
    addAttribute(name: unknown, value: unknown) {
      const attribute: ScriptAttribute = {
        kind: 'attribute',
        parent: this.node,
        prefix: '',
        local: String(name),
        uri: '',
        value: String(value),
      };
      this.node.attributes.push(attribute);
    }
    addChild(child: unknown) {
      for (const node of elementsOf(child)) {
        const added = tree.copy(node, this.node);
        this.node.children.push(added);
      }
    }
    detach() {
      tree.remove(this.node);
      return this;
    }
    discard() {
      this.detach();
    }
    build() {
      return this;
    }
    buildWithAttachments() {
      return this;
    }
    cloneOMElement() {
      return new OmElement(tree.copy(this.node));
    }
    getBody() {
      return this.getPart('Body');
    }
    getHeader() {
      return this.getPart('Header');
    }
    hasFault() {
      return this.getPart('Body')?.getFirstElement()?.getLocalName() === 'Fault';
    }
    toString() {
      return tree.write(this.node);
    }
    getPart(local: string): OmElement | null {
      return elementsIn(this.node).find(({ node }) => node.local === local) ?? null;
    }
  }

  function elementsIn(node: ScriptElement): OmElement[] {
    return node.children.flatMap((child) => (child.kind === 'element' ? [new OmElement(child)] : []));
  }

  function localNameOf(name: unknown): string {
    const part = (name as { getLocalPart?: () => unknown } | null)?.getLocalPart;
    return String(typeof part === 'function' ? part.call(name) : name).replace(/^\{.*\}/, '');
  }

  function iterator<T>(items: readonly T[]) {
    let at = 0;
    return {
      hasNext: () => at < items.length,
      next: () => items[at++],
      [Symbol.iterator]: () => items[Symbol.iterator](),
    };
  }

  /** A Java list, as far as it is used. */
  function listOf<T>(items: readonly T[]) {
    return {
      get: (index: number) => {
        if (index in items) return items[index];
        throw new RangeError(`Index ${index} out of bounds for length ${items.length}`);
      },
      size: () => items.length,
      isEmpty: () => items.length === 0,
      length: items.length,
      iterator: () => iterator(items),
      [Symbol.iterator]: () => items[Symbol.iterator](),
    };
  }

  function elementsOf(value: unknown): ScriptNode[] {
    if (value instanceof OmElement) return [value.node];
    const nodes = xml.unwrap(value);
    if (nodes) return nodes.filter((node): node is ScriptNode => node.kind !== 'attribute');
    return [tree.parse(String(value), true)];
  }

  return { OmElement, listOf };
}
