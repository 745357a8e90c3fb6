import type { JsonNode } from './json.ts';

/** One step of a definite JSONPath: a member or an index. */
export type JsonStep = string | number;

const SEGMENT = /\.([^.[\]\s()*?@]+)|\[\s*'((?:[^'\\]|\\.)*)'\s*\]|\[\s*"((?:[^"\\]|\\.)*)"\s*\]|\[\s*(\d+)\s*\]/y;

/**
 * The steps of a JSONPath that leads to one place (`$.a.b[0]['c d']`), for changing what is there; undefined for every other path.
 * A missing `$` is added, as for reading.
 */
export function definiteSteps(path: string): readonly JsonStep[] | undefined {
  const trimmed = path.trim();
  const rest = trimmed.startsWith('$') ? trimmed.slice(1) : trimmed.startsWith('[') ? trimmed : `.${trimmed}`;
  const steps: JsonStep[] = [];
  for (let at = 0; at < rest.length; at = SEGMENT.lastIndex) {
    SEGMENT.lastIndex = at;
    const match = SEGMENT.exec(rest);
    if (!match) return undefined;
    const [, plain, single, double, index] = match;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(plain ?? (single ?? double ?? '').replace(/\\(.)/g, '$1'));
  }
  return steps;
}

/** What stands at a place; undefined when nothing does. */
export function jsonAt(root: JsonNode, steps: readonly JsonStep[]): JsonNode | undefined {
  let node: JsonNode | undefined = root;
  for (const step of steps) {
    if (node?.kind === 'array') node = typeof step === 'number' ? node.items[step] : undefined;
    else if (node?.kind === 'object') node = node.members.findLast(([key]) => key === step)?.[1];
    else return undefined;
  }
  return node;
}

/**
 * The document with another value at a place. A missing member is added at the end of its object; undefined when the place cannot
 * exist, for example below a number. What does not lie on the way is shared, not copied.
 */
export function withJsonAt(root: JsonNode, steps: readonly JsonStep[], value: JsonNode): JsonNode | undefined {
  const [step, ...further] = steps;
  if (step === undefined) return value;
  if (root.kind === 'array' && typeof step === 'number') {
    const item = root.items[step];
    const changed = item && withJsonAt(item, further, value);
    return changed && { kind: 'array', items: root.items.with(step, changed) };
  }
  if (root.kind !== 'object' || typeof step !== 'string') return undefined;
  const index = root.members.findLastIndex(([key]) => key === step);
  const present = root.members[index]?.[1];
  const changed = present ? withJsonAt(present, further, value) : further.length === 0 ? value : undefined;
  if (!changed) return undefined;
  const members = [...root.members];
  if (present) members[index] = [step, changed];
  else members.push([step, changed]);
  return { kind: 'object', members };
}
