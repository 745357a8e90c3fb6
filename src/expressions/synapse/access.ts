import { JsonSyntaxError, parseLenientJson } from '../../message/json.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { MapValue, type PropertyValue } from '../../message/property-value.ts';
import { compileJsonPath, type JsonPath, JsonPathMissing } from '../json-path.ts';
import { payloadDocument } from '../payload-document.ts';
import type { Scope } from './tree.ts';
import { EvaluationError, fromProperty, jsonOfValue, OuterText, type Value, valueOfJson, XmlValue } from './values.ts';

declare module '../../message/configuration.ts' {
  interface Services {
    /** What `${configs.name}` stands for when a message asks. */
    configurationValue?: (name: string) => string | undefined;
    /** True: a `${…}` expression that fails is a fault instead of empty text (MREQ-24). */
    strictExpressions?: boolean;
  }
}

/** A compiled path with the text it was written as. */
export interface Path {
  readonly text: string;
  readonly compiled: JsonPath;
}

/** @throws ValueError for text that is no path */
export function pathOf(text: string): Path {
  return { text, compiled: compileJsonPath(`$${text}`) };
}

/**
 * Follows a path from a value.
 * @throws EvaluationError when it leads nowhere
 */
export function follow(value: Value, path: Path): Value {
  const document = typeof value === 'string' || value instanceof OuterText ? parsed(value) : value;
  if (document instanceof XmlValue) {
    throw new EvaluationError('Could not evaluate JSONPath expression: on non-JSON variable value');
  }
  try {
    return valueOfJson(path.compiled.select(jsonOfValue(document)));
  } catch (cause) {
    if (cause instanceof JsonPathMissing) throw new EvaluationError(`No results for path: $${path.text}`, { cause });
    throw cause;
  }
}

function parsed(value: string | OuterText): Value {
  const text = typeof value === 'string' ? value : value.text;
  try {
    return valueOfJson(parseLenientJson(text));
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new EvaluationError(`Could not evaluate JSONPath expression: the text is not JSON: ${cause.message}`, {
      cause,
    });
  }
}

/**
 * The payload, or what a path selects in it. A plain XML message by itself is its SOAP Body, everything else its JSON (spec
 * mediators 4.5.2).
 * @throws EvaluationError when there is none
 */
export function readPayload(message: MessageContext, path: Path | undefined): Value {
  if (!path && isPlainXml(message)) {
    return new XmlValue([message.payload.body()]);
  }
  const document = documentOf(message);
  return path ? follow(document, path) : document;
}

function isPlainXml({ axis2 }: MessageContext): boolean {
  const contentType = axis2.get('ContentType');
  return typeof contentType === 'string' && contentType.includes('application/xml');
}

function documentOf(message: MessageContext): Value {
  try {
    const root = payloadDocument(message);
    if (root) return valueOfJson(root);
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new EvaluationError(`the payload is not JSON: ${cause.message}`, { cause });
  }
  throw new EvaluationError('Payload is empty');
}

/**
 * A variable, or what a path selects in it; the first name of a path into a map is the key (spec mediators 4.5.2).
 * @throws EvaluationError
 */
export function readVariable(message: MessageContext, name: string, path: Path | undefined): Value {
  const stored = message.variables.get(name);
  if (stored === undefined) throw new EvaluationError(`Variable ${name} is not defined`);
  if (!path) return fromStored(stored);
  if (!(stored instanceof MapValue)) return follow(fromStored(stored), path);
  const [, quoted, rest = ''] = /^\[("(?:[^"\\]|\\.)*")\](.*)$/s.exec(path.text) ?? [];
  const key = quoted === undefined ? undefined : String(JSON.parse(quoted));
  const entry = key === undefined ? undefined : stored.entries.get(key);
  if (entry === undefined) return follow(stored, path);
  return rest === '' ? fromStored(entry) : follow(fromStored(entry), pathOf(rest));
}

function fromStored(value: PropertyValue): Value {
  try {
    return fromProperty(value);
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new EvaluationError(`the JSON of the variable cannot be read: ${cause.message}`, { cause });
  }
}

type Lookup = (message: MessageContext, name: string) => PropertyValue | null | undefined;

const LOOKUPS: Readonly<Record<Scope, Lookup>> = {
  header: ({ headers }, name) => headers.get(name),
  synapse: ({ properties }, name) => properties.get(name),
  axis2: ({ axis2 }, name) => axis2.get(name),
  query: ({ properties }, name) => properties.get(`query.param.${name}`),
  path: ({ properties }, name) => properties.get(`uri.var.${name}`),
  function: (message, name) => message.functionParameter(name),
  config: ({ configuration }, name) => configuration.services.configurationValue?.(name),
};

/** @throws EvaluationError when there is no such value */
export function readScope(message: MessageContext, scope: Scope, name: string): Value {
  const value = LOOKUPS[scope](message, name);
  if (value === undefined || value === null) {
    throw new EvaluationError(`Could not fetch the value of the key: ${name}`);
  }
  return typeof value === 'string' ? new OuterText(value) : fromStored(value);
}
