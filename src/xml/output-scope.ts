import type { XmlElement } from './tree.ts';
import { XML_NAMESPACE } from './tree-names.ts';

interface Declaration {
  readonly element: XmlElement;
  readonly prefix: string;
  /** What the prefix stood for outside; undefined for nothing. */
  readonly outer: string | undefined;
}

/** What the prefixes in a text that is being written stand for; `''` is the prefix, or the namespace, of none. */
export class OutputScope {
  readonly #namespaces = new Map<string, string>([
    ['', ''],
    ['xml', XML_NAMESPACE],
  ]);
  /** The other way round, without the empty prefix: documents may have thousands of both. */
  readonly #prefixes = new Map<string, Set<string>>([[XML_NAMESPACE, new Set(['xml'])]]);
  /** Those of the elements that are open, outer ones first. */
  readonly #declarations: Declaration[] = [];

  /** Undefined for a prefix that stands for nothing. */
  namespaceOf(prefix: string): string | undefined {
    return this.#namespaces.get(prefix);
  }

  declare(element: XmlElement, prefix: string, namespace: string): void {
    this.#declarations.push({ element, prefix, outer: this.#namespaces.get(prefix) });
    this.#bind(prefix, namespace);
  }

  /** What an element declared is forgotten: it is closed. */
  leave(element: XmlElement): void {
    for (let last = this.#declarations.at(-1); last?.element === element; last = this.#declarations.at(-1)) {
      this.#bind(last.prefix, last.outer);
      this.#declarations.pop();
    }
  }

  /** Some prefix, not the empty one, that stands for a namespace. */
  prefixOf(namespace: string): string | undefined {
    return this.#prefixes.get(namespace)?.values().next().value;
  }

  /** A prefix that stands for nothing. */
  freePrefix(): string {
    let number = 1;
    while (this.#namespaces.has(`ns${number}`)) number += 1;
    return `ns${number}`;
  }

  /** @param namespace undefined: the prefix stands for nothing from here on */
  #bind(prefix: string, namespace: string | undefined): void {
    const before = this.#namespaces.get(prefix);
    if (namespace === undefined) this.#namespaces.delete(prefix);
    else this.#namespaces.set(prefix, namespace);
    if (prefix === '') return;
    if (before !== undefined) this.#prefixes.get(before)?.delete(prefix);
    if (namespace === undefined) return;
    const others = this.#prefixes.get(namespace);
    if (others) others.add(prefix);
    else this.#prefixes.set(namespace, new Set([prefix]));
  }
}
