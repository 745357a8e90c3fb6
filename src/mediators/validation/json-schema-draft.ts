/** A JSON Schema as parsed JSON. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/**
 * The drafts 3 and 4, in which most artifacts are written, in the words of draft 7 (spec mediators 3.28). Schemas of later drafts pass
 * unchanged: where a keyword has two forms, its value tells which.
 */
export function asDraft7(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asDraft7);
  if (typeof schema !== 'object' || schema === null) return schema;
  const old = schema as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(old)) {
    if (VALUES.has(keyword)) result[keyword] = value;
    else if (MAPS.has(keyword)) result[keyword] = mapped(value);
    else if (keyword === '$schema') continue;
    else result[keyword] = asDraft7(value);
  }
  exclusive(old, result, 'exclusiveMinimum', 'minimum');
  exclusive(old, result, 'exclusiveMaximum', 'maximum');
  if (typeof old.id === 'string') {
    delete result.id;
    result.$id = old.id;
  }
  draft3(old, result);
  return result;
}

/** Keywords whose values are data, not schemas. */
const VALUES: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'examples', 'required', 'type']);
/** Keywords whose values are schemas by name. */
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependencies']);

function mapped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, asDraft7(schema)]));
}

/** `"exclusiveMinimum": true` beside `"minimum"`. */
function exclusive(old: Record<string, unknown>, result: Record<string, unknown>, flag: string, limit: string): void {
  if (typeof old[flag] !== 'boolean') return;
  delete result[flag];
  if (old[flag] !== true || old[limit] === undefined) return;
  result[flag] = old[limit];
  delete result[limit];
}

function draft3(old: Record<string, unknown>, result: Record<string, unknown>): void {
  if (typeof old.divisibleBy === 'number') {
    result.multipleOf = old.divisibleBy;
    delete result.divisibleBy;
  }
  if (old.type === 'any') delete result.type;
  if (typeof old.required === 'boolean') delete result.required;
  if (typeof old.properties !== 'object' || old.properties === null) return;
  const needed = Object.entries(old.properties).flatMap(([name, schema]) =>
    (schema as { required?: unknown } | null)?.required === true ? [name] : [],
  );
  if (needed.length > 0) result.required = [...(Array.isArray(old.required) ? old.required : []), ...needed];
}
