import type { JsonSchema } from './resource.ts';

/** Schemas that many answers are made of. */
export const TEXT = { type: 'string' } as const satisfies JsonSchema;
export const BOOLEAN = { type: 'boolean' } as const satisfies JsonSchema;
export const INTEGER = { type: 'integer' } as const satisfies JsonSchema;
export const COUNT = { type: 'integer', minimum: 0 } as const satisfies JsonSchema;
export const NUMBER = { type: 'number' } as const satisfies JsonSchema;
/** ISO 8601. */
export const TIME = { type: 'string', format: 'date-time' } as const satisfies JsonSchema;
export const TEXTS = { type: 'array', items: TEXT } as const satisfies JsonSchema;

/** An object whose members named here are always there; others may be besides. */
export function object(
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...optional } };
}

/** `{"Message":"…"}`, as the reference answers actions. */
export const MESSAGE = object({ Message: TEXT });
