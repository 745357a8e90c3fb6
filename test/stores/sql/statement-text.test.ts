import { describe, expect, test } from 'vitest';
import { javaText } from '../../../src/stores/sql/java-text.ts';
import {
  numberedParameters,
  parameterCount,
  splitStatements,
  withoutJdbcEscape,
} from '../../../src/stores/sql/statement-text.ts';

describe('the text of a statement', () => {
  test.each([
    ['SELECT 1', ['SELECT 1']],
    [' a ; b;; ', ['a', 'b']],
    ["INSERT INTO t VALUES (';', ';')", ["INSERT INTO t VALUES (';', ';')"]],
    ["a 'it''s;' \"x;\" `y;` -- ;\n; b /* ; */", ["a 'it''s;' \"x;\" `y;` -- ;", 'b /* ; */']],
    ['DO $x$ BEGIN; END $x$; b', ['DO $x$ BEGIN; END $x$', 'b']],
    ['CREATE PROCEDURE p() BEGIN a; b; END', ['CREATE PROCEDURE p() BEGIN a; b; END']],
    ['', []],
  ])('%j is split', (text, statements) => {
    expect(splitStatements(text)).toEqual(statements);
  });

  test('places for values are those outside of quotes and comments', () => {
    expect(numberedParameters("a = ? AND b = '?' AND \"?\" = ? /* ? */ AND c ?? 'k' -- ?")).toEqual({
      text: "a = $1 AND b = '?' AND \"?\" = $2 /* ? */ AND c ? 'k' -- ?",
      count: 2,
    });
    expect(parameterCount('$$ ? $$')).toBe(0);
  });

  test("JDBC's way of calling is taken off", () => {
    expect(withoutJdbcEscape('{ call p(?, ?) }')).toBe('call p(?, ?)');
    expect(withoutJdbcEscape('{? = call p(?)}')).toBe('call p(?)');
    expect(withoutJdbcEscape("select '{call x}'")).toBe("select '{call x}'");
  });
});

test.each([
  [200, 'double', '200.0'],
  ['1e13', 'double', '1.0E13'],
  ['t', 'boolean', 'true'],
  [0, 'boolean', 'false'],
  [Buffer.from([1]), 'boolean', 'true'],
  [Buffer.from([1, 0]), 'bits', '256'],
  ['2024-05-01 10:00:00', 'timestamp', '2024-05-01 10:00:00.0'],
  [12n, undefined, '12'],
  [Buffer.from('é'), undefined, 'é'],
  [null, 'double', null],
] as const)('javaText(%s, %s) is %s', (value, type, text) => {
  expect(javaText(value, type)).toBe(text);
});
