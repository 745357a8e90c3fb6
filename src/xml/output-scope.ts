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
  /** Those of the elements that are open, outer ones first. */
  readonly #declarations: Declaration[] = [];

  /** Undefined for a prefix that stands for nothing. */
  namespaceOf(prefix: string): string | undefined {
    return this.#namespaces.get(prefix);
  }

  declare(element: XmlElement, prefix: string, namespace: string): void {
    this.#declarations.push({ element, prefix, outer: this.#namespaces.get(prefix) });
    this.#namespaces.set(prefix, namespace);
  }

  /** What an element declared is forgotten: it is closed. */
  leave(element: XmlElement): void {
    for (let last = this.#declarations.at(-1); last?.element === element; last = this.#declarations.at(-1)) {
      if (last.outer === undefined) this.#namespaces.delete(last.prefix);
      else this.#namespaces.set(last.prefix, last.outer);
      this.#declarations.pop();
    }
  }

  /** Some prefix, not the empty one, that stands for a namespace. */
  prefixOf(namespace: string): string | undefined {
    for (const [prefix, known] of this.#namespaces) {
      if (prefix !== '' && known === namespace) return prefix;
    }
    return undefined;
  }

  /** A prefix that stands for nothing. */
  freePrefix(): string {
    let number = 1;
    while (this.#namespaces.has(`ns${number}`)) number += 1;
    return `ns${number}`;
  }
}
