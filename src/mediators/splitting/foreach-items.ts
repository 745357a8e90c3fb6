import type { Expression } from '../../expressions/expression.ts';
import { jsonText } from '../../expressions/json-text.ts';
import { copyWithout } from '../../message/copy-without.ts';
import { MediationError } from '../../message/errors.ts';
import { type JsonNode, parseJson } from '../../message/json.ts';
import { cloneWithOrigins } from '../../message/json-xml.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { Payload } from '../../message/payload.ts';
import { JsonValue, type PropertyValue } from '../../message/property-value.ts';
import { documentOf } from '../../message/soap.ts';
import { NodeBudget, type XmlElement, type XmlNode } from '../../xml/index.ts';
import { isJsonExpression } from '../expression-kind.ts';
import { type JsonSelection, selectIn, selectJson } from './json-selection.ts';
import { jsonOrNull } from './result-target.ts';

const ELEMENT_NODE = 1;

/** What the collection of a foreach is for one message. */
export interface Collection {
  readonly count: number;
  /** A payload with one item, by itself. */
  payload(index: number): Payload;
  /** Puts the results, in the order of the items, into the place of the collection. */
  update(message: MessageContext, results: ReadonlyArray<Payload | undefined>): void;
}

/** @throws MediationError when the expression gives neither a JSON array nor elements */
export function selectCollection(collection: Expression, message: MessageContext): Collection {
  const variable = /^\$\{\s*vars\.([\w-]+)\s*((?:[.[].*)?)\}$/s.exec(collection.source);
  if (variable) return inVariable(collection, message, variable[1] ?? '', variable[2] ?? '');
  if (isJsonExpression(collection) && !isElements(collection.value(message))) return inPayload(collection, message);
  const nodes = isJsonExpression(collection) ? elementsOf(collection.value(message)) : collection.nodes(message);
  return ofElements(collection, message, nodes);
}

function inPayload(collection: Expression, message: MessageContext): Collection {
  return ofItems(collection, selectJson(collection, message), (target, changed) => {
    target.payload.setJson(jsonText(changed));
  });
}

function inVariable(collection: Expression, message: MessageContext, name: string, path: string): Collection {
  const value = message.variables.get(name);
  if (isElements(value ?? null)) return ofElements(collection, message, elementsOf(value ?? null));
  if (!(value instanceof JsonValue)) throw noArray(collection);
  return ofItems(collection, selectIn(parseJson(value.text), `$${path}`), (target, changed) => {
    target.variables.set(name, new JsonValue(jsonText(changed)));
  });
}

function ofItems(
  collection: Expression,
  selection: JsonSelection,
  put: (message: MessageContext, changed: JsonNode) => void,
): Collection {
  if (selection.node?.kind !== 'array') throw noArray(collection);
  const { items } = selection.node;
  return {
    count: items.length,
    payload: (index) => Payload.ofJson(jsonText(items[index] ?? { kind: 'null' })),
    update(message, results) {
      const changed = selection.withItems(results.map(jsonOrNull));
      if (!changed)
        throw new MediationError(`The results cannot be put back to where ${collection.source} found the items`);
      put(message, changed);
    },
  };
}

function ofElements(
  collection: Expression,
  message: MessageContext,
  nodes: ReadonlyArray<XmlNode | JsonValue>,
): Collection {
  const elements = nodes.filter(
    (node): node is XmlElement => !(node instanceof JsonValue) && node.nodeType === ELEMENT_NODE,
  );
  if (elements.length < nodes.length) throw noArray(collection);
  const { soapVersion } = message.payload;
  return {
    count: elements.length,
    payload: (index) => {
      const element = elements[index];
      return element ? Payload.ofBodyChild(element, soapVersion) : Payload.empty(soapVersion);
    },
    update(target, results) {
      const parent = elements[0]?.parentNode;
      const { envelope, copies } = copyWithout(target.payload.envelope(), elements);
      const place = parent && copies.get(parent);
      if (!place)
        throw new MediationError(`The results cannot be put back to where ${collection.source} found the elements`);
      const budget = new NodeBudget();
      for (const result of results) {
        const child = result?.firstBodyChild();
        if (child) place.appendChild(cloneWithOrigins(documentOf(envelope), child, budget));
      }
      target.payload.replaceEnvelope(envelope);
    },
  };
}

function isElements(value: PropertyValue | null): boolean {
  return elementsOf(value).length > 0;
}

function elementsOf(value: PropertyValue | null): readonly XmlElement[] {
  if (value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) return value as readonly XmlElement[];
  return 'nodeType' in value ? [value as XmlElement] : [];
}

function noArray({ source }: Expression): MediationError {
  return new MediationError(`Expression ${source} did not resolve to a valid array`);
}
