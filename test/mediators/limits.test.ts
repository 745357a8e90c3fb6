import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/compile-expression.ts';
import { cloneInto, newDocument, parseXml, type XmlElement } from '../../src/xml/index.ts';
import { messageWithBody, messageWithJson } from '../expressions/a-message.ts';
import { FakeConfiguration, FakeExchange, logged, message, sequence } from '../mediation/harness.ts';
import { SplitFlow } from './split-harness.ts';

/* What keeps one message from taking the time and the memory of all: the flows in test/flows/hostile show it on a running server. */

describe('splittings of splittings', () => {
  it('end after 50, with one fault', async () => {
    const flow = new SplitFlow({ S: '<clone><target sequence="S"/></clone>' });
    const records = await logged(() => flow.run('<sequence key="S"/>'));
    expect(flow.exchange.failures[0]?.message).toMatch(/split more than 50 times, part by part/);
    expect(records.filter(({ message: line }) => line.includes('no fault handler found'))).toHaveLength(1);
  });

  it('end when 10,000 parts are under way, and those that are stop splitting', async () => {
    const flow = new SplitFlow({
      S: '<clone><target sequence="S"/><target sequence="S"/><target sequence="S"/></clone>',
    });
    await flow.run('<sequence key="S"/>');
    expect(flow.exchange.failures[0]?.message).toMatch(/split more than 50 times|More than 10000 parts/);
  }, 60_000);

  it('that are honest go on', async () => {
    const inner = '<clone iterations="3"><target><sequence><property name="x" value="1"/></sequence></target></clone>';
    const flow = new SplitFlow({ Inner: inner });
    await flow.run('<clone iterations="300"><target sequence="Inner"/></clone>');
    expect(flow.exchange.failures).toEqual([]);
  });
});

describe('fault handlers', () => {
  it('that fail and push themselves again are asked 100 times', async () => {
    const configuration = new FakeConfiguration({ sequence: {} });
    const looping = sequence('<throwError type="T" errorMessage="again"/>', 'name="loop" onError="loop"');
    configuration.find = ((kind: string, name: string) =>
      kind === 'sequence' && name === 'loop' ? looping : undefined) as typeof configuration.find;
    const request = message({ configuration, exchange: new FakeExchange() });
    const { runFlow } = await import('../../src/mediation/flow.ts');
    const records = await logged(() => runFlow(request, () => looping.mediate(request)));
    expect(records.at(-1)?.message).toBe(
      "onError sequence 'loop' is not asked: the message went through 100 fault handlers already",
    );
    expect(request.faultStack).toEqual([]);
  });
});

describe('what grows', () => {
  const long = 'x'.repeat(20_000_000);
  const grown = (expression: string, t: string) => {
    const request = messageWithJson('{}');
    request.properties.set('t', t);
    request.variables.set('t', t);
    return () => compileExpression(expression, {}).stringValue(request);
  };

  it('by concat() and + is refused beyond 32 Mi characters', () => {
    expect(grown("concat(get-property('t'),get-property('t'))", long)).toThrow('more than 33554432 characters');
    expect(grown(`$${'{vars.t + vars.t}'}`, long)).toThrow('more than 33554432 characters');
    expect(grown("concat(get-property('t'),get-property('t'))", 'xx')()).toBe('xxxx');
  });

  it('by replace() is refused before it is made', () => {
    expect(grown(`$${"{replace(vars.t, 'x', 'yy')}"}`, long)).toThrow('replace() makes a text of more than');
    expect(grown(`$${"{replace(vars.t, 'x', '')}"}`, long)()).toBe('');
    expect(grown(`$${"{replace(vars.t, 'b', 'yy')}"}`, 'abcb')()).toBe('ayycyy');
  });
});

describe('a document', () => {
  it('has so many nodes at most: elements, attributes, texts, comments', () => {
    const refused = (text: string, maxNodes: number) => () => parseXml(text, { maxNodes });
    for (const text of ['<a><b/><b/></a>', '<a b="1" c="2"/>', '<a>x<b/></a>', '<a><!----><!----></a>'])
      expect(refused(text, 2)).toThrow('the document has more than 2 nodes');
    expect(parseXml('<a><b>x</b></a>', { maxNodes: 3 }).documentElement?.localName).toBe('a');
  });

  it('of JSON is not made into more nodes of XML', () => {
    const request = messageWithJson(`[${'1,'.repeat(1_000_001)}1]`);
    expect(() => request.payload.envelope()).toThrow('as XML it has more than 2000000 nodes');
  });

  it('is copied whatever it looks like', () => {
    const root = parseXml('<a>1<b>2<c/></b><!--x--><d e="f"/></a>').documentElement as XmlElement;
    expect(String(cloneInto(newDocument(null, 'x'), root))).toBe('<a>1<b>2<c/></b><!--x--><d e="f"/></a>');
  });

  it('can be looked into with // as often as one likes', () => {
    const deep = messageWithBody(`${'<a>'.repeat(100)}${'</a>'.repeat(100)}`);
    expect(compileExpression('count(//a//a//a//a//a)', {}).stringValue(deep)).toBe('96.0');
  });
});

describe('JSONPath', () => {
  it('finds ten million values at most', () => {
    const deep = messageWithJson(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`);
    const evaluate = (path: string) => () => compileExpression(`json-eval(${path})`, {}).stringValue(deep);
    expect(evaluate('$..a..a..a..a')).toThrow('a path finds more than 10000000 values');
    expect(evaluate('$..a.length()')()).toBe('200');
  }, 60_000);

  it('takes a number of a million digits for a double', () => {
    const request = messageWithJson(`{"a":${'9'.repeat(1_000_000)}}`);
    expect(compileExpression(`$${'{payload.a > 1}'}`, {}).stringValue(request)).toBe('true');
  });
});
