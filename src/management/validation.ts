import type { ErrorObject, ValidateFunction } from 'ajv';
import type { JsonSchema } from './resource.ts';

/** What is wrong with a value: in one line, and each problem. */
export interface ValidationProblems {
  readonly text: string;
  readonly details: readonly string[];
}

/** Problems that are told; a body may have as many as it has members. */
const MAX_DETAILS = 20;

type Compile = (schema: JsonSchema) => ValidateFunction;

let compile: Promise<Compile> | undefined;
const compiled = new WeakMap<JsonSchema, ValidateFunction>();

/** Undefined when the value is valid. The validator is loaded with the first value that needs it. */
export async function problemsOf(schema: JsonSchema, value: unknown): Promise<ValidationProblems | undefined> {
  const validate = compiled.get(schema) ?? (await compileSchema(schema));
  if (validate(value)) return undefined;
  const errors = validate.errors ?? [];
  const missing = errors.some(({ keyword }) => keyword === 'required') || Array.isArray(value);
  // The reference's words for what it knows (spec stores 7.2).
  const text = missing ? 'Missing parameters in payload' : 'Wrong parameters in payload';
  return { text, details: errors.slice(0, MAX_DETAILS).map(describe) };
}

async function compileSchema(schema: JsonSchema): Promise<ValidateFunction> {
  compile ??= loadValidator();
  const validate = (await compile)(schema);
  compiled.set(schema, validate);
  return validate;
}

async function loadValidator(): Promise<Compile> {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const { default: formats } = await import('ajv-formats');
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  (formats as unknown as (target: unknown) => void)(ajv);
  return (schema) => ajv.compile(schema);
}

function describe({ instancePath, keyword, params, message }: ErrorObject): string {
  const place = instancePath.slice(1).replaceAll('/', '.') || 'body';
  if (keyword === 'enum') return `${place} must be one of: ${(params.allowedValues as unknown[]).join(', ')}`;
  if (keyword === 'additionalProperties')
    return `${place} has an unknown member '${String(params.additionalProperty)}'`;
  return `${place} ${message ?? keyword}`;
}
