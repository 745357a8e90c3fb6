import { queryObjects } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileXPath, parseXPath, type XPathEnvironment, XPathSyntaxError } from '../../src/xml/xpath/index.ts';
import { treeOf } from '../../src/xml/xpath/known-trees.ts';

class Nothing implements XPathEnvironment<undefined> {
  readonly namespaces = { p: 'urn:p' };
  readonly contextNode = () => {
    throw new Error('no expression here asks for a node');
  };
  variable() {
    return () => 3;
  }
  function() {
    return () => 4;
  }
}

describe('the tree of an expression', () => {
  const name = fc.constantFrom('a', 'p:b', '@c', '*', 'text()', 'parent::node()');
  const expression = fc
    .tuple(fc.array(name, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '[1]', "[. = 'x']", ' or $v', ' + 1'))
    .map(([steps, end]) => `//${steps.join('/')}${end}`);

  test('is the one that was parsed, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(expression, { maxLength: 20 }), (sources) => {
        for (const source of sources) expect(treeOf(source)).toEqual(parseXPath(source));
      }),
    );
  });

  test('is the same for the same letters', () => {
    expect(treeOf('//same/letters')).toBe(treeOf('//same/letters'));
    expect(treeOf('//same/letters ')).not.toBe(treeOf('//same/letters'));
  });

  test('is forgotten after a thousand others, and not remembered at all when it is very long', () => {
    const first = treeOf('//first');
    for (let number = 0; number < 1_000; number += 1) treeOf(`//other[${number}]`);
    expect(treeOf('//first')).not.toBe(first);
    const long = `//a[${'1 + '.repeat(200)}1]`;
    expect(treeOf(long)).not.toBe(treeOf(long));
  });

  test('of what is no expression is refused each time', () => {
    for (let time = 0; time < 2; time += 1) expect(() => treeOf('//a[')).toThrow(XPathSyntaxError);
  });
});

test('what is compiled does not keep where it got its variables, functions and namespaces from', () => {
  const compiled = ['$v + f(1, 2) * 2', "concat('a', string($v))", '$v > 1 and f() = 4', '-f($v)'].map((source) =>
    compileXPath(source, new Nothing()),
  );
  expect(queryObjects(Nothing, { format: 'count' })).toBe(0);
  expect(compiled.map(({ evaluate }) => evaluate(undefined))).toEqual([11, 'a3', true, -4]);
});
