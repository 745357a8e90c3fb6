import { describe, expect, it } from 'vitest';
import { compileJsonPath } from '../../src/expressions/json-path.ts';
import { type JsonNode, parseLenientJson } from '../../src/message/json.ts';

/** Counted, not timed: what json-eval and `${…}` look at, both of which follow paths of this kind in a parsed document. */
class Looks {
  count = 0;

  /** The same document, whose values tell when they are looked at, and their lists when an entry is taken out of them. */
  watch(node: JsonNode): JsonNode {
    if (node.kind === 'array')
      return this.#told({ ...node, items: this.#list(node.items.map((item) => this.watch(item))) });
    if (node.kind !== 'object') return this.#told(node);
    const members = node.members.map(([key, value]) => [key, this.watch(value)] as const);
    return this.#told({ ...node, members: this.#list(members) });
  }

  #told(node: JsonNode): JsonNode {
    return new Proxy(node, {
      get: (target, name) => {
        if (name === 'kind') this.count += 1;
        return Reflect.get(target, name);
      },
    });
  }

  #list<T>(entries: readonly T[]): readonly T[] {
    return new Proxy(entries, {
      get: (target, name) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) this.count += 1;
        return Reflect.get(target, name);
      },
    });
  }
}

function orders(count: number): string {
  const items = Array.from({ length: count }, (_, id) => `{"id":${id},"y":{"z":[${id},1]}}`);
  return `{"list":[${items.join(',')}],"last":true}`;
}

function looksOf(path: string, count: number): number {
  const looks = new Looks();
  compileJsonPath(path).select(looks.watch(parseLenientJson(orders(count))));
  return looks.count;
}

describe('the cost of JSONPath', () => {
  it.each([
    '$..z',
    '$..*',
    '$.list[*].y.z[0]',
    '$.list[?(@.id == 5)].y',
    '$.list[?(@.y.z[0] > 5 && @.id < 50)].id',
    '$.list[?(@.id == $.last)].y',
    '$.list[0:]',
    '$..z.length()',
    '$..[?(@.id > 5)].id',
  ])('%s is linear', (path) => {
    const [small, large] = [looksOf(path, 100), looksOf(path, 10_000)];
    expect(small).toBeGreaterThan(100);
    expect(large).toBeLessThan(small * 101);
  });

  it.each(['$.last', '$.list[5].y.z', '$.list[-1].id', '$.list[0,1].id', '$.list[2:4].id'])(
    '%s looks at nothing else',
    (path) => {
      expect(looksOf(path, 10_000)).toBe(looksOf(path, 100));
      expect(looksOf(path, 10_000)).toBeLessThan(40);
    },
  );
});
