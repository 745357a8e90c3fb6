import { jsonText } from '../../expressions/json-text.ts';
import { compileWholeMatch } from '../../expressions/regex.ts';
import { MediationError } from '../../message/errors.ts';
import type { JsonNode } from '../../message/json.ts';

/** A schema as parsed JSON; what is none is ignored. */
type Schema = Readonly<Record<string, unknown>>;

const KINDS = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const;
type Type = (typeof KINDS)[number];
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const MAX_DEPTH = 256;

/** In which order several types are tried, by the kind of the value (spec mediators 3.38). */
const PREFERENCES: Readonly<Record<JsonNode['kind'], readonly Type[]>> = {
  boolean: ['boolean', 'string', 'array'],
  number: ['integer', 'number', 'string', 'array'],
  string: ['string', 'boolean', 'integer', 'number', 'null', 'array'],
  object: ['object', 'array'],
  array: ['array'],
  null: ['null', 'array'],
};

/**
 * Brings a value into the shape that a schema asks for: text becomes numbers and truth values, single values arrays (spec mediators
 * 3.38), and checks it against the keywords that the reference knows.
 * @throws MediationError for what cannot be brought into shape, or breaks a keyword
 */
export function coerced(node: JsonNode, schema: unknown, place = '$', depth = 0): JsonNode {
  if (schema === true || !isSchema(schema)) {
    if (schema === false) throw new MediationError('JSON schema is false, so all validations will fail');
    return node;
  }
  if (depth > MAX_DEPTH) throw new MediationError(`the schema is nested deeper than ${MAX_DEPTH}`);
  const types = typesOf(schema);
  const shaped = types.length === 0 ? node : shapedAs(node, types, place);
  const inner = innerOf(shaped, schema, place, depth);
  const problem = problemOf(inner, schema);
  if (problem !== undefined) throw new MediationError(`${problem} at ${place}`);
  return inner;
}

function isSchema(schema: unknown): schema is Schema {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema);
}

function typesOf({ type }: Schema): Type[] {
  return ([] as unknown[]).concat(type ?? []).filter((one): one is Type => KINDS.includes(one as Type));
}

function shapedAs(node: JsonNode, types: readonly Type[], place: string): JsonNode {
  for (const type of PREFERENCES[node.kind]) {
    if (!types.includes(type)) continue;
    const shaped = as(node, type);
    if (shaped) return shaped;
  }
  throw new MediationError(`${shown(node)} cannot be converted to ${types.join(' or ')} at ${place}`);
}

/** The value as one type; undefined where that cannot be. */
function as(node: JsonNode, type: Type): JsonNode | undefined {
  switch (type) {
    case 'object':
      return node.kind === 'object' ? node : undefined;
    case 'array':
      return node.kind === 'array' ? node : { kind: 'array', items: [node] };
    case 'string':
      if (node.kind === 'string') return node;
      if (node.kind === 'number') return { kind: 'string', value: node.text };
      return node.kind === 'boolean' ? { kind: 'string', value: String(node.value) } : undefined;
    case 'boolean':
      if (node.kind === 'boolean') return node;
      return node.kind === 'string' && /^(?:true|false)$/.test(node.value)
        ? { kind: 'boolean', value: node.value === 'true' }
        : undefined;
    case 'null':
      return node.kind === 'null' || (node.kind === 'string' && node.value === 'null') ? { kind: 'null' } : undefined;
    default: {
      const text = node.kind === 'number' ? node.text : node.kind === 'string' ? node.value.trim() : '';
      if (!NUMBER.test(text) || (type === 'integer' && !Number.isInteger(Number(text)))) return undefined;
      return { kind: 'number', text };
    }
  }
}

function innerOf(node: JsonNode, schema: Schema, place: string, depth: number): JsonNode {
  if (node.kind === 'array') return withItems(node.items, schema, place, depth);
  return node.kind === 'object' ? withMembers(node.members, schema, place, depth) : node;
}

function withItems(items: readonly JsonNode[], schema: Schema, place: string, depth: number): JsonNode {
  const { items: wanted, additionalItems } = schema;
  const list = Array.isArray(wanted) ? wanted : undefined;
  if (list && additionalItems === false && items.length > list.length) {
    throw new MediationError(`Array has more items than the schema allows at ${place}`);
  }
  return {
    kind: 'array',
    items: items.map((item, index) => {
      const own = list ? (index < list.length ? list[index] : additionalItems) : wanted;
      return own === undefined ? item : coerced(item, own, `${place}[${index}]`, depth + 1);
    }),
  };
}

function withMembers(
  members: ReadonlyArray<readonly [string, JsonNode]>,
  schema: Schema,
  place: string,
  depth: number,
): JsonNode {
  const { properties, patternProperties, additionalProperties } = schema;
  const named = isSchema(properties) ? properties : {};
  const patterns = isSchema(patternProperties) ? Object.entries(patternProperties) : [];
  return {
    kind: 'object',
    members: members.map(([key, value]) => {
      const inside = `${place}.${key}`;
      const own = Object.hasOwn(named, key) ? [named[key]] : [];
      own.push(...patterns.filter(([pattern]) => matches(pattern, key, false)).map(([, one]) => one));
      if (own.length > 0) return [key, own.reduce((v: JsonNode, one) => coerced(v, one, inside, depth + 1), value)];
      if (additionalProperties === false) {
        throw new MediationError(`The property '${key}' is not allowed by the schema at ${place}`);
      }
      return [key, isSchema(additionalProperties) ? coerced(value, additionalProperties, inside, depth + 1) : value];
    }),
  };
}

/** What a value breaks; undefined if nothing. */
function problemOf(node: JsonNode, schema: Schema): string | undefined {
  const { enum: allowed, const: only } = schema;
  const text = canonical(node);
  if (Array.isArray(allowed) && !allowed.some((one) => JSON.stringify(one) === text)) {
    return `${shown(node)} is none of the values of 'enum'`;
  }
  if (only !== undefined && JSON.stringify(only) !== text) return `${shown(node)} is not the value of 'const'`;
  if (node.kind === 'object') return problemOfObject(node.members, schema);
  if (node.kind === 'array') return problemOfArray(node.items, schema);
  if (node.kind === 'string') return problemOfText(node.value, schema);
  return node.kind === 'number' ? problemOfNumber(Number(node.text), schema) : undefined;
}

function problemOfObject(members: ReadonlyArray<readonly [string, JsonNode]>, schema: Schema): string | undefined {
  const keys = new Set(members.map(([key]) => key));
  const missing = (Array.isArray(schema.required) ? schema.required : []).filter((key) => !keys.has(String(key)));
  if (missing.length > 0) return `The object lacks the required properties ${missing.join(', ')}`;
  return outside(keys.size, schema.minProperties, schema.maxProperties, 'number of properties');
}

function problemOfArray(items: readonly JsonNode[], schema: Schema): string | undefined {
  if (schema.uniqueItems === true && new Set(items.map(canonical)).size < items.length)
    return 'Array items are not unique';
  return outside(items.length, schema.minItems, schema.maxItems, 'number of items');
}

function problemOfText(text: string, schema: Schema): string | undefined {
  if (typeof schema.pattern === 'string' && !matches(schema.pattern, text, true)) {
    return `'${text.slice(0, 100)}' does not match the pattern ${schema.pattern}`;
  }
  return outside([...text].length, schema.minLength, schema.maxLength, 'length');
}

function problemOfNumber(value: number, schema: Schema): string | undefined {
  const { multipleOf, exclusiveMinimum, exclusiveMaximum } = schema;
  if (typeof multipleOf === 'number' && multipleOf > 0) {
    const quotient = value / multipleOf;
    if (Math.abs(quotient - Math.round(quotient)) > 1e-9) return `${value} is not a multiple of ${multipleOf}`;
  }
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
    return `${value} is not above ${exclusiveMinimum}`;
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
    return `${value} is not below ${exclusiveMaximum}`;
  return outside(value, schema.minimum, schema.maximum, 'value');
}

function outside(value: number, minimum: unknown, maximum: unknown, what: string): string | undefined {
  if (typeof minimum === 'number' && value < minimum) return `The ${what} ${value} is less than ${minimum}`;
  if (typeof maximum === 'number' && value > maximum) return `The ${what} ${value} is more than ${maximum}`;
  return undefined;
}

/** Text by which values of schema and document compare. */
function canonical(node: JsonNode): string {
  return JSON.stringify(JSON.parse(jsonText(node)));
}

function matches(pattern: string, text: string, whole: boolean): boolean {
  return compileWholeMatch(whole ? pattern : `(?s).*(?:${pattern}).*`)(text) !== undefined;
}

function shown(node: JsonNode): string {
  return jsonText(node).slice(0, 100);
}
