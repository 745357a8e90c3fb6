import { describe, expect, it } from 'vitest';
import { TypedNumber } from '../../src/message/property-value.ts';
import { logged, message, problemLines, problems, sequence } from '../mediation/harness.ts';

const SET = (name: string) => `<property name="${name}" value="1"/>`;
const CASE = (regex: string, name: string) => `<case regex="${regex}">${SET(name)}</case>`;
const X2 = '<r><x>1</x><x>2</x></r>';

async function taken(source: string, inside: string, request = message({ body: X2 })): Promise<string> {
  const mediators = `<switch source="${source}">${inside}</switch>${SET('after')}`;
  expect(await sequence(mediators).mediate(request)).toBe(true);
  return [...request.properties.keys()].join();
}

describe('the case', () => {
  it.each([
    ['//x[1]', 'one,after'],
    ['//x[2]', 'default,after'],
    ['concat(//x[1], 1)', 'word,after'],
    ["'a1'", 'word,after'],
  ])('whose regex matches all of %s: %s', async (source, expected) => {
    const inside = `${CASE('1', 'one')}${CASE('\\w+[0-9]', 'word')}<default>${SET('default')}</default>`;
    expect(await taken(source, inside)).toBe(expected);
  });

  it('is the first one that matches, whatever comes behind', async () => {
    expect(await taken("'a'", CASE('a', 'first') + CASE('.*', 'second'))).toBe('first,after');
  });

  it('of a number is matched as Java prints it (spec mediators 7.6)', async () => {
    const fallback = `<default>${SET('default')}</default>`;
    expect(await taken('count(//x)', CASE('2', 'two') + fallback)).toBe('default,after');
    expect(await taken('count(//x)', CASE('2\\.0', 'two') + fallback)).toBe('two,after');
    expect(await taken('count(//x)', CASE('2.0', 'two') + fallback)).toBe('two,after');
  });

  it('of a typed property is matched as it prints', async () => {
    const request = message();
    request.properties.set('n', new TypedNumber('INTEGER', 5));
    expect(await taken('$ctx:n', CASE('5', 'five'), request)).toBe('n,five,after');
  });

  it('may be chosen by json-eval', async () => {
    const request = message({ body: '{"kind":"b"}', contentType: 'application/json' });
    expect(await taken('json-eval($.kind)', CASE('a', 'a') + CASE('b', 'b'), request)).toBe('b,after');
  });
});

describe('the default', () => {
  it('runs when nothing matches, when there are no cases, and when there is no value', async () => {
    const fallback = `<default>${SET('default')}</default>`;
    expect(await taken("'z'", CASE('a', 'a') + fallback)).toBe('default,after');
    expect(await taken("'z'", fallback)).toBe('default,after');
    expect(await taken('$ctx:gone', CASE('.*', 'a') + fallback)).toBe('default,after');
  });

  it('may be missing: the flow goes on, with a WARN when there was no value', async () => {
    expect(await taken("'z'", CASE('a', 'a'))).toBe('after');
    const records = await logged(async () => expect(await taken('$ctx:gone', CASE('.*', 'a'))).toBe('after'));
    expect(records.map(({ level }) => level)).toEqual(['warn']);
    expect(await logged(() => taken('$ctx:gone', ''))).toEqual([]);
  });

  it('only counts once', async () => {
    const two = `<default>${SET('one')}</default><default>${SET('two')}</default>`;
    expect(await taken("'z'", two)).toBe('one,after');
    expect(problemLines(`<switch source="a">${two}</switch>`)).toEqual([
      'warning: only the first <default> of a switch counts; this one is ignored',
    ]);
  });
});

it('gives the result of what it ran', async () => {
  const request = message();
  const mediators = `<switch source="'a'"><case regex="a"><drop/></case></switch>${SET('after')}`;
  expect(await sequence(mediators).mediate(request)).toBe(false);
  expect(request.properties.size).toBe(0);
});

it('has branches with stable ids', () => {
  const { list } = sequence(`<switch source="a">${CASE('a', 'a')}${CASE('b', 'b')}<default/></switch>`);
  expect(list.steps[0]?.branches.map(({ id }) => id)).toEqual([
    'sequence/test/1/case1',
    'sequence/test/1/case2',
    'sequence/test/1/default',
  ]);
});

it('on a payload that cannot be read is a fault', () => {
  const run = () => sequence(`<switch source="//a">${CASE('a', 'a')}</switch>`).mediate(message({ body: '<broken' }));
  expect(run).toThrow('Error while building message.');
});

describe('what is wrong is told', () => {
  it.each([
    ['<switch/>', "A 'source' XPath attribute is required for a switch mediator"],
    ['<switch source="a"><case/></switch>', "The 'regex' attribute is required for a switch case definition"],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual([`error: ${expected}`]);
  });

  it.each([
    ['<switch source="//["/>', "Invalid XPath for attribute 'source' : //["],
    ['<switch source="a"><case regex="("/></switch>', "Invalid Regular Expression for attribute 'regex' : ("],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)[0]?.startsWith(`error: ${expected}: `)).toBe(true);
  });

  it('all of it, with its place', () => {
    const inside = '\n<case regex="("><drpo/></case>\n<default><nonsense/></default>\n<othrewise/>';
    expect(
      problems(`<switch source="a">${inside}</switch>`)
        .map(({ position }) => position.line)
        .sort(),
    ).toEqual([2, 2, 3, 4]);
  });
});
