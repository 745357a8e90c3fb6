import type { Expression } from '../../expressions/expression.ts';
import { jsonText } from '../../expressions/json-text.ts';
import { copyWithout } from '../../message/copy-without.ts';
import { MediationError } from '../../message/errors.ts';
import type { JsonNode } from '../../message/json.ts';
import { definiteSteps, withJsonAt } from '../../message/json-edit.ts';
import { cloneWithOrigins } from '../../message/json-xml.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { Payload } from '../../message/payload.ts';
import { JsonValue, TypedNumber } from '../../message/property-value.ts';
import { createEnvelope, documentOf, ensureHeader, headerOf, soapVersionOf } from '../../message/soap.ts';
import { cloneInto, elementChildren, type XmlElement, type XmlNode } from '../../xml/index.ts';
import { payloadPath } from '../expression-kind.ts';
import { type JsonSelection, selectJson } from './json-selection.ts';

/** What iterate makes of a message: so many payloads, each made when its turn has come. */
export interface Parts {
  readonly count: number;
  payload(index: number): Payload;
}

export interface PartsSettings {
  readonly selected: Expression;
  readonly attachPath: Expression | undefined;
  readonly preservePayload: boolean;
}

const ELEMENT_NODE = 1;
const EMPTY_ARRAY: JsonNode = { kind: 'array', items: [] };

/**
 * The elements that an XPath selects, each in an envelope with the header blocks: alone in the Body, or attached to what is left of the
 * message when all of them are taken out (spec mediators 3.14).
 * @throws MediationError when something else than elements is selected, or there is no place to attach them to
 */
export function xmlParts(message: MessageContext, { selected, attachPath, preservePayload }: PartsSettings): Parts {
  const elements = selectedElements(selected, message);
  if (elements.length === 0) return { count: 0, payload: () => Payload.empty() };
  const envelope = message.payload.envelope();
  const skeleton = message.payload.clone();
  skeleton.replaceEnvelope(preservePayload ? copyWithout(envelope, elements).envelope : emptyEnvelope(envelope));
  if (!preservePayload) {
    return {
      count: elements.length,
      payload(index) {
        const payload = skeleton.clone();
        const element = elements[index];
        if (element) payload.replaceBody(element);
        return payload;
      },
    };
  }
  const attached = (index: number) => attach(message, skeleton.clone(), attachPath, elements[index]);
  // A path that leads nowhere is a fault of the message, not of its parts.
  const first = attached(0);
  return { count: elements.length, payload: (index) => (index === 0 ? first : attached(index)) };
}

function selectedElements(selected: Expression, message: MessageContext): XmlElement[] {
  const nodes = selected.nodes(message);
  const elements = nodes.filter((node): node is XmlElement => isElement(node));
  const value = nodes.length === 0 ? selected.value(message) : null;
  if (elements.length < nodes.length || value instanceof TypedNumber || typeof value === 'boolean') {
    throw new MediationError(`Error splitting message with XPath : ${selected.source} - result not an OMNode`);
  }
  return elements;
}

function isElement(node: XmlNode | JsonValue | undefined): node is XmlElement {
  return node !== undefined && !(node instanceof JsonValue) && node.nodeType === ELEMENT_NODE;
}

function attach(
  message: MessageContext,
  payload: Payload,
  attachPath: Expression | undefined,
  element: XmlElement | undefined,
): Payload {
  const place = attachPath ? placeIn(message, payload, attachPath) : payload.envelope();
  if (element) place.appendChild(cloneWithOrigins(documentOf(place), element));
  payload.changed();
  return payload;
}

/** Where the path leads in a payload that is not the message's own. */
function placeIn(message: MessageContext, payload: Payload, path: Expression): XmlElement {
  const own = message.payload;
  message.payload = payload;
  try {
    const [place] = path.nodes(message);
    if (isElement(place)) return place;
  } finally {
    message.payload = own;
  }
  throw new MediationError(
    `Error in attaching the splitted elements :: Unable to get the attach path specified by the expression ${path.source}`,
  );
}

/** The header blocks around an empty Body. */
function emptyEnvelope(envelope: XmlElement): XmlElement {
  const empty = createEnvelope(soapVersionOf(envelope) ?? '1.1');
  const header = headerOf(envelope);
  if (header) for (const block of elementChildren(header)) ensureHeader(empty).appendChild(copyFor(empty, block));
  return empty;
}

function copyFor(envelope: XmlElement, element: XmlElement): XmlElement {
  return cloneInto(documentOf(envelope), element);
}

/**
 * The items of a JSON array, each alone or put into the payload around it, whose array is empty then (spec mediators 3.14).
 * @throws MediationError when the expression gives no array
 */
export function jsonParts(message: MessageContext, { selected, attachPath, preservePayload }: PartsSettings): Parts {
  const selection = selectJson(selected, message);
  const items = itemsOf(selection, selected, attachPath);
  const alone = (index: number) => Payload.ofJson(jsonText(items[index] ?? EMPTY_ARRAY));
  const path = attachPath ? payloadPath(attachPath) : '$';
  const steps = path === undefined ? undefined : definiteSteps(path);
  if (!preservePayload || steps?.length === 0 || items.length === 0) return { count: items.length, payload: alone };
  const around = selection.withItems([]) ?? selection.root;
  const attached = (index: number) => {
    const changed = steps && withJsonAt(around, steps, items[index] ?? EMPTY_ARRAY);
    if (changed) return Payload.ofJson(jsonText(changed));
    throw new MediationError(
      `Error in attaching the splitted elements :: Unable to get the attach path specified by the expression ${attachPath?.source}`,
    );
  };
  const first = attached(0);
  return { count: items.length, payload: (index) => (index === 0 ? first : attached(index)) };
}

/** Only where parts are put back to where they were taken from, an object may stand for a single item. */
function itemsOf(
  { node }: JsonSelection,
  selected: Expression,
  attachPath: Expression | undefined,
): readonly JsonNode[] {
  if (node?.kind === 'array') return node.items;
  if (node && attachPath?.source === selected.source) return [node];
  throw new MediationError(
    `JSON element expressed by the path ${selected.source} is not a valid JSON array that can be iterated`,
  );
}
