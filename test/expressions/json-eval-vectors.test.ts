import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { messageWithJson } from './a-message.ts';

const FIRST =
  '{"a":10,"d":1.5,"l":3000000000,"s":"str","n":null,"b":true,"arr":[1,2.5,"x",null],"o":{"k":1,"z":1.0,"members":[1]},"e":{},"q.r":5,"dup":[{"id":1,"v":"p"},{"id":2,"v":"q"}]}';
const SECOND = '{"d":1.50,"e":1E3,"z":-0,"arr":[1.50,1E3,7]}';

/** Spec mediators 7.2; `$.o` as MREQ-21 has it. */
const VECTORS: ReadonlyArray<readonly [path: string, text: string]> = [
  ['$.a', '10'],
  ['a', '10'],
  ['$.l', '3000000000'],
  ['$.s', 'str'],
  ['$.b', 'true'],
  ['$.n', 'null'],
  ['$.arr[-1]', 'null'],
  ['$.arr', '[1,2.5,"x",null]'],
  ['$.arr[9]', ''],
  ['$.missing', ''],
  ['$.o.missing', ''],
  ['$..missing', '[]'],
  ['$.o', '{"k":1,"z":1.0,"members":[1]}'],
  ['$.o.k', '1'],
  ['$.o.z', '1.0'],
  ['$.e', '{}'],
  ["$['q.r']", '5'],
  ['$..id', '[1,2]'],
  ['$.dup[?(@.id==2)].v', '["q"]'],
  ['$.dup[?(@.id==9)].v', '[]'],
  ['$.dup[*].id', '[1,2]'],
  ['$.dup[0,1].v', '["p","q"]'],
  ['$.dup[0:1]', '[{"id":1,"v":"p"}]'],
  ['$.arr.length()', '4'],
  ['$.arr.sum()', '3.5'],
  ['$.arr.min()', '1.0'],
  ['$.o.keys()', '["k","z","members"]'],
  ["$['a','d']", '{"a":10,"d":1.5}'],
  ['$', FIRST],
];

/** MREQ-41: numbers keep the text they were written with, wherever they stand. */
const NUMBERS: ReadonlyArray<readonly [path: string, text: string]> = [
  ['$.d', '1.50'],
  ['$.e', '1E3'],
  ['$.z', '-0'],
  ['$.arr[0]', '1.50'],
  ['$.arr[1]', '1E3'],
  ['$.arr', '[1.50,1E3,7]'],
];

describe('json-eval vectors (spec mediators 7.2)', () => {
  it.each(VECTORS)('%s → %s', (path, text) => {
    const expression = compileExpression(`json-eval(${path})`, {});
    expect(expression).toMatchObject({ kind: 'json-eval', needsBody: true });
    expect(expression.stringValue(messageWithJson(FIRST))).toBe(text);
  });

  it.each(NUMBERS)('%s of numbers → %s', (path, text) => {
    expect(compileExpression(`json-eval(${path})`, {}).stringValue(messageWithJson(SECOND))).toBe(text);
  });
});
