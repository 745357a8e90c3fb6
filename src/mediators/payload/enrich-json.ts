import { compileJsonPath, JsonPathMissing } from '../../expressions/json-path.ts';
import { editPlaces, renamePlaces } from '../../expressions/json-places.ts';
import { jsonText } from '../../expressions/json-text.ts';
import { payloadDocument } from '../../expressions/payload-document.ts';
import { stringOfProperty } from '../../expressions/string-value.ts';
import { ValueError } from '../../grammar/attributes.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { MediationError } from '../../message/errors.ts';
import { type JsonNode, JsonSyntaxError, parseLenientJson } from '../../message/json.ts';
import { definiteSteps, jsonAt, withJsonAt } from '../../message/json-edit.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue, type PropertyValue } from '../../message/property-value.ts';
import { maxXmlNodes, TooLargeError } from '../../xml/index.ts';
import type {
  EnrichAction,
  EnrichRemoval,
  EnrichSource,
  EnrichTarget,
  InlineValue,
  PathFor,
} from './enrich-definition.ts';

const log = logger('EnrichMediator');
/** What the log shows of a value, characters. */
const SHOWN = 200;

/**
 * Enriches a JSON payload (spec mediators 3.13, "JSON engine").
 * @param inline the content of an inline source, evaluated already
 * @throws MediationError
 */
export function enrichJson(
  message: MessageContext,
  source: EnrichSource,
  target: EnrichTarget,
  inline: InlineValue | undefined,
): void {
  explained(() => {
    const value = sourceValue(message, source, inline);
    if (!value) throw new MediationError('Failed to get the source for Enriching : ');
    if (source.type === 'custom' && source.path && !source.clone) removePath(message, source.path);
    insert(message, target, value);
  });
}

function sourceValue(
  message: MessageContext,
  source: EnrichSource,
  inline: InlineValue | undefined,
): JsonNode | undefined {
  switch (source.type) {
    case 'custom':
      if (source.path) return compileJsonPath(source.path(message)).select(documentOf(message));
      return nodeOfProperty(source.expression.value(message));
    case 'body':
      return documentOf(message);
    case 'property':
      return nodeOfProperty(message.properties.get(source.name) ?? null);
    case 'inline':
      return typeof inline === 'string' ? nodeOfText(inline) : undefined;
    case 'envelope':
      return undefined;
  }
}

function insert(message: MessageContext, target: EnrichTarget, value: JsonNode): void {
  switch (target.type) {
    case 'custom':
      if (target.path) insertAtPath(message, target.path(message), target.action, value);
      return;
    case 'body':
      insertAsBody(message, target.action, value);
      return;
    case 'property':
      insertIntoProperty(message, target.name, target.action, value);
      return;
    case 'key':
      renameKey(message, target.path(message), value);
      return;
    case 'envelope':
      return;
  }
}

function insertAtPath(message: MessageContext, path: string, action: EnrichAction, value: JsonNode): void {
  if (action === 'sibling') {
    log.error('Action sibling is not supported. Please use child action instead', aboutMessage(message));
    return;
  }
  const root = documentOf(message);
  if (action === 'replace') {
    setDocument(message, replaced(root, path, value));
    return;
  }
  const admit = membersBudget();
  const child = (place: JsonNode) => withChild(message, place, value, admit);
  setDocument(message, editedAtOnePlace(root, path, child) ?? editPlaces(root, compileJsonPath(path), child).root);
}

/** What does not lie on the way is left as it is; undefined when the path leads to several places, or nowhere. */
function editedAtOnePlace(root: JsonNode, path: string, edit: (place: JsonNode) => JsonNode): JsonNode | undefined {
  const steps = definiteSteps(path);
  const place = steps && jsonAt(root, steps);
  return place && withJsonAt(root, steps, edit(place));
}

/** A missing last member is made (MREQ-34); a missing parent or index is a fault. */
function replaced(root: JsonNode, path: string, value: JsonNode): JsonNode | undefined {
  const steps = definiteSteps(path);
  if (!steps) return editPlaces(root, compileJsonPath(path), () => value).root;
  const changed = withJsonAt(root, steps, value);
  if (!changed) throw new JsonPathMissing(`No results for path: ${path}`);
  return changed;
}

/** Counts the members that many objects get: what is made is bounded as a document is (OP-91). */
type AdmitMembers = (count: number) => void;

function membersBudget(): AdmitMembers {
  const limit = maxXmlNodes();
  let made = 0;
  return (count) => {
    made += count;
    if (made > limit) throw new TooLargeError(`enrich adds more than ${limit} values to the JSON document`);
  };
}

/** Arrays get another item, objects the members of an object. */
function withChild(message: MessageContext, place: JsonNode, value: JsonNode, admit: AdmitMembers): JsonNode {
  if (place.kind === 'array') return { kind: 'array', items: [...place.items, value] };
  if (place.kind === 'object' && value.kind === 'object') {
    admit(value.members.length);
    const members = new Map(place.members);
    for (const [key, member] of value.members) members.set(key, member);
    return { kind: 'object', members: [...members] };
  }
  log.error(`Cannot add a child that is ${shown(value)} to a target that is ${shown(place)}`, aboutMessage(message));
  return place;
}

function shown({ kind }: JsonNode): string {
  return kind === 'null' ? 'null' : kind === 'array' || kind === 'object' ? `an ${kind}` : `a ${kind}`;
}

/** Of a value that is not ours; it may be large. */
function beginning(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}

function insertAsBody(message: MessageContext, action: EnrichAction, value: JsonNode): void {
  if (action !== 'replace') {
    const text = `Action ${action} is not supported for a JSON body. Please use replace action instead`;
    log.error(text, aboutMessage(message));
  } else if (value.kind === 'object' || value.kind === 'array') {
    setDocument(message, value);
  } else {
    const text = `Unsupported JSON payload : ${beginning(jsonText(value))}.Only JSON arrays and objects can be enriched to the body`;
    log.error(text, aboutMessage(message));
  }
}

function insertIntoProperty(message: MessageContext, name: string, action: EnrichAction, value: JsonNode): void {
  if (action === 'replace') {
    message.properties.set(name, jsonText(value));
    return;
  }
  const present = nodeOfProperty(message.properties.get(name) ?? null);
  if (action === 'child' && present?.kind === 'array') {
    message.properties.set(name, jsonText({ kind: 'array', items: [...present.items, value] }));
    return;
  }
  log.error(
    action === 'child'
      ? `Property ${name} holds no JSON array to which a child can be added`
      : 'Action sibling is not supported. Please use child action instead',
    aboutMessage(message),
  );
}

function renameKey(message: MessageContext, path: string, value: JsonNode): void {
  if (value.kind !== 'string') {
    log.error(`A key can only be replaced by a JSON string, not by ${shown(value)}`, aboutMessage(message));
    return;
  }
  setDocument(message, renamePlaces(documentOf(message), compileJsonPath(path), value.value));
}

/** Removes what paths lead to, one after the other, from the payload or from a property. */
export function removeJson(message: MessageContext, { paths = [], property }: EnrichRemoval): void {
  explained(() => {
    for (const path of paths) removePath(message, path, property);
  });
}

function removePath(message: MessageContext, pathFor: PathFor, property?: string): void {
  const text = pathFor(message);
  const path = compileJsonPath(text);
  const root = property === undefined ? documentOf(message) : nodeOfProperty(message.properties.get(property) ?? null);
  if (!root) throw new MediationError(`Property ${property} holds nothing to remove ${text} from`);
  const { root: left, count } = path.isRoot ? { root: undefined, count: 1 } : editPlaces(root, path, () => undefined);
  if (count === 0) log.info(`Nothing to remove at ${text}`, aboutMessage(message));
  if (property === undefined) setDocument(message, left);
  else message.properties.set(property, left ? jsonText(left) : '');
}

function documentOf(message: MessageContext): JsonNode {
  const root = payloadDocument(message);
  if (!root) throw new MediationError('The message has no JSON payload');
  return root;
}

function setDocument({ payload }: MessageContext, root: JsonNode | undefined): void {
  if (root) payload.setJson(jsonText(root));
  else payload.clear();
}

/** Plain text is a JSON string. */
function nodeOfProperty(value: PropertyValue | null): JsonNode | undefined {
  if (value === null) return undefined;
  const text = value instanceof JsonValue ? value.text : stringOfProperty(value);
  return text === null ? undefined : nodeOfText(text);
}

function nodeOfText(text: string): JsonNode {
  try {
    return parseLenientJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { kind: 'string', value: text };
    throw error;
  }
}

/** A path that leads nowhere, or is none once its placeholders are filled in, is a fault. */
function explained(edit: () => void): void {
  try {
    edit();
  } catch (cause) {
    if (!(cause instanceof JsonPathMissing || cause instanceof ValueError || cause instanceof JsonSyntaxError))
      throw cause;
    throw new MediationError(`Failed to enrich the JSON payload: ${cause.message}`, { cause });
  }
}
