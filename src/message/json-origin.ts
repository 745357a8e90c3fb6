import type { XmlElement } from '../xml/index.ts';
import type { JsonNode } from './json.ts';

/**
 * Elements made from JSON remember what they were made from (MREQ-26): converted back unedited, they give the same JSON again,
 * types, one-element and empty arrays included. Elements from elsewhere follow the reference's guesses.
 */
export interface JsonOrigin {
  readonly kind: JsonNode['kind'];
  /** The member's key, if its element stands for one. */
  readonly key?: string;
  /** One of several values of its key: stays an array when alone. */
  readonly repeated?: boolean;
  /** A scalar's text in the element; the origin no longer counts when the element's text is another. */
  readonly text?: string;
  /** Keys whose empty arrays left no element, with the number of members before them. */
  readonly emptyArrays?: ReadonlyArray<readonly [key: string, before: number]>;
  /** Attributes that were not strings. */
  readonly attributes?: ReadonlyMap<string, ScalarNode>;
  /** What `$`, the text beside attributes, was. */
  readonly content?: ScalarNode;
}

/** What elements were made from. */
export const ORIGINS = new WeakMap<XmlElement, JsonOrigin>();

/** Elements that stand for JSON without a name of its own. */
export const WRAPPERS = { object: 'jsonObject', array: 'jsonArray', value: 'jsonValue', item: 'jsonElement' } as const;
export type ScalarNode = Exclude<JsonNode, { kind: 'object' | 'array' }>;

export function isScalar(node: JsonNode): node is ScalarNode {
  return node.kind !== 'object' && node.kind !== 'array';
}

/** Its text in an element or attribute. */
export function scalarText(node: ScalarNode): string {
  if (node.kind === 'null') return '';
  return node.kind === 'number' ? node.text : String(node.value);
}
