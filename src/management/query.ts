import { nearestName } from '../grammar/diagnostic.ts';
import { ManagementError } from './management-error.ts';
import type { QueryField, QueryFields } from './resource.ts';
import { problemsOf } from './validation.ts';

type Value = string | number | boolean;

/**
 * The query of a request as its resource declares it: values typed, defaults filled in.
 * @throws ManagementError 400 for unknown names (with the nearest one), names given twice, and values that do not fit
 */
export async function readQuery(
  fields: QueryFields,
  written: URLSearchParams,
): Promise<Readonly<Record<string, Value | undefined>>> {
  const values: Record<string, Value> = {};
  for (const [name, text] of written) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) throw unknownParameter(name, Object.keys(fields));
    if (name in values) throw new ManagementError(400, `The query parameter '${name}' is given twice`);
    values[name] = await readValue(name, field, text);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (name in values) continue;
    if (field.required) throw new ManagementError(400, `The query parameter '${name}' is missing`);
    if (field.default !== undefined) values[name] = field.default;
  }
  return values;
}

async function readValue(name: string, field: QueryField, text: string): Promise<Value> {
  const value = typed(field, text);
  const problems = value === undefined ? undefined : await problemsOf(schemaOf(field), value);
  if (value !== undefined && !problems) return value;
  const expected = problems?.details ?? [`expected ${field.type === 'integer' ? 'an integer' : `a ${field.type}`}`];
  throw new ManagementError(400, `The query parameter '${name}' cannot be ${JSON.stringify(text)}`, {
    details: expected.map((detail) => detail.replace(/^body\b/, name)),
  });
}

function typed(field: QueryField, text: string): Value | undefined {
  switch (field.type) {
    case 'string':
      return text;
    case 'boolean':
      return text === 'true' || text === '' ? true : text === 'false' ? false : undefined;
    case 'integer':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
    default:
      return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
  }
}

const schemas = new WeakMap<QueryField, Readonly<Record<string, unknown>>>();

/** The field without what JSON schema means otherwise: `required` is of objects there. */
export function schemaOf(field: QueryField): Readonly<Record<string, unknown>> {
  const known = schemas.get(field);
  if (known) return known;
  const { required: _, description: __, ...schema } = field;
  schemas.set(field, schema);
  return schema;
}

function unknownParameter(name: string, known: readonly string[]): ManagementError {
  const expected = known.length > 0 ? `expected one of: ${known.join(', ')}` : 'there are none here';
  return new ManagementError(400, `Unknown query parameter '${name}'`, {
    didYouMean: nearestName(name, known),
    details: [expected],
  });
}
