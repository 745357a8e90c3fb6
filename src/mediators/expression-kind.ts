import type { Expression } from '../expressions/expression.ts';

/** `json-eval(…)` and `${…}` look at the payload as JSON, XPath as XML. */
export function isJsonExpression({ kind }: Expression): boolean {
  return kind !== 'xpath';
}

/** The path inside `json-eval(…)` or `${payload…}`, as a JSONPath from the payload; undefined for what is no plain path there. */
export function payloadPath({ kind, source }: Expression): string | undefined {
  if (kind === 'json-eval') return source.slice('json-eval('.length, -1);
  const inside = /^\$\{\s*(?:payload|\$)\s*((?:[.[].*)?)\}$/s.exec(source);
  return inside ? `$${(inside[1] ?? '').trim()}` : undefined;
}
