import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { MediationError } from '../../src/message/errors.ts';
import { type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import { messageWithBody } from './a-message.ts';

const DOCUMENT = '<r><x>1</x><x>2</x><y a="q"> t </y><e/></r>';

function message() {
  const context = messageWithBody(DOCUMENT);
  context.properties.set('foo', 'bar');
  context.properties.set('num', new TypedNumber('INTEGER', 5));
  context.properties.set('s', '7');
  context.properties.set('bool', true);
  context.properties.set('boolStr', 'false');
  // Artifacts have no way to make such a list; a class mediator in JavaScript has, whose types nobody checks.
  context.properties.set('list', ['one', 'two'] as unknown as PropertyValue);
  return context;
}

/** Spec mediators 7.1; the three of `$ctx:num` as MREQ-20 has them. */
const VECTORS: ReadonlyArray<readonly [expression: string, text: string | null, truth: boolean]> = [
  ['count(//x)', '2.0', true],
  ["concat('n=',count(//x))", 'n=2', true],
  ["fn:concat('n=',count(//x))", 'n=2', true],
  ['1000000 * 10000000', '1.0E13', true],
  ["concat('',1000000 * 10000000)", '10000000000000', true],
  ['1 div 0', 'Infinity', true],
  ['0 div 0', 'NaN', false],
  ['//x', '<x>1</x><x>2</x>', true],
  ['//x[2]', '2', true],
  ['string(//x)', '1', true],
  ['//y', 't', true],
  ['//y/text()', ' t ', true],
  ['//e', '<e/>', true],
  ['//y/@a', 'q', true],
  ['//zz', '', false],
  ['//x/text()', '12', true],
  ["fn:lower-case('AbC')", 'abc', true],
  ["fn:ends-with('abc','c')", 'true', true],
  ['$ctx:foo', 'bar', true],
  ['$ctx:num', '5', true],
  ['$ctx:missing', null, false],
  ['$ctx:list', '', true],
  ["concat('a',$ctx:missing,'b')", 'ab', true],
  ['$ctx:num + 1', '6.0', true],
  ['$ctx:num = 5', 'true', true],
  ['$ctx:num > 2', 'true', true],
  ['$ctx:s + 1', '8.0', true],
  ['not($ctx:boolStr)', 'false', false],
  ["$ctx:missing = 'a'", 'false', false],
  ["$ctx:missing != 'a'", 'false', false],
  ["'5' > '10'", 'false', false],
  ['-5 mod 3', '-2.0', true],
  ['round(-2.5)', '-2.0', true],
  ['floor(-1.5)', '-2.0', true],
];

describe('XPath vectors (spec mediators 7.1)', () => {
  it.each(VECTORS)('%s → %j, %s', (source, text, truth) => {
    const expression = compileExpression(source, {});
    expect(expression.kind).toBe('xpath');
    expect(expression.stringValue(message())).toBe(text);
    expect(expression.booleanValue(message())).toBe(truth);
  });

  it.each(["matches('a','a')", "tokenize('a,b',',')", 'current-dateTime()', 'nope()'])('%s faults', (source) => {
    const expression = compileExpression(source, {});
    expect(expression.warnings).toHaveLength(1);
    expect(() => expression.stringValue(message())).toThrow(MediationError);
    expect(() => expression.booleanValue(message())).toThrow(
      `Evaluation of the XPath expression ${source} resulted in an error`,
    );
  });

  it.each([
    ['1e3', /column 2/],
    ['if (1=1) then 2 else 3', /column 4/],
  ])('%s is refused at deployment', (source, problem) => {
    expect(() => compileExpression(source, {})).toThrow(problem);
  });
});
