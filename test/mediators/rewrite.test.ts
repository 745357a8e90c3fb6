import { describe, expect, it } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { logged, message, problemLines, problems, sequence } from '../mediation/harness.ts';

const RULE = (action: string, condition = '') =>
  `<rewriterule>${condition && `<condition>${condition}</condition>`}${action}</rewriterule>`;

function rewritten(to: string, rules: string, prepare?: (request: MessageContext) => void): string | undefined {
  const request = message({ to, body: '<o><v>7</v></o>' });
  prepare?.(request);
  expect(sequence(`<rewrite>${rules}</rewrite>`).mediate(request)).toBe(true);
  return request.to;
}

const URL = 'http://old:8280/services/P?a=1&b=2';

describe('actions', () => {
  it.each([
    ['fragment="protocol" value="https"', 'https://old:8280/services/P?a=1&b=2'],
    ['fragment="host" value="new"', 'http://new:8280/services/P?a=1&b=2'],
    ['fragment="host" value="er" type="append"', 'http://older:8280/services/P?a=1&b=2'],
    ['fragment="host" value="g" type="prepend"', 'http://gold:8280/services/P?a=1&b=2'],
    ['fragment="port" value="9000"', 'http://old:9000/services/P?a=1&b=2'],
    ['fragment="port" type="remove"', 'http://old/services/P?a=1&b=2'],
    ['fragment="port" value="9000" type="replace" regex="\\w.*"', 'http://old:9000/services/P?a=1&b=2'],
    ['fragment="port" value="0" type="append"', 'http://old:82800/services/P?a=1&b=2'],
    ['fragment="user" value="me"', 'http://me@old:8280/services/P?a=1&b=2'],
    ['fragment="path" value="/new path"', 'http://old:8280/new%20path?a=1&b=2'],
    ['fragment="path" value="/x" type="append"', 'http://old:8280/services/P/x?a=1&b=2'],
    ['fragment="path" value="/x" type="prepend"', 'http://old:8280/x/services/P?a=1&b=2'],
    ['fragment="path" value="$1_$1" type="replace" regex="(.)ervices"', 'http://old:8280/s_s/P?a=1&b=2'],
    ['fragment="path" type="remove"', 'http://old:8280?a=1&b=2'],
    ['fragment="query" value="c=3"', 'http://old:8280/services/P?c=3'],
    ['fragment="query" value="c=3" type="append"', 'http://old:8280/services/P?a=1&b=2&c=3'],
    ['fragment="query" value="c=3" type="prepend"', 'http://old:8280/services/P?c=3&a=1&b=2'],
    ['fragment="query" value="a" type="remove-query-param"', 'http://old:8280/services/P?b=2'],
    ['fragment="query" value="c" type="remove-query-param"', URL],
    ['fragment="query" type="remove"', 'http://old:8280/services/P'],
    ['fragment="ref" value="top"', `${URL}#top`],
    ['value="http://new/x"', 'http://new/x'],
    ['value="http://new/x" type="append"', 'http://new/x'],
    ['value="http://new/x" type="prepend" fragment="full"', 'http://new/x'],
    ['value="&amp;c=3" type="append" fragment="full"', `${URL}&c=3`],
    ['value="new" type="replace" regex="old" fragment="full"', 'http://new:8280/services/P?a=1&b=2'],
    ['type="remove" fragment="full"', ''],
  ])('%s', (action, expected) => {
    expect(rewritten(URL, RULE(`<action ${action}/>`))).toBe(expected);
  });

  it('take their value from an expression, which wins over a value', () => {
    const action = '<action fragment="path" xpath="concat(\'/v\', //v)" value="/other"/>';
    expect(rewritten(URL, RULE(action))).toBe('http://old:8280/v7?a=1&b=2');
  });

  it.each(['set', 'append', 'prepend', 'replace'])(
    'of type %s with an expression that gives nothing clear the fragment',
    (type) => {
      const action = `<action fragment="query" type="${type}" regex="a" xpath="$ctx:gone"/>`;
      expect(rewritten(URL, RULE(action))).toBe('http://old:8280/services/P');
    },
  );

  it('on a fragment that is missing begin with nothing (MREQ-36)', () => {
    expect(rewritten('/services/P', RULE('<action fragment="query" type="append" value="a=1"/>'))).toBe(
      '/services/P?a=1',
    );
    const whole = ['protocol" value="http', 'host" value="h', 'port" value="9000'].map(
      (part) => `<action fragment="${part}"/>`,
    );
    expect(rewritten('/services/P', RULE(whole.join('')))).toBe('http://h:9000/services/P');
  });

  it('resolve properties in the new text', async () => {
    const action = '<action fragment="path" value="/{a}/{b}" resolve="true"/>';
    const set = (request: MessageContext) => {
      request.properties.set('a', 'x');
      request.properties.set('b', 'y');
    };
    expect(rewritten('http://h/p', RULE(action), set)).toBe('http://h/x/y');
    const records = await logged(() => expect(rewritten('http://h/p', RULE(action))).toBe('http://h'));
    expect(records.map(({ level }) => level)).toEqual(['error']);
    expect(rewritten('http://h/p', RULE('<action fragment="path" value="/{a}"/>'))).toBe('http://h/%7Ba%7D');
  });

  it('that make no URI are a fault', () => {
    for (const action of ['fragment="path" value="relative"', 'fragment="port" value="many"', 'value="http://a b/"'])
      expect(() => rewritten(URL, RULE(`<action ${action}/>`))).toThrow(
        'Error while constructing a URI from the fragments',
      );
  });
});

describe('rules', () => {
  const HOST = (name: string) => `<action fragment="host" value="${name}"/>`;

  it('apply in order, all that match, each to what the last one left', () => {
    const rules =
      RULE(HOST('one'), '<equal type="url" source="host" value="OLD"/>') +
      RULE(HOST('two'), '<equal type="url" source="host" value="one"/>') +
      RULE(HOST('never'), '<equal type="url" source="host" value="old"/>');
    expect(rewritten('http://old/p', rules)).toBe('http://two/p');
  });

  it.each([
    ['<match type="url" regex=".*/services/.*"/>', true],
    ['<match type="url" regex="/services"/>', false],
    ['<match xmlns="" type="url" regex="http:.*"/>', true],
    ['<equal type="url" source="protocol" value="HTTP"/>', true],
    ['<equal type="url" source="port" value="8280"/>', true],
    ['<equal type="url" source="ref" value=""/>', false],
    ['<match type="url" source="query" regex="a=1.*"/>', true],
    ['<match type="header" source="X-A" regex="va.*"/>', true],
    ['<match source="X-A" regex="va.*"/>', true],
    ['<match source="x-a" regex="va.*"/>', false],
    ['<equal source="X-A" value="VALUE"/>', true],
    ['<equal type="param" source="a" value="1"/>', true],
    ['<equal type="param" source="c" value=""/>', false],
    ['<equal type="property" source="p" value="V"/>', true],
    ['<match type="property" source="gone" regex=".*"/>', false],
    ['<equal type="soap" source="//v" value="7"/>', true],
    ['<match type="soap" source="//gone" regex="x"/>', false],
    ['<and><equal source="X-A" value="value"/><equal type="param" source="a" value="1"/></and>', true],
    ['<and><equal source="X-A" value="value"/><equal type="param" source="a" value="2"/></and>', false],
    ['<or><equal source="X-A" value="no"/><equal type="param" source="a" value="1"/></or>', true],
    ['<or><equal source="X-A" value="no"/><equal type="param" source="a" value="2"/></or>', false],
    ['<not><equal source="X-A" value="no"/></not>', true],
    ['<not><and><match source="X-A" regex=".*"/><match type="url" regex=".*"/></and></not>', false],
  ])('%s: %s', (condition, expected) => {
    const to = rewritten('http://old:8280/services/P?a=1&c', RULE(HOST('new'), condition), (request) => {
      request.headers.set('X-A', 'value');
      request.properties.set('p', 'v');
    });
    expect(to?.startsWith('http://new')).toBe(expected);
  });

  it('whose condition cannot be evaluated are skipped with a WARN', async () => {
    const rules = RULE(HOST('never'), '<match type="soap" source="nope()" regex=".*"/>') + RULE(HOST('new'));
    const records = await logged(() => expect(rewritten('http://old/p', rules)).toBe('http://new/p'));
    expect(records.map(({ level }) => level)).toEqual(['warn']);
  });
});

describe('where the URI comes from and goes to', () => {
  it('are properties, when they are named', async () => {
    const request = message({ to: 'http://to/p' });
    request.properties.set('in', 'http://in/p');
    const rules = RULE('<action fragment="path" value="/new"/>');
    await sequence(`<rewrite inProperty="in" outProperty="out">${rules}</rewrite>`).mediate(request);
    expect([request.to, request.text('in'), request.text('out')]).toEqual([
      'http://to/p',
      'http://in/p',
      'http://in/new',
    ]);
    await sequence(`<rewrite inProperty="in">${rules}</rewrite>`).mediate(request);
    expect(request.to).toBe('http://in/new');
  });

  it('a missing one is empty', async () => {
    const request = message();
    request.to = undefined;
    await sequence(`<rewrite>${RULE('<action value="http://new/"/>')}</rewrite>`).mediate(request);
    expect(request.to).toBe('http://new/');
  });

  it('one that is no URI is a fault', () => {
    expect(() => rewritten('http://a b/', RULE('<action value="x"/>'))).toThrow('Malformed input URI: http://a b/');
  });
});

describe('what is wrong is told', () => {
  it.each([
    ['<action value="x" type="put"/>', 'Unknown URL rewrite action type: put'],
    ['<action value="x" fragment="uri"/>', 'Unknown URL fragment name: uri'],
    ['<action/>', 'value or xpath attribute is required on the action element'],
    ['<action value="x" type="replace"/>', 'regex attribute is required for replace action'],
    ['<action value="x" type="remove-query-param"/>', 'Action remove-query-param is only allowed for query fragment'],
    ['', 'At least one action is required per rewrite rule'],
  ])('%s', (action, expected) => {
    expect(problemLines(`<rewrite>${RULE(action)}</rewrite>`)).toEqual([`error: ${expected}`]);
  });

  it.each([
    ['<match source="a"/>', 'regex attribute is required'],
    ['<equal source="a"/>', 'value attribute is required'],
    ['<equal value="a"/>', 'source attribute is required'],
    ['<equal source="a" value="a" type="cookie"/>', 'Unknown equal evaluator type: cookie'],
    ['<equal source="fragment" value="a" type="url"/>', 'Unknown URL fragment name: fragment'],
    ['<and><equal source="a" value="a"/></and>', 'Two or more expressions should be provided under And'],
    ['<or/>', 'Two or more expressions should be provided under Or'],
    ['<not/>', 'An expression should be provided under Not'],
    ['<matches source="a" regex="a"/>', 'Invalid configuration element: matches'],
  ])('%s', (condition, expected) => {
    expect(problemLines(`<rewrite>${RULE('<action value="x"/>', condition)}</rewrite>`)).toEqual([
      `error: ${expected}`,
    ]);
  });

  it('with its place and the nearest name', () => {
    const found = problems(`<rewrite>${RULE('<action value="x"/>', '\n<macth source="a" regex="a"/>')}</rewrite>`);
    expect(found).toMatchObject([{ position: { line: 2 }, nearest: 'match' }]);
    for (const inside of ['<match source="a" regex="("/>', '<match type="soap" source="//[" regex="a"/>'])
      expect(problemLines(`<rewrite>${RULE('<action value="x"/>', inside)}</rewrite>`)).toHaveLength(1);
    expect(problemLines(`<rewrite>${RULE('<action value="x" type="replace" regex="("/>')}</rewrite>`)).toHaveLength(1);
    expect(problemLines(`<rewrite>${RULE('<action value="x"/>')}<rule/></rewrite>`)).toHaveLength(1);
  });
});
