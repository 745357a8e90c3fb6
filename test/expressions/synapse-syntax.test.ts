import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conventionalReading, literalReading } from '../../src/expressions/synapse/grouping.ts';
import { parseSynapseExpression } from '../../src/expressions/synapse/syntax.ts';
import type { Tree } from '../../src/expressions/synapse/tree.ts';
import { ValueError } from '../../src/grammar/attributes.ts';

/** Writes a tree with parentheses around everything that has parts. */
function written(tree: Tree): string {
  switch (tree.kind) {
    case 'literal':
      return typeof tree.value === 'string' ? `'${tree.value}'` : String(tree.value);
    case 'number':
      return tree.text;
    case 'list':
      return `[${tree.items.map(written).join(', ')}]`;
    case 'operation':
      return `(${written(tree.left)} ${tree.operator} ${written(tree.right)})`;
    case 'condition':
      return `(${written(tree.test)} ? ${written(tree.yes)} : ${written(tree.no)})`;
    case 'payload':
      return `payload${pathText(tree.path)}`;
    case 'variable':
      return `vars["${tree.name}"]${pathText(tree.path)}`;
    case 'lookup':
      return `${PREFIXES[tree.scope]}["${tree.name}"]`;
    case 'call':
      return `${tree.name}(${tree.args.map(written).join(', ')})${pathText(tree.path)}`;
    case 'row':
      throw new Error('a row cannot be written in parentheses');
  }
}

const PREFIXES = {
  header: 'headers',
  synapse: 'props.synapse',
  axis2: 'properties.axis2',
  query: 'params.queryParams',
  path: 'params.pathParams',
  function: 'params.functionParams',
  config: 'configs',
} as const;

function pathText(path: ReadonlyArray<string | Tree>): string {
  return path.map((piece) => (typeof piece === 'string' ? piece : written(piece))).join('');
}

const key = fc.stringMatching(/^[A-Za-z0-9_.@ -]{1,8}$/);

const { tree } = fc.letrec<{ tree: Tree; path: ReadonlyArray<string | Tree> }>((tie) => ({
  path: fc.oneof(
    fc.constant([]),
    fc
      .array(key, { minLength: 1, maxLength: 3 })
      .map((keys) => [keys.map((one) => `[${JSON.stringify(one)}]`).join('')]),
    tie('tree').map((left) => {
      const index: Tree = { kind: 'operation', operator: '+', left, right: { kind: 'number', text: '1' } };
      return ['["items"][', index, ']["x"]'];
    }),
  ),
  tree: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'tree' },
    fc
      .oneof(
        fc.string({ maxLength: 5 }).filter((text) => !/['\\]/.test(text)),
        fc.boolean(),
        fc.constant(null),
      )
      .map((value): Tree => ({ kind: 'literal', value })),
    fc
      .oneof(fc.integer().map(String), fc.stringMatching(/^-?[0-9]{1,4}\.[0-9]{1,3}$/))
      .map((text): Tree => ({ kind: 'number', text })),
    fc
      .record({ scope: fc.constantFrom(...(Object.keys(PREFIXES) as Array<keyof typeof PREFIXES>)), name: key })
      .map((parts): Tree => ({ kind: 'lookup', ...parts })),
    fc
      .record({ name: key, path: tie('path') as fc.Arbitrary<ReadonlyArray<string | Tree>> })
      .map((parts): Tree => ({ kind: 'variable', ...parts })),
    (tie('path') as fc.Arbitrary<ReadonlyArray<string | Tree>>).map((path): Tree => ({ kind: 'payload', path })),
    fc.array(tie('tree'), { maxLength: 3 }).map((items): Tree => ({ kind: 'list', items })),
    fc
      .record({
        operator: fc.constantFrom('==', '!=', '<', '<=', '>', '>=', 'and', 'or', '+', '-', '*', '/', '%'),
        left: tie('tree'),
        right: tie('tree'),
      })
      .map((parts) => ({ kind: 'operation', ...parts }) as Tree),
    fc
      .record({ test: tie('tree'), yes: tie('tree'), no: tie('tree') })
      .map((parts): Tree => ({ kind: 'condition', ...parts })),
    fc
      .record({
        name: fc.constantFrom('length', 'exists', 'object', 'wso2-vault'),
        args: fc.array(tie('tree'), { maxLength: 3 }),
      })
      .map((parts): Tree => ({ kind: 'call', ...parts, path: [], property: undefined })),
  ),
}));

describe('the grammar of synapse expressions (spec mediators 4.5.1)', () => {
  it('reads back every tree that is written with parentheses', () => {
    fc.assert(
      fc.property(tree, (wanted) => {
        expect(parseSynapseExpression(written(wanted))).toEqual(wanted);
      }),
      { numRuns: 500 },
    );
  });

  it('reads or refuses any text, and never fails otherwise', () => {
    const word = fc.constantFrom(
      ...'payload $ vars headers props params configs synapse axis2 queryParams true null and or && || == != < <= > >= + - * / % ? : ( ) [ ] . .. , ? @ size exists xpath'.split(
        ' ',
      ),
      "'t'",
      '"t"',
      '1',
      '-2.5',
      '[?(@.a == vars.b)]',
    );
    const soup = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.array(word, { maxLength: 20 }).map((words) => words.join(' ')),
      fc.array(word, { maxLength: 20 }).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(soup, (text) => {
        try {
          parseSynapseExpression(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ValueError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('names the column of what is wrong, counted in the whole attribute', () => {
    expect(() => parseSynapseExpression('payload.a == ')).toThrow('it ends at column 16, expected payload,');
    expect(() => parseSynapseExpression('vars.a = 1')).toThrow(
      "vars.a = 1} unexpected '=' at column 10 (the comparison is written '==')",
    );
    expect(() => parseSynapseExpression("vars.a + 'x")).toThrow('the text that starts at column 12 is not closed');
    expect(() => parseSynapseExpression('payload.a payload.b')).toThrow(
      "payload.a payload.b}: 'payload.b' at column 13",
    );
    expect(() => parseSynapseExpression('payload.null')).toThrow('["null"] for a name that is a keyword');
    expect(() => parseSynapseExpression('toupper(vars.a)')).toThrow(
      "there is no function toupper(); did you mean 'toUpper'?",
    );
    expect(() => parseSynapseExpression('paylod.a')).toThrow("did you mean 'payload'?");
    expect(() => parseSynapseExpression('payload[?(@.a == 1')).toThrow('a filter is not closed');
  });

  it.each([
    ['brackets', '('.repeat(100_000)],
    ['lists', '['.repeat(100_000)],
    ['filters', 'payload'.concat('[?('.repeat(50_000))],
    ['conditions', '1 ? '.repeat(50_000)],
    ['a sum', `1${' + 1'.repeat(100_000)}`],
    ['comparisons', `1${' == 1 and 2'.repeat(50_000)}`],
    ['indexes', 'payload[payload'.repeat(50_000)],
  ])('bounds an endless row of %s', (_, text) => {
    expect(() => parseSynapseExpression(text)).toThrow(ValueError);
  });
});

describe('comparisons beside and/or (MREQ-22)', () => {
  const row = { operands: ['a', '1', 'b', '2', 'c'], operators: ['==', 'and', '==', 'or'] } as const;
  const combine = (operator: string, left: string, right: string) => `(${left}${operator}${right})`;

  it('is grouped as the reference does', () => {
    expect(literalReading(row, combine)).toBe('((a==(1andb))==(2orc))');
    expect(literalReading({ operands: ['a', 'b', 'c'], operators: ['or', 'and'] }, combine)).toBe('(aor(bandc))');
  });

  it('is grouped conventionally', () => {
    expect(conventionalReading(row, combine)).toBe('(((a==1)and(b==2))orc)');
  });
});
