import { describe, expect, it } from 'vitest';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { readSequence } from '../../src/mediation/read-sequence.ts';
import { JsonValue, TypedNumber } from '../../src/message/property-value.ts';
import { element, FakeConfiguration, message, problemLines, problems, sequence } from '../mediation/harness.ts';

const SET = (name: string) => `<property name="${name}" value="1"/>`;
const BRANCHES = `<then>${SET('then')}</then><else>${SET('else')}</else>`;

/** Which branch was taken. */
async function taken(attributes: string, request = message({ body: '<o><id>7</id></o>' })): Promise<string> {
  expect(await sequence(`<filter ${attributes}>${BRANCHES}</filter>${SET('after')}`).mediate(request)).toBe(true);
  expect(request.properties.has('after')).toBe(true);
  return [...request.properties.keys()].filter((name) => name === 'then' || name === 'else').join();
}

describe('an expression', () => {
  it.each([
    ['//id', 'then'],
    ['//gone', 'else'],
    ["''", 'else'],
    ["'x'", 'then'],
    ['0', 'else'],
    ['0 div 0', 'else'],
    ['-1', 'then'],
    ['//id = 7', 'then'],
    ['$ctx:gone', 'else'],
    ['not($ctx:gone)', 'then'],
  ])('%s decides as XPath does: %s', async (xpath, expected) => {
    expect(await taken(`xpath="${xpath}"`)).toBe(expected);
  });

  it("the text 'false' of a property is true, a boolean false is not (spec mediators 7.6)", async () => {
    const request = message();
    request.properties.set('flag', 'false');
    expect(await taken(`xpath="get-property('flag')"`, request)).toBe('then');
    const typed = message();
    typed.properties.set('flag', false);
    expect(await taken(`xpath="get-property('flag')"`, typed)).toBe('else');
  });

  it('numbers of properties are numbers (MREQ-20)', async () => {
    const request = message();
    request.properties.set('n', new TypedNumber('INTEGER', 5));
    expect(await taken('xpath="$ctx:n &gt; 2"', request)).toBe('then');
  });

  it.each([
    ['{"ok":true}', 'then'],
    ['{"ok":"TRUE"}', 'then'],
    ['{"ok":1}', 'else'],
    ['{}', 'else'],
  ])('json-eval of %s must say true, in any case: %s', async (body, expected) => {
    const request = message({ body, contentType: 'application/json' });
    expect(await taken('xpath="json-eval($.ok)"', request)).toBe(expected);
  });

  it('that fails is a fault which names it', () => {
    const run = () => sequence(`<filter xpath="nope()">${BRANCHES}</filter>`).mediate(message({ body: '<a/>' }));
    expect(run).toThrow('Error evaluating Expression : nope()');
  });

  it('on a payload that cannot be read is the fault of the payload', () => {
    const run = () => sequence(`<filter xpath="//a">${BRANCHES}</filter>`).mediate(message({ body: '<broken' }));
    expect(run).toThrow('Error while building message.');
  });

  it('wins over source and regex', async () => {
    expect(await taken('xpath="//id" source="//id" regex="8"')).toBe('then');
  });
});

describe('source and regex', () => {
  it.each([
    ['//id', '7', 'then'],
    ['//id', '\\d', 'then'],
    ['concat(//id, 0)', '7', 'else'],
    ['$ctx:gone', '.*', 'else'],
    ["''", '', 'wrong'],
    ['json-eval($.o.id)', '7', 'then'],
  ])('%s matches %s as a whole: %s', async (source, regex, expected) => {
    const attributes = `source="${source}" regex="${regex}"`;
    if (expected === 'wrong') {
      expect(problemLines(`<filter ${attributes}>${BRANCHES}</filter>`)).toEqual([
        'error: Invalid attribute values for source and/or regex specified',
      ]);
    } else expect(await taken(attributes)).toBe(expected);
  });

  it('see the text of JSON properties', async () => {
    const request = message();
    request.properties.set('j', new JsonValue('{"a":1}'));
    expect(await taken('source="$ctx:j" regex="\\{.*\\}"', request)).toBe('then');
  });
});

describe('branches', () => {
  it('without <then> all mediators inside are the then branch', async () => {
    const request = message({ body: '<a/>' });
    const mediators = `<filter xpath="//a">${SET('x')}${SET('y')}</filter><filter xpath="//b">${SET('z')}</filter>`;
    expect(await sequence(mediators).mediate(request)).toBe(true);
    expect([...request.properties.keys()]).toEqual(['x', 'y']);
  });

  it('without <else> and no match the flow goes on', async () => {
    const request = message();
    expect(await sequence(`<filter xpath="//b"><then>${SET('x')}</then></filter>`).mediate(request)).toBe(true);
    expect(request.properties.size).toBe(0);
  });

  it('the result of the branch is the result', async () => {
    const request = message({ body: '<a/>' });
    const mediators = `<filter xpath="//a"><then><drop/></then><else/></filter>${SET('after')}`;
    expect(await sequence(mediators).mediate(request)).toBe(false);
    expect(request.properties.size).toBe(0);
  });

  it('may be sequences; the mediators inside do not count then', async () => {
    const artifacts = { sequence: { yes: sequence(SET('yes')), no: sequence(`${SET('no')}<drop/>`) } };
    const configuration = new FakeConfiguration(artifacts);
    const branches = `<then sequence="yes">${SET('inside')}</then><else sequence="no"><nonsense/></else>`;
    const first = message({ body: '<a/>', configuration });
    expect(await sequence(`<filter xpath="//a">${branches}</filter>`).mediate(first)).toBe(true);
    const second = message({ body: '<a/>', configuration });
    expect(await sequence(`<filter xpath="//b">${branches}</filter>`).mediate(second)).toBe(false);
    expect([[...first.properties.keys()], [...second.properties.keys()]]).toEqual([['yes'], ['no']]);
  });

  it.each([
    ['//a', 'then'],
    ['//b', 'else'],
  ])('of %s to a sequence that is not there is a fault: %s', (xpath, branch) => {
    const run = () =>
      sequence(`<filter xpath="${xpath}"><then sequence="gone"/><else sequence="gone"/></filter>`).mediate(
        message({ body: '<a/>' }),
      );
    expect(run).toThrow(`Couldn't find the referred ${branch} sequence with key : gone`);
  });

  it('are referred to, and have stable ids', () => {
    const reader = new ArtifactReader();
    const xml = `<sequence name="s"><filter xpath="a"><then sequence="x"/><else>${SET('e')}</else></filter></sequence>`;
    const read = readSequence(element(xml), reader);
    expect(reader.references).toMatchObject([{ kind: 'sequence', name: 'x' }]);
    expect(read?.list.steps[0]?.branches.map(({ id }) => id)).toEqual(['sequence/s/1/else']);
  });
});

describe('what is wrong is told', () => {
  it.each([
    ['<filter/>', 'An xpath or (source, regex) attributes are required for a filter'],
    ['<filter source="a"/>', 'An xpath or (source, regex) attributes are required for a filter'],
    ['<filter source="a" regex=" "/>', 'Invalid attribute values for source and/or regex specified'],
    ['<filter xpath=" "/>', 'Invalid XPath expression for attribute xpath :  : the expression is empty'],
    ['<filter source="" regex="a"/>', 'Invalid XPath expression for attribute source : : the expression is empty'],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual([`error: ${expected}`]);
  });

  it.each([
    ['<filter xpath="//["/>', 'Invalid XPath expression for attribute xpath : //['],
    ['<filter source="//[" regex="a"/>', 'Invalid XPath expression for attribute source : //['],
    ['<filter source="a" regex="("/>', 'Invalid Regular Expression for attribute regex : ('],
  ])('%s', (xml, expected) => {
    const [first, ...more] = problemLines(xml);
    expect(first?.startsWith(`error: ${expected}: `)).toBe(true);
    expect(more).toEqual([]);
  });

  it('a bare <else> is no mediator, and what stands beside <then> is ignored', () => {
    expect(problemLines(`<filter xpath="a"><else/></filter>`)).toEqual([
      'error: Unknown mediator referenced by configuration element : {http://ws.apache.org/ns/synapse}else',
    ]);
    expect(problemLines('<filter xpath="a"><then/><log/></filter>')).toEqual([
      'warning: unknown element <log> inside <filter> is ignored',
    ]);
  });

  it('inside the branches, too', () => {
    expect(problems('<filter xpath="a"><then>\n<drpo/></then></filter>')).toMatchObject([
      { position: { line: 2 }, nearest: 'drop' },
    ]);
  });
});
