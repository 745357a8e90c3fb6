import { expression } from '../../expressions/attribute-types.ts';
import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression } from '../../expressions/expression.ts';
import { javaBoolean, knownWord, nonEmptyText, readAttributes, text, ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { always, mediator } from '../../mediation/component.ts';
import { findEntry } from '../../message/entry.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue, type PropertyValue } from '../../message/property-value.ts';
import { isJsonExpression, payloadPath } from '../expression-kind.ts';
import type {
  EnrichAction,
  EnrichRemoval,
  EnrichSource,
  EnrichTarget,
  InlineValue,
  PathFor,
} from './enrich-definition.ts';
import { enrichJson, removeJson } from './enrich-json.ts';
import { enrichXml, removeXml } from './enrich-xml.ts';
import { asElement, readInlineContent, readPlaceholders } from './inline-content.ts';

const SOURCE_TYPES = ['custom', 'envelope', 'body', 'property', 'inline'] as const;
const TARGET_TYPES = ['custom', 'envelope', 'body', 'property', 'key', 'inline'] as const;
const ACTIONS = ['replace', 'child', 'sibling', 'remove'] as const;
type SourceType = (typeof SOURCE_TYPES)[number];
type TargetType = (typeof TARGET_TYPES)[number];
type Action = (typeof ACTIONS)[number];

const SOURCE_ATTRIBUTES = {
  type: text({ doc: 'custom, envelope, body, property or inline.', default: 'custom' }),
  clone: javaBoolean({ doc: '`false` moves what is found instead of copying it.', default: true }),
  xpath: text({ doc: 'Of type custom: the expression that selects it.' }),
  property: nonEmptyText({ doc: 'Of type property: its name.' }),
  key: nonEmptyText({ doc: 'Of type inline: the local entry or registry resource that holds the content.' }),
} as const;
const TARGET_ATTRIBUTES = {
  type: text({ doc: 'custom, envelope, body, property or key.', default: 'custom' }),
  action: text({ doc: 'replace, child, sibling or remove.', default: 'replace' }),
  xpath: expression({ doc: 'Of types custom and key: the expression that selects the place.' }),
  property: nonEmptyText({ doc: 'Of type property: its name.' }),
} as const;

/** Takes something from one place of a message and puts it into another (spec mediators 3.13). */
export const enrich = mediator({
  element: 'enrich',
  doc: 'Puts a part of the message, a property or inline content into another part of the message or a property.',
  attributes: {},
  children: ['source', 'target'],
  compile({ element, reader }) {
    const parts = readParts(element, reader);
    if (!parts) return undefined;
    const { source, target } = parts;
    if (!checkCombination(source.type, target, reader)) return undefined;
    if (target.action === 'remove') {
      const removal = readRemoval(parts, reader);
      return removal && always((message) => remove(message, removal));
    }
    const from = readSource(source, reader);
    const to = readTarget(target, target.action, reader);
    return from && to && always((message) => run(message, from, to));
  },
});

function run(message: MessageContext, source: EnrichSource, target: EnrichTarget): void {
  const inline = source.type === 'inline' ? source.content(message) : undefined;
  if (isForJson(message, source, target, inline)) enrichJson(message, source, target, inline);
  else enrichXml(message, source, target, inline);
}

/** Only a JSON payload whose both sides are JSON is edited as such. */
function isForJson(
  message: MessageContext,
  source: EnrichSource,
  target: EnrichTarget,
  inline: InlineValue | undefined,
): boolean {
  if (source.type === 'envelope' || target.type === 'envelope') return false;
  if (target.type === 'custom' && !target.path) return false;
  if (source.type === 'inline' && inline !== undefined && typeof inline !== 'string') return false;
  if (source.type === 'property' && isXml(message.properties.get(source.name))) return false;
  if (source.type === 'custom') {
    if (!isJsonExpression(source.expression)) return false;
    if (!source.path && isXml(source.expression.value(message) ?? undefined)) return false;
  }
  return message.payload.json() !== undefined;
}

function isXml(value: PropertyValue | undefined): boolean {
  if (typeof value === 'string') return asElement(value) !== undefined;
  return typeof value === 'object' && !(value instanceof JsonValue) && ('nodeType' in value || Array.isArray(value));
}

function remove(message: MessageContext, removal: EnrichRemoval): void {
  if (removal.paths && (removal.property !== undefined || message.payload.json() !== undefined))
    removeJson(message, removal);
  else removeXml(message, removal);
}

interface Parts {
  readonly source: SourcePart;
  readonly target: TargetPart;
}
interface SourcePart {
  readonly element: ConfigElement;
  readonly type: SourceType;
  readonly clone: boolean;
  /** Not compiled yet: what is to be removed may be a list of paths. */
  readonly xpath: string | undefined;
  readonly property: string | undefined;
  readonly key: string | undefined;
}
interface TargetPart {
  readonly element: ConfigElement;
  readonly type: TargetType;
  /** Written, not the default. */
  readonly typed: boolean;
  readonly action: Action;
  readonly property: string | undefined;
  readonly xpath: Expression | undefined;
}

function readParts(element: ConfigElement, reader: ArtifactReader): Parts | undefined {
  const source = element.child('source');
  const target = element.child('target');
  if (!source) reader.error(element, 'source element is mandatory', { expected: '<source …/>' });
  if (!target) reader.error(element, 'target element is mandatory', { expected: '<target …/>' });
  const sourcePart = source && readSourcePart(source, reader);
  const targetPart = target && readTargetPart(target, reader);
  return sourcePart && targetPart && { source: sourcePart, target: targetPart };
}

function readSourcePart(element: ConfigElement, reader: ArtifactReader): SourcePart | undefined {
  const attributes = readAttributes(element, SOURCE_ATTRIBUTES, reader);
  if (!attributes) return undefined;
  const { clone, xpath, property, key } = attributes;
  const type = knownWord(element, 'type', attributes.type, SOURCE_TYPES, 'Unexpected source type', reader);
  return type && { element, type, clone, xpath, property, key };
}

function readTargetPart(element: ConfigElement, reader: ArtifactReader): TargetPart | undefined {
  const attributes = readAttributes(element, TARGET_ATTRIBUTES, reader);
  if (!attributes) return undefined;
  const { xpath, property } = attributes;
  const type = knownWord(element, 'type', attributes.type, TARGET_TYPES, 'Unexpected target type', reader);
  const action = knownWord(element, 'action', attributes.action, ACTIONS, 'Unexpected target action', reader);
  const typed = element.attribute('type') !== undefined;
  return type && action && { element, type, typed, action, property, xpath };
}

/** What cannot be put together, in the order and words of the reference. */
function checkCombination(source: SourceType, target: TargetPart, reader: ArtifactReader): boolean {
  const problem = combinationProblem(source, target);
  if (problem === undefined) return true;
  reader.error(target.element, problem, { attribute: problem.includes('action') ? 'action' : 'type' });
  return false;
}

function combinationProblem(source: SourceType, { type, typed, action }: TargetPart): string | undefined {
  if (action === 'remove') {
    if (source !== 'custom') return 'Wrong combination of source type and target action';
    const nowhere = (type === 'custom' && typed) || type === 'envelope' || type === 'inline';
    return nowhere ? 'Wrong combination of target type and target action' : undefined;
  }
  if (type === 'inline') return 'Unexpected target type';
  if (type === 'key') {
    if (source === 'body') return 'Wrong combination of source type and target type';
    return action === 'replace' ? undefined : 'Wrong combination of target type and target action';
  }
  const wrong: Partial<Record<SourceType, readonly TargetType[]>> = {
    envelope: ['custom', 'envelope', 'body'],
    body: ['envelope', 'body'],
    custom: ['envelope'],
  };
  if (wrong[source]?.includes(type)) return 'Wrong combination of source and target type';
  return type === 'envelope' && action !== 'replace' ? 'Invalid target action' : undefined;
}

const NO_XPATH = 'xpath attribute is required for CUSTOM type';

function readSource(part: SourcePart, reader: ArtifactReader): EnrichSource | undefined {
  const { element, type, clone, property } = part;
  switch (type) {
    case 'custom': {
      const found = readSourceExpression(part, reader);
      return found && { type, clone, expression: found, path: pathFor(found, element, reader) };
    }
    case 'property':
      if (property !== undefined) return { type, name: property };
      // The reference's words for both (MREQ-2).
      reader.error(element, NO_XPATH, { expected: 'property="…", the name of the property' });
      return undefined;
    case 'inline':
      return readInline(part, reader);
    case 'body':
      return { type, clone };
    case 'envelope':
      return { type };
  }
}

function readSourceExpression({ element, xpath }: SourcePart, reader: ArtifactReader): Expression | undefined {
  if (xpath !== undefined) return compileXPath(element, xpath, reader);
  reader.error(element, NO_XPATH, { expected: 'xpath="…"' });
  return undefined;
}

function compileXPath(element: ConfigElement, xpath: string, reader: ArtifactReader): Expression | undefined {
  try {
    const compiled = compileExpression(xpath, element.prefixes());
    for (const warning of compiled.warnings) reader.warning(element, warning, { attribute: 'xpath' });
    return compiled;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, `attribute 'xpath' of <${element.name}>: ${error.message}`, {
      attribute: 'xpath',
      expected: error.expected ?? 'an expression',
    });
    return undefined;
  }
}

/** The path of an expression that looks into the payload as JSON; undefined for anything else. */
function pathFor(expression: Expression, element: ConfigElement, reader: ArtifactReader): PathFor | undefined {
  const path = payloadPath(expression);
  if (path === undefined || /^\s*\$\w+:/.test(path)) return undefined;
  return readPlaceholders(path, element, reader);
}

/** Inline content goes before an entry; the entry is looked up for every message. */
function readInline({ element, key }: SourcePart, reader: ArtifactReader): EnrichSource | undefined {
  const content = readInlineContent(element, reader);
  if (content) return { type: 'inline', content: (message) => content.evaluate(message) };
  if (key === undefined) {
    reader.error(element, 'XML element is required for INLINE type', { expected: 'an XML child, text, or key="…"' });
    return undefined;
  }
  if (!/^\w+:/.test(key)) reader.refer('localEntry', key, element, 'key');
  return {
    type: 'inline',
    content(message) {
      const entry = findEntry(message.configuration, key);
      return entry && (entry.xml ?? asElement(entry.text) ?? entry.text);
    },
  };
}

function readTarget(part: TargetPart, action: EnrichAction, reader: ArtifactReader): EnrichTarget | undefined {
  const { element, type, property, xpath } = part;
  switch (type) {
    case 'custom': {
      if (!xpath) {
        reader.error(element, NO_XPATH, { expected: 'xpath="…"' });
        return undefined;
      }
      const path = pathFor(xpath, element, reader);
      return isRootReplacement(part, reader) ? undefined : { type, expression: xpath, path, action };
    }
    case 'property':
      if (property !== undefined) return { type, name: property, action };
      reader.error(element, NO_XPATH, { expected: 'property="…", the name of the property' });
      return undefined;
    case 'key': {
      const path = xpath && pathFor(xpath, element, reader);
      if (!path)
        reader.error(element, "Xpath must be defined for the target type 'key'.", { expected: 'json-eval(path)' });
      return path && { type, path };
    }
    case 'envelope':
      return { type };
    default:
      return { type: 'body', action };
  }
}

function isRootReplacement({ element, xpath, action }: TargetPart, reader: ArtifactReader): boolean {
  const isRoot = xpath?.kind === 'json-eval' && payloadPath(xpath)?.trim() === '$';
  if (!isRoot || action !== 'replace') return false;
  reader.error(
    element,
    'Acting replace is not supported for root path in type custom. Please use type body action replace instead',
    { attribute: 'xpath', expected: 'type="body"' },
  );
  return true;
}

function readRemoval({ source, target }: Parts, reader: ArtifactReader): EnrichRemoval | undefined {
  const { element, xpath } = source;
  if (xpath === undefined) {
    reader.error(element, NO_XPATH, { expected: 'xpath="…"' });
    return undefined;
  }
  const property = target.type === 'property' ? target.property : undefined;
  if (target.type === 'property' && property === undefined) {
    reader.error(target.element, NO_XPATH, { expected: 'property="…", the name of the property' });
    return undefined;
  }
  const listed = /^json-eval\((.*)\)$/s.exec(xpath)?.[1];
  const texts = listed === undefined ? undefined : splitPaths(listed);
  const written = texts?.map((path) => `json-eval(${path})`) ?? [xpath];
  const compiled = written.map((path) => compileXPath(element, path, reader));
  const [first] = compiled;
  if (!first || compiled.includes(undefined)) return undefined;
  return { expression: first, paths: texts?.map((path) => readPlaceholders(path, element, reader)), property };
}

/** At commas that do not stand in brackets, parentheses or quotes. */
function splitPaths(list: string): string[] {
  const paths = [''];
  let depth = 0;
  for (const [piece] of list.matchAll(/'[^']*'|"[^"]*"|[\s\S]/g)) {
    if (piece === '[' || piece === '(') depth += 1;
    if (piece === ']' || piece === ')') depth -= 1;
    if (piece === ',' && depth === 0) paths.push('');
    else paths.push((paths.pop() ?? '') + piece);
  }
  return paths.map((path) => path.trim());
}
