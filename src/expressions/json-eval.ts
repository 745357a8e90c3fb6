import { ValueError } from '../grammar/attributes.ts';
import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { MediationError } from '../message/errors.ts';
import { type JsonNode, JsonSyntaxError, parseLenientJson } from '../message/json.ts';
import type { MessageContext } from '../message/message-context.ts';
import { JsonValue, type PropertyValue } from '../message/property-value.ts';
import type { Expression } from './expression.ts';
import { compileJsonPath, type JsonPath, JsonPathMissing } from './json-path.ts';
import { jsonText, jsonTexts, plainText } from './json-text.ts';
import { parsedPayload, payloadText } from './payload-document.ts';
import { stringOfProperty } from './string-value.ts';
import { variableReader } from './variables.ts';

const log = logger('SynapseJsonPath');

const START = 'json-eval(';
const PROPERTY_ROOT = /^\$(ctx|trp|axis2):([A-Za-z0-9_-]+)/;
/** `{expression}` inside a path (spec mediators 4.4). */
const PLACEHOLDER = /\{([^{}\s'",<>\]]+)\}/g;

/** The document that a path is applied to: its text, or undefined when there is none. */
type Source = (message: MessageContext) => SourceText | undefined;

interface SourceText {
  readonly text: string;
  /** Whose payload it is, so that it is parsed once for all expressions. */
  readonly owner: MessageContext | undefined;
}

/** Compiles what stands in a placeholder. */
type CompileInner = (text: string) => Expression;

/** Gives the path for one message; always the same one unless the path has placeholders. */
type PathFor = (message: MessageContext) => JsonPath;

/**
 * Compiles `json-eval(path)` (spec mediators 4.3): Jayway's JSONPath on the JSON payload (or on the first Body child as JSON), or on
 * the text of a property with `$ctx:name`, `$trp:name`, `$axis2:name`. Numbers keep the text they were written with (MREQ-41).
 * @throws ValueError
 */
export function compileJsonEval(source: string, compileInner: CompileInner): Expression {
  if (!source.endsWith(')')) throw new ValueError("json-eval( is not closed by ')'", 'json-eval(path)');
  const written = source.slice(START.length, -1);
  const property = PROPERTY_ROOT.exec(written);
  let needsBody = !property;
  const path = pathFor(property ? `$${written.slice(property[0].length)}` : written, (inner) => {
    const compiled = compileInner(inner);
    needsBody ||= compiled.needsBody;
    return compiled;
  });
  const read = property ? propertySource(property[1] as string, property[2] as string) : payloadSource;
  const evaluate = (message: MessageContext) => select(read, path, message);
  return {
    source,
    kind: 'json-eval',
    needsBody,
    warnings: [],
    stringValue: (message) => textOf(read, path, message, source),
    booleanValue: (message) => textOf(read, path, message, source).toLowerCase() === 'true',
    nodes: (message) => nodesOf(() => evaluate(message), source),
    value: (message) => propertyOf(attempt(message, () => evaluate(message), source)),
  };
}

function pathFor(text: string, compileInner: CompileInner): PathFor {
  if (!PLACEHOLDER.test(text)) {
    const path = compileJsonPath(text);
    return () => path;
  }
  PLACEHOLDER.lastIndex = 0;
  const literals = text.split(PLACEHOLDER).filter((_, index) => index % 2 === 0);
  const inner = [...text.matchAll(PLACEHOLDER)].map((match) => compileInner(match[1] as string));
  return (message) => {
    let path = literals[0] ?? '';
    for (const [index, expression] of inner.entries()) {
      path += (expression.stringValue(message) ?? '') + (literals[index + 1] ?? '');
    }
    return compileJsonPath(path);
  };
}

function propertySource(root: string, name: string): Source {
  const variable = variableReader(root, name);
  const read =
    variable?.kind === 'property' ? variable.read : (message: MessageContext) => message.properties.get(name) ?? null;
  return (message) => {
    const text = stringOfProperty(read(message));
    return text === null ? undefined : { text, owner: undefined };
  };
}

function payloadSource(message: MessageContext): SourceText | undefined {
  const text = payloadText(message);
  if (text === undefined) log.warn('Json Payload is empty.', aboutMessage(message));
  return text === undefined ? undefined : { text, owner: message };
}

/** Undefined when there is no document at all. */
function select(read: Source, pathOf: PathFor, message: MessageContext): JsonNode | undefined {
  const source = read(message);
  return source && pathOf(message).select(parsed(source));
}

/** `$` is the document as it was written; everything that cannot be found or evaluated is `''`. */
function textOf(read: Source, pathOf: PathFor, message: MessageContext, source: string): string {
  const result = attempt(
    message,
    (): string | JsonNode | undefined => {
      const document = read(message);
      if (!document) return undefined;
      const path = pathOf(message);
      return path.isRoot ? document.text : path.select(parsed(document));
    },
    source,
  );
  if (result === undefined) return '';
  return typeof result === 'string' ? result : plainText(result);
}

/** A missing path is normal; a document that cannot be read is worth a warning (MREQ-7). */
function attempt<T>(message: MessageContext, evaluate: () => T | undefined, source: string): T | undefined {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof JsonPathMissing) return undefined;
    if (!(error instanceof JsonSyntaxError || error instanceof ValueError)) throw error;
    log.warn(`Error evaluating ${source}: ${error.message}`, aboutMessage(message));
    return undefined;
  }
}

function nodesOf(evaluate: () => JsonNode | undefined, source: string): JsonValue[] {
  let result: JsonNode | undefined;
  try {
    result = evaluate();
  } catch (cause) {
    if (!(cause instanceof JsonPathMissing || cause instanceof JsonSyntaxError || cause instanceof ValueError))
      throw cause;
    throw new MediationError(`Error evaluating JSON Path <${source}>: ${cause.message}`, { cause });
  }
  if (!result) return [];
  const items = result.kind === 'array' ? result.items : [result];
  return jsonTexts(items).map((text) => new JsonValue(text));
}

function propertyOf(node: JsonNode | undefined): PropertyValue | null {
  if (!node || node.kind === 'null') return null;
  if (node.kind === 'string' || node.kind === 'boolean') return node.value;
  return new JsonValue(jsonText(node));
}

function parsed({ text, owner }: SourceText): JsonNode {
  return owner ? parsedPayload(owner, text) : parseLenientJson(text);
}
