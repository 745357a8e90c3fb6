import type { Expression } from '../../expressions/expression.ts';
import { compileJsonPath, JsonPathMissing } from '../../expressions/json-path.ts';
import { ValueError } from '../../grammar/attributes.ts';
import { type JsonNode, parseJson } from '../../message/json.ts';
import { definiteSteps, jsonAt, withJsonAt } from '../../message/json-edit.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue } from '../../message/property-value.ts';
import { payloadPath } from '../expression-kind.ts';

/** What an expression selects of a JSON document, so that it can be put back after a change. */
export interface JsonSelection {
  readonly root: JsonNode;
  /** Undefined when the expression leads nowhere. */
  readonly node: JsonNode | undefined;
  /** The document with other items in the place of the selected array; undefined when the place cannot be told. */
  withItems(items: readonly JsonNode[]): JsonNode | undefined;
}

const NOWHERE = () => undefined;

/** What an expression selects of the payload. */
export function selectJson(expression: Expression, message: MessageContext): JsonSelection {
  const path = payloadPath(expression);
  if (path !== undefined && !/\{|^\$\w+:/.test(path)) return selectIn(parseJson(message.payload.jsonText()), path);
  const value = expression.value(message);
  const node = value instanceof JsonValue ? parseJson(value.text) : undefined;
  return { root: node ?? { kind: 'null' }, node, withItems: NOWHERE };
}

/** What a JSONPath selects of a document. */
export function selectIn(root: JsonNode, path: string): JsonSelection {
  const steps = definiteSteps(path);
  if (steps) {
    return {
      root,
      node: jsonAt(root, steps),
      withItems: (items) => withJsonAt(root, steps, { kind: 'array', items }),
    };
  }
  const node = selected(root, path);
  // Several places: each item goes back to where it was found.
  const found = node?.kind === 'array' ? node.items : [];
  return {
    root,
    node,
    withItems: (items) => replaced(root, new Map(found.map((item, index) => [item, items[index]]))),
  };
}

function selected(root: JsonNode, path: string): JsonNode | undefined {
  try {
    return compileJsonPath(path).select(root);
  } catch (error) {
    if (error instanceof JsonPathMissing || error instanceof ValueError) return undefined;
    throw error;
  }
}

function replaced(node: JsonNode, by: ReadonlyMap<JsonNode, JsonNode | undefined>): JsonNode {
  const replacement = by.get(node);
  if (replacement) return replacement;
  if (node.kind === 'array') return { kind: 'array', items: node.items.map((item) => replaced(item, by)) };
  if (node.kind !== 'object') return node;
  return { kind: 'object', members: node.members.map(([key, value]) => [key, replaced(value, by)] as const) };
}
