import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { ValueError } from '../../src/grammar/attributes.ts';
import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { JsonValue, MapValue, TypedNumber } from '../../src/message/property-value.ts';
import { messageWithJson } from './a-message.ts';

const PAYLOAD =
  '{"a":1,"b":"x","f":34.45,"n":null,"big":3000000000,"t":true,"list":[1,2.5],"items":[{"p":5,"t":"c"},{"p":20,"t":"d"}],"size":9,"g":1.50}';

function message(): MessageContext {
  const context = messageWithJson(PAYLOAD);
  const { variables } = context;
  variables.set('i', new TypedNumber('INTEGER', 1));
  variables.set('a-1', 'hy');
  variables.set('s', 't');
  variables.set('b', true);
  variables.set('l', new TypedNumber('LONG', 3000000000n));
  variables.set('sj', '{"k":7}');
  variables.set('sa', '[1,2,3]');
  variables.set('js', new JsonValue('{"k":[1,2],"o":{"z":true}}'));
  const map = new Map([
    ['payload', new JsonValue('{"x":5}')],
    ['attributes', new JsonValue('{"statusCode":200}')],
  ]);
  variables.set('map', new MapValue(map));
  variables.set('q', '"quoted"');
  variables.set('bs', 'a$b');
  context.headers.set('Content-Length', '007');
  context.headers.set('X', '12d');
  context.headers.set('E', '1e3');
  context.properties.set('uri.var.id', '42');
  return context;
}

/** An empty result and a warning. */
const FAILS = '(fails)';
/** Refused at deployment. */
const REFUSED = '(refused)';

/** Spec mediators 7.3. A third column says which improvement decides where the reference does something else. */
const VECTORS: ReadonlyArray<readonly [source: string, result: string, because?: string]> = [
  ['payload.a + 1', '2'],
  ['payload.list[0]', '1'],
  ['payload.list[0] + 1', '2', '4.5.2: numbers of arrays are like others'],
  ['payload.g', '1.50', 'MREQ-41'],
  ['payload.f / 3.44', '10.01'],
  ['1.0 / 3', '0.3'],
  ['1 / 3', '0.3333333333333333'],
  ['4 / 2', '2'],
  ['2147483647 + 1', '2147483648'],
  ['2147483647 * 2', '4294967294'],
  ['0.1 + 0.2', '0.3'],
  ['5.5 % 2', '1.5'],
  ['5 % 0', FAILS],
  ["payload.b + '-y'", 'x-y'],
  ['payload.b + 1', FAILS],
  ["payload.a == '1'", 'true'],
  ['payload.a == 1.0', 'false'],
  ['payload.n', ''],
  ['payload.n == null', 'true'],
  ['payload.gone', FAILS],
  ['payload.gone == null', FAILS],
  ['exists(payload.gone)', 'false'],
  ['exists(payload.n)', 'false'],
  ["payload.a == 1 and payload.b == 'x'", 'true', 'MREQ-22'],
  ["(payload.a == 1) and (payload.b == 'x')", 'true'],
  ['true and false or true', 'true'],
  ['false or true and false', 'false'],
  ['1 < 2 == true', 'true'],
  ['1 == 1 == true', 'true'],
  ['payload.big + 1', '3000000001'],
  ['payload.big > 1', FAILS],
  ['vars.l > 1', FAILS],
  ["'5' > 3", FAILS],
  ['now() > 1', FAILS],
  ['isNumber(now())', 'false'],
  ['ceil(1.2)', '2.0'],
  ['floor(5)', '5'],
  ['round(2.5)', '3'],
  ['round(-2.5)', '-2'],
  ['round(2.345,2)', '2.35'],
  ['pow(2,3)', '8.0'],
  ['sqrt(4)', '2.0'],
  ['log(100)', '2.0'],
  ['log(8,2)', '3.0'],
  ['length(payload.items)', '2'],
  ['payload.items.length()', '2'],
  ['length(payload.list) == 2', 'true'],
  ['payload.list.length() > 1', 'true', '4.5.4: an integer'],
  ["length(split('a,b,,',','))", '2'],
  ["subString('hello',1,3)", 'el'],
  ["subString('hello',9)", FAILS],
  ["payload.a > 0 ? 'pos' : 'neg'", 'pos'],
  ['payload.b ? 1 : 2', FAILS],
  ["urlEncode('a b*')", 'a%20b%2A'],
  ["urlEncode('a b*','ISO-8859-1')", 'a+b*'],
  ['toUpper(payload.t)', 'TRUE'],
  ['toLower(5)', FAILS],
  ['vars.a-1', 'hy'],
  ['5 - 1', '4'],
  ['5-1', REFUSED],
  ['5 -1', REFUSED],
  ['!true', REFUSED],
  ['- 5', REFUSED],
  ['1e5', REFUSED],
  ['.5', REFUSED],
  ['1.', REFUSED],
  ['payload.size', REFUSED],
  ['payload.empty', REFUSED],
  ['payload.123', REFUSED],
  ['payload.@x', REFUSED],
  ['headers.size', REFUSED],
  ['payload["size"]', '9'],
  ["payload['size']", '9'],
  ['props.synapse.uri.var.id', REFUSED],
  ['props.synapse["uri.var.id"]', '42'],
  ['params.pathParams.id', '42'],
  ['vars["js"].k', '[1,2]'],
  ['vars.js.k[0] + 1', '2', '4.5.2: numbers of arrays are like others'],
  ["vars['js'].k", '[1,2]', '4.5.1: both quotes'],
  ['vars.map', '{"payload":{"x":5},"attributes":{"statusCode":200}}', 'MREQ-24'],
  ['vars.map.payload.x', '5'],
  ['vars.map.none', FAILS],
  ['vars.sj.k', '7'],
  ['vars.sa[0]', '1'],
  ['vars.q', '"quoted"', '4.5.3: only literals lose their quotes'],
  [`'"' + payload.b + '"'`, '"x"', '4.5.3: only literals lose their quotes'],
  ['payload[vars.s]', 'true'],
  ['payload[vars.bs]', FAILS, '4.5.2: a name like others'],
  ['vars.i=1', REFUSED, 'MREQ-23'],
  ['payload.a;', REFUSED, 'MREQ-23'],
  ['headers["Content-Length"]', '007', 'MREQ-43'],
  ['headers.X', '12d', 'MREQ-43'],
  ['headers.E', '1e3', 'MREQ-43'],
  ['headers.X + 1', '13.0', 'MREQ-43: a number where one is asked for'],
  [`headers["Content-Length"] == '007'`, 'true', 'MREQ-43'],
  ['headers.none', FAILS],
  ['configs.none', FAILS],
  ['vars.none', FAILS],
  ['payload.items[?(@.p < 10)].t', '["c"]'],
  ['payload.items[vars.i].t', 'd'],
  ['payload.items[-1].t', 'd'],
  ['payload.items[payload.a - 1].t', 'c'],
  ['payload..p', '[5,20]'],
  ['payload.items[0:1].t', '["c"]'],
  ['payload.list.sum()', '3.5'],
  [`array('[1,2]')`, '[1,2]', '4.5.4: both quotes'],
  ['array("[1,2]")[0]', '1'],
  ['array(vars.sa)[1]', '2'],
  [`[1,'a',true]`, '[1,"a","true"]'],
  ["integer('5') + 1", '6'],
  ["integer('5.5')", FAILS],
  ["float('5')", '5.0'],
  ["boolean('TRUE')", 'true'],
  ["boolean('yes')", 'false'],
  ["formatDateTime('2020-01-02','yyyy-MM-dd','dd/MM/yyyy')", '02/01/2020'],
  ['null', ''],
  ['null + 1', FAILS],
  ['params.functionParams.x', FAILS, 'MREQ-42'],
];

function withWarnings(run: () => string | null): { text: string | null; warnings: LogRecord[] } {
  const warnings: LogRecord[] = [];
  const stop = onLogRecord((record) => warnings.push(record));
  try {
    return { text: run(), warnings };
  } finally {
    stop();
  }
}

describe('synapse expression vectors (spec mediators 7.3)', () => {
  it.each(VECTORS.filter(([, result]) => result !== FAILS && result !== REFUSED))('%s → %s', (source, result) => {
    const expression = compileExpression(`\${${source}}`, {});
    expect(expression.kind).toBe('synapse');
    const { text, warnings } = withWarnings(() => expression.stringValue(message()));
    expect(warnings.map((record) => record.message)).toEqual([]);
    expect(text).toBe(result);
    expect(expression.booleanValue(message())).toBe(result === 'true');
  });

  it.each(VECTORS.filter(([, result]) => result === FAILS))('%s is empty, with a warning', (source) => {
    const { text, warnings } = withWarnings(() => compileExpression(`\${${source}}`, {}).stringValue(message()));
    expect(text).toBe('');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      level: 'warn',
      message: expect.stringContaining(`Error evaluating expression: \${${source}} cause : `),
    });
  });

  it.each(VECTORS.filter(([, result]) => result === REFUSED))('%s is refused at deployment', (source) => {
    expect(() => compileExpression(`\${${source}}`, {})).toThrow(ValueError);
    expect(() => compileExpression(`\${${source}}`, {})).toThrow(`Syntax error in expression: \${${source}}`);
  });
});
