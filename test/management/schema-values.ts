import fc from 'fast-check';

type Schema = Readonly<Record<string, unknown>>;

/** Any JSON, not large. */
export const anyValue = fc.jsonValue({ maxDepth: 3 });

const word = fc.oneof(
  fc.constantFrom(
    'Memory',
    'Spare',
    'Orders',
    'Forwarder',
    'Backend',
    'active',
    'inactive',
    'trigger',
    'enable',
    'info',
    '',
  ),
  fc.string({ maxLength: 20 }),
);

/** Values that a JSON schema lets through, mostly: what it does not look into may be anything. */
export function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  for (const keyword of ['anyOf', 'oneOf']) {
    const choices = schema[keyword];
    if (!Array.isArray(choices) || schema.type !== undefined) continue;
    return fc.oneof(...choices.map((choice: Schema) => valuesOf(choice)));
  }
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(valuesOf((schema.items ?? {}) as Schema), {
        minLength: Number(schema.minItems ?? 0),
        maxLength: 4,
      });
    case 'string':
      return word;
    case 'integer':
      return fc.integer({
        min: Number(schema.minimum ?? -10),
        max: Math.min(Number(schema.maximum ?? 10_000), 2 ** 31 - 1),
      });
    case 'number':
      return fc.double({ min: Number(schema.minimum ?? -10), max: Number(schema.maximum ?? 10), noNaN: true });
    case 'boolean':
      return fc.boolean();
    default:
      return anyValue;
  }
}

function objectOf(schema: Schema): fc.Arbitrary<unknown> {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
  const required = Array.isArray(schema.required) ? (schema.required as string[]) : [];
  const record = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valuesOf(inner)])),
    { requiredKeys: required.filter((name) => name in properties) },
  );
  const more = schema.additionalProperties;
  if (typeof more !== 'object' || more === null) return record;
  const others = fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), valuesOf(more as Schema), { maxKeys: 3 });
  return fc.tuple(record, others).map(([own, further]) => ({ ...further, ...own }));
}
