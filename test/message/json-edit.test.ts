import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileJsonPath } from '../../src/expressions/json-path.ts';
import { jsonText } from '../../src/expressions/json-text.ts';
import { parseJson } from '../../src/message/json.ts';
import { definiteSteps, jsonAt, withJsonAt } from '../../src/message/json-edit.ts';

const set = (json: string, path: string, value: string) => {
  const changed = withJsonAt(parseJson(json), definiteSteps(path) ?? [], parseJson(value));
  return changed && jsonText(changed);
};

describe('the steps of a path', () => {
  it.each([
    ['$', []],
    ['$.a.b', ['a', 'b']],
    ['a[0].b', ['a', 0, 'b']],
    ["$['a b'][\"c'd\"]", ['a b', "c'd"]],
    ['$.a-b', ['a-b']],
  ])('%s', (path, steps) => {
    expect(definiteSteps(path)).toEqual(steps);
  });

  it.each(['$..a', '$.*', '$.a[*]', '$.a[?(@.b)]', '$.a[0:1]', '$.a[-1]', '$.a.length()'])(
    '%s leads to no one place',
    (path) => {
      expect(definiteSteps(path)).toBe(undefined);
    },
  );
});

describe('changing one place', () => {
  it('leaves everything else as it was, digits included', () => {
    expect(set('{"a":1.50,"b":[1,{"c":2}]}', '$.b[1].c', '"x"')).toBe('{"a":1.50,"b":[1,{"c":"x"}]}');
    expect(set('[1,2]', '$', '3')).toBe('3');
  });

  it('adds a member that is missing, but no way to it', () => {
    expect(set('{"a":1}', '$.b', '2')).toBe('{"a":1,"b":2}');
    expect(set('{"a":1}', '$.b.c', '2')).toBe(undefined);
    expect(set('{"a":1}', '$.a.c', '2')).toBe(undefined);
    expect(set('[1]', '$[3]', '2')).toBe(undefined);
  });

  it('finds what reading finds, and reads what was put there', () => {
    const key = fc.constantFrom('a', 'b', 'c d', "e'f");
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(fc.dictionary(key, value), fc.array(key, { minLength: 1, maxLength: 3 }), (object, keys) => {
        const root = parseJson(JSON.stringify(object));
        const path = `$${keys.map((one) => `['${one.replace("'", "\\'")}']`).join('')}`;
        const steps = definiteSteps(path) ?? [];
        expect(steps).toEqual(keys);
        const found = jsonAt(root, steps);
        const changed = withJsonAt(root, steps, { kind: 'string', value: 'new' });
        if (found) expect(compileJsonPath(path).select(root)).toBe(found);
        if (changed) expect(jsonAt(changed, steps)).toEqual({ kind: 'string', value: 'new' });
        expect(found !== undefined && changed === undefined).toBe(false);
      }),
    );
  });
});
