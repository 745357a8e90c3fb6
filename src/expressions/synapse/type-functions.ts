import { hashicorpAlias } from '../../grammar/secret-alias.ts';
import { registryText } from '../../message/entry.ts';
import { type JsonNode, JsonSyntaxError, parseLenientJson } from '../../message/json.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { MapValue } from '../../message/property-value.ts';
import { invalidArgument, textArgument } from './arguments.ts';
import type { Declaration, NonNullValue } from './functions.ts';
import {
  asNumber,
  asText,
  EvaluationError,
  isJson,
  type JsonContainer,
  jsonOfValue,
  Numeric,
  OuterText,
  printed,
  type Value,
} from './values.ts';

/** Functions that ask for types and convert between them, and look-ups by name (spec mediators 4.5.4). */
export const typeFunctions: Readonly<Record<string, Declaration>> = {
  isString: ofOne((value) => typeof value === 'string' || (value instanceof OuterText && !value.number)),
  isNumber: ofOne((value) => ['integer', 'double'].includes(asNumber(value)?.type ?? '')),
  isArray: ofOne((value) => containerIn(value)?.kind === 'array'),
  isObject: ofOne((value) => containerIn(value)?.kind === 'object'),
  string: ofOne(printed),
  integer: ofOne(toInteger),
  float: ofOne(toFloat),
  boolean: ofOne((value) => printed(value).toLowerCase() === 'true'),
  object: ofOne((value) => converted('object', value)),
  array: ofOne((value) => converted('array', value)),
  not: ofOne((value) => {
    if (typeof value !== 'boolean') throw invalidArgument('not');
    return !value;
  }),
  registry: {
    minimum: 1,
    maximum: 2,
    call([path, property], message) {
      const { registry } = message.configuration.services;
      const key = textArgument('registry', path);
      const found =
        property === undefined
          ? registryText(message.configuration, key)
          : registry?.property(key, textArgument('registry', property));
      if (found === undefined) throw new EvaluationError(`Could not find the registry resource: ${key}`);
      return found;
    },
  },
  'wso2-vault': {
    minimum: 1,
    maximum: 1,
    call: ([value], message) => secretOf(message, textArgument('wso2-vault', value)),
  },
  'hashicorp-vault': {
    minimum: 2,
    maximum: 3,
    call(values, message) {
      return secretOf(message, hashicorpAlias(values.map((value) => textArgument('hashicorp-vault', value))));
    },
  },
};

/** @throws EvaluationError for an alias that nobody knows */
function secretOf(message: MessageContext, alias: string): string {
  const secret = message.configuration.services.secrets?.lookup(alias);
  if (secret === undefined) throw new EvaluationError(`Could not find a secret with the alias: ${alias}`);
  return secret;
}

function ofOne(compute: (value: NonNullValue) => Value): Declaration {
  return { minimum: 1, maximum: 1, call: ([value]) => compute(value as NonNullValue) };
}

function toInteger(value: NonNullValue): Value {
  const text = printed(value);
  const number = /^[+-]?\d{1,10}$/.test(text) ? Numeric.integral(Number(text)) : undefined;
  if (number?.type !== 'integer') throw invalidArgument('integer');
  return number;
}

function toFloat(value: NonNullValue): Value {
  const text = printed(value).trim();
  if (!/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|Infinity)$/.test(text)) throw invalidArgument('float');
  return Numeric.double(Number(text));
}

/** An object or array, also as text. */
function containerIn(value: NonNullValue): JsonContainer | undefined {
  if (isJson(value)) return value;
  if (value instanceof MapValue) return jsonOfValue(value) as JsonContainer;
  const text = asText(value);
  if (text === undefined || !/^\s*[[{]/.test(text)) return undefined;
  return containerOf(text) ?? containerOf(text.replaceAll('\\', ''));
}

function containerOf(text: string): JsonContainer | undefined {
  let node: JsonNode;
  try {
    node = parseLenientJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
  return node.kind === 'object' || node.kind === 'array' ? node : undefined;
}

function converted(kind: 'object' | 'array', value: NonNullValue): Value {
  const found = containerIn(value);
  if (found?.kind !== kind) throw invalidArgument(kind);
  return found;
}
