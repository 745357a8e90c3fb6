import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import { boundedRegex } from '../../expressions/bounded-regex.ts';
import { MediationError } from '../../message/errors.ts';
import { asDraft7 } from './json-schema-draft.ts';

/** Compiled schemas that are kept; the one that was not used for longest makes room. */
const MAX_KEPT = 64;

/** Undefined for a valid value, else the first thing that is wrong. */
export type JsonSchemaCheck = (value: unknown) => string | undefined;

const kept = new Map<string, JsonSchemaCheck>();

/** The schema library reads patterns with this: catastrophic ones are stopped. */
const REGEX_ENGINE = Object.assign(
  (pattern: string, flags: string) => {
    const bounded = boundedRegex(new RegExp(pattern, flags), pattern, false);
    return { test: (text: string) => bounded.exec(text) !== null };
  },
  { code: 'undefined' },
);

const OPTIONS: Options = {
  strict: false,
  allErrors: false,
  logger: false,
  validateSchema: false,
  code: { regExp: REGEX_ENGINE },
};

/**
 * Compiles a JSON Schema, or finds it compiled: draft 4 unless its `$schema` says another one (spec mediators 3.28). References to
 * other documents are never fetched.
 * @throws MediationError in the reference's words when it is none
 */
export async function jsonSchema(text: string): Promise<JsonSchemaCheck> {
  const known = kept.get(text);
  if (known) {
    kept.delete(text);
    kept.set(text, known);
    return known;
  }
  const check = await compile(text);
  kept.set(text, check);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  return check;
}

async function compile(text: string): Promise<JsonSchemaCheck> {
  try {
    const schema = JSON.parse(text) as { $schema?: unknown } | boolean;
    const validate = (await validatorFor(schema))(schema);
    return (value) => {
      if (holds(validate, value)) return undefined;
      const [first] = validate.errors ?? [];
      return first ? wordsOf(first, value) : 'the value does not match the schema';
    };
  } catch (cause) {
    if (cause instanceof MediationError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MediationError(`Error while validating the JSON Schema: ${reason}`, { cause });
  }
}

function holds(validate: ValidateFunction, value: unknown): boolean {
  try {
    return validate(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new MediationError('Error while validating the JSON Schema: the schema refers to itself without end', {
      cause,
    });
  }
}

/** The library is loaded when a message first needs it. */
async function validatorFor(schema: { $schema?: unknown } | boolean): Promise<(schema: unknown) => ValidateFunction> {
  const dialect = typeof schema === 'object' && schema !== null ? String(schema.$schema ?? '') : '';
  const { default: formats } = await import('ajv-formats');
  if (dialect.includes('2020-12') || dialect.includes('2019-09')) {
    const ajv = dialect.includes('2020-12')
      ? new (await import('ajv/dist/2020.js')).Ajv2020(OPTIONS)
      : new (await import('ajv/dist/2019.js')).Ajv2019(OPTIONS);
    formats.default(ajv);
    quickUniqueItems(ajv);
    return (wanted) => ajv.compile(wanted as object);
  }
  const { Ajv } = await import('ajv');
  const ajv = new Ajv(OPTIONS);
  formats.default(ajv);
  quickUniqueItems(ajv);
  return (wanted) => ajv.compile(asDraft7(wanted) as object);
}

/** The library compares every item with every other one: with the hundred thousand items of a message that takes minutes. */
function quickUniqueItems(ajv: Ajv): void {
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must NOT have duplicate items' },
    validate: (wanted: boolean, items: unknown[]) => !wanted || new Set(items.map(canonical)).size === items.length,
  });
}

/** The same text for values that JSON Schema takes for equal. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join()}}`;
}

/** The reference's words for what happens most; the library's for the rest. */
function wordsOf({ keyword, params, message, instancePath }: ErrorObject, value: unknown): string {
  const place = instancePath === '' ? '' : ` at ${instancePath}`;
  const parameters = params as Record<string, unknown>;
  if (keyword === 'required') {
    return `object has missing required properties (["${String(parameters.missingProperty)}"])${place}`;
  }
  if (keyword === 'type') {
    const allowed = ([] as unknown[]).concat(parameters.type).map((type) => `"${String(type)}"`);
    const found = typeOf(at(value, instancePath));
    return `instance type (${found}) does not match any allowed primitive type (allowed: [${allowed.join(',')}])${place}`;
  }
  return `${message ?? `the value breaks '${keyword}'`}${place}`;
}

function at(value: unknown, pointer: string): unknown {
  let found = value;
  for (const step of pointer.split('/').slice(1)) {
    found = (found as Record<string, unknown>)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
