import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';
import { FakeExchange, logged, message, problemLines, response, sequence } from '../mediation/harness.ts';
import { waitFor } from '../support/wait-for.ts';
import { endpointAt, SplitFlow, shown } from './split-harness.ts';

const XML: Array<[string, string]> = [['Content-Type', 'application/xml']];
const JSON_TYPE: Array<[string, string]> = [['Content-Type', 'application/json']];

/** Parts of `<r><i>…</i>…</r>` come to an aggregate in the sequence `join`. */
function joining(aggregate: string, after = ''): SplitFlow {
  return new SplitFlow({ join: `${aggregate}${after}` }, { body: '<r><i>1</i><i>2</i><i>3</i></r>' });
}

const SPLIT = '<iterate expression="//i"><target sequence="join"/></iterate>';
const COMPLETE = '<onComplete expression="//i"><respond/></onComplete>';

describe('an aggregate', () => {
  it('makes one message of the parts of another', async () => {
    const flow = joining(`<aggregate>${COMPLETE}</aggregate>`);
    await flow.run(SPLIT);
    expect(flow.answers()).toEqual(['<i>1</i><i>2</i><i>3</i>']);
    expect(flow.exchange.failures).toEqual([]);
  });

  it('of three parts lets the third go on with the result where onComplete returns true, and no other (spec mediators 7.6)', async () => {
    const flow = joining(
      '<aggregate><onComplete expression="//i"><property name="in" value="1"/></onComplete></aggregate>',
      '<property name="after" value="1"/><respond/>',
    );
    await flow.run(SPLIT);
    expect(flow.answers()).toEqual(['<i>1</i><i>2</i><i>3</i>']);
    expect(flow.exchange.responses[0]?.text('messageSequence')).toBe('2/3');
    expect(flow.exchange.responses[0]?.text('after')).toBe('1');
    expect(flow.exchange.responses[0]?.properties.has('in')).toBe(false);
  });

  it('lets messages pass that are no part of anything', async () => {
    const flow = new SplitFlow({}, { body: '<r/>' });
    expect(await flow.run(`<aggregate>${COMPLETE}</aggregate><respond/>`)).toBe(false);
    expect(flow.answers()).toEqual(['<r/>']);
  });

  it('only takes parts of the splitter with its id', async () => {
    const flow = new SplitFlow(
      { join: `<aggregate id="b">${COMPLETE}</aggregate><respond/>` },
      { body: '<r><i>1</i></r>' },
    );
    await flow.run(SPLIT.replace('<iterate', '<iterate id="a"'));
    expect(flow.exchange.responses[0]?.properties.has('aggregateCorelation.a')).toBe(true);
    const other = new SplitFlow({ join: `<aggregate id="a">${COMPLETE}</aggregate>` }, { body: '<r><i>1</i></r>' });
    await other.run(SPLIT.replace('<iterate', '<iterate id="a"'));
    expect(other.answers()).toEqual(['<i>1</i>']);
  });

  it('keeps the parts of two messages apart', async () => {
    const join = `<aggregate>${COMPLETE}</aggregate>`;
    const flow = new SplitFlow({ join }, { body: '<r><i>1</i><i>2</i></r>' });
    const second = message({ body: '<r><i>3</i></r>', configuration: flow.configuration, exchange: flow.exchange });
    second.messageId = 'urn:uuid:2';
    await Promise.all([flow.run(SPLIT), sequence(SPLIT).mediate(second)]);
    await flow.exchange.settled();
    expect(flow.answers().sort()).toEqual(['<i>1</i><i>2</i>', '<i>3</i>']);
  });

  it('drops what comes after it is complete', async () => {
    const counted = '<completeCondition><messageCount min="2" max="-1"/></completeCondition>';
    const flow = joining(`<aggregate>${counted}${COMPLETE}</aggregate>`, '<respond/>');
    await flow.run(SPLIT);
    expect(flow.answers()).toEqual(['<i>1</i><i>2</i>']);
  });

  it('is complete at max, which may be an expression', async () => {
    const flow = joining(
      `<aggregate><completeCondition><messageCount max="{count(//i) + 1}"/></completeCondition>${COMPLETE}</aggregate>`,
    );
    await flow.run(SPLIT);
    expect(flow.answers()).toEqual(['<i>1</i><i>2</i>']);
  });

  it('is a fault when the count is no number (MREQ-11)', async () => {
    const flow = joining(
      `<aggregate><completeCondition><messageCount min="{'many'}"/></completeCondition>${COMPLETE}</aggregate>`,
    );
    await flow.run(SPLIT);
    expect(flow.exchange.failures[0]?.message).toContain("min of messageCount is 'many'");
  });

  it('collects the responses of what was sent', async () => {
    const flow = new SplitFlow(
      { out: '<aggregate><onComplete expression="//a"><respond/></onComplete></aggregate>' },
      { body: '<r><i>1</i><i>2</i><i>3</i></r>' },
    );
    flow.configuration.sender.answer = ({ body }) =>
      response(
        200,
        `<x><a>${Buffer.from(body ?? [])
          .toString()
          .replace(/\D/g, '')}</a></x>`,
        XML,
      );
    await flow.run(
      `<iterate expression="//i"><target><sequence><send>${endpointAt('a')}</send></sequence></target></iterate>`,
    );
    expect(flow.sent).toHaveLength(3);
    expect(flow.answers()).toEqual(['<a>1</a><a>2</a><a>3</a>']);
  });

  it('collects the answers of calls after the splitter', async () => {
    const flow = new SplitFlow({}, { body: '<r><i>1</i><i>2</i></r>' });
    flow.configuration.sender.answer = () => response(200, '<a/>', XML);
    await flow.run(
      `<iterate expression="//i"><target><sequence><call>${endpointAt('a')}</call></sequence></target></iterate>
       <aggregate><onComplete expression="//a"><property name="n" value="1"/></onComplete></aggregate><respond/>`,
    );
    expect(flow.answers()).toEqual(['<a/><a/>']);
  });

  it('may stand in the onComplete of another', async () => {
    const flow = new SplitFlow(
      {
        inner: '<iterate id="in" expression="//b"><target sequence="join"/></iterate>',
        join: `<aggregate id="in"><onComplete expression="//b">
                 <aggregate id="out"><onComplete expression="//b"><respond/></onComplete></aggregate>
               </onComplete></aggregate>`,
      },
      { body: '<r><a><b>1</b><b>2</b></a><a><b>3</b></a></r>' },
    );
    await flow.run('<iterate id="out" expression="//a"><target sequence="inner"/></iterate>');
    // Results are in the order in which they were complete.
    expect(flow.answers()).toHaveLength(1);
    expect(flow.answers()[0]).toMatch(/^(<b>3<.b><b>1<.b><b>2<.b>|<b>1<.b><b>2<.b><b>3<.b>)$/);
  });
});

describe('the result', () => {
  const json = async (onComplete: string, answers: readonly string[], before = '') => {
    const flow = new SplitFlow(
      { out: `${before}<aggregate><onComplete ${onComplete}><respond/></onComplete></aggregate>` },
      { body: `<r>${'<i/>'.repeat(answers.length)}</r>` },
    );
    let next = 0;
    flow.configuration.sender.answer = () => response(200, answers[next++] ?? '', JSON_TYPE);
    await flow.run(`<iterate expression="//i" sequential="true"><target>${endpointAt('a')}</target></iterate>`);
    return { answers: flow.answers(), failures: flow.exchange.failures.map(({ message: text }) => text) };
  };

  it('of XML that is not wrapped keeps the Body of the first message', async () => {
    const flow = joining('<aggregate><onComplete><respond/></onComplete></aggregate>');
    await flow.run(SPLIT);
    expect(flow.answers()).toEqual(['<i>1</i><i>2</i><i>3</i>']);
  });

  it('of JSON is an array of the values', async () => {
    expect((await json('expression="json-eval($.v)"', ['{"v":1.50}', '{"v":{"a":"1"}}', '{"v":"x"}'])).answers).toEqual(
      ['[1.50,{"a":"1"},"x"]'],
    );
  });

  it('of JSON is one object of the members, with child', async () => {
    const child = 'expression="json-eval($)" aggregateElementType="child"';
    expect((await json(child, ['{"a":1,"b":2}', '{"a":3}'])).answers).toEqual(['{"a":[1,3],"b":2}']);
    expect((await json(child, ['{"a":1}', '[1]'])).failures).toEqual([
      'Error merging aggregation results using JSONPath : json-eval($)',
    ]);
  });

  const ENCLOSING = '<property name="e"><all xmlns="" k="1"/></property>';

  it('stands inside the element of a property', async () => {
    const flow = joining(
      `<aggregate><onComplete expression="//i" enclosingElementProperty="e"><respond/></onComplete></aggregate>`,
    );
    await flow.run(`${ENCLOSING}${SPLIT}`);
    expect(flow.answers()).toEqual(['<all k="1"><i>1</i><i>2</i><i>3</i></all>']);
    const enclosed = await json('expression="json-eval($)" enclosingElementProperty="e"', ['1', '2'], ENCLOSING);
    expect(enclosed.answers).toEqual(['{"all":[1,2]}']);
  });

  it('is a fault without that property, or with another kind', async () => {
    const aggregate =
      '<aggregate><onComplete expression="//i" enclosingElementProperty="e"><respond/></onComplete></aggregate>';
    for (const [before, text] of [
      ['', 'Enclosing Element property: e not found '],
      ['<property name="e" value="x"/>', 'Enclosing Element defined in the property: e is not an OMElement '],
    ] as const) {
      const flow = joining(aggregate);
      await flow.run(`${before}${SPLIT}`);
      expect(flow.exchange.failures.map(({ message: reason }) => reason)).toEqual([text]);
      expect(flow.answers()).toEqual([]);
    }
  });

  it('is a fault when a later message has no match, and the group is gone', async () => {
    const flow = new SplitFlow(
      { join: '<aggregate><onComplete expression="//a"><respond/></onComplete></aggregate>' },
      { body: '<r><i><a/></i><i><b/></i></r>' },
    );
    await flow.run(SPLIT);
    expect(flow.exchange.failures.map(({ message: reason }) => reason)).toEqual(['Error evaluating expression: //a']);
    expect(flow.exchange.tracked.length).toBeGreaterThan(0);
  });

  it('is dropped by an empty onComplete, and a fault without one', async () => {
    const dropped = joining('<aggregate><onComplete expression="//i"/></aggregate>', '<respond/>');
    await dropped.run(SPLIT);
    expect([dropped.answers(), dropped.exchange.failures]).toEqual([[], []]);
    for (const inside of ['', '<onComplete expression="//i" sequence="gone"/>']) {
      const flow = joining(`<aggregate>${inside}</aggregate>`);
      await flow.run(SPLIT);
      expect(flow.exchange.failures.map(({ message: reason }) => reason)).toEqual([
        'Unable to find the sequence for the mediation of the aggregated message',
      ]);
    }
  });

  it('goes to the sequence that onComplete names', async () => {
    const flow = new SplitFlow(
      { join: '<aggregate><onComplete expression="//i" sequence="done"/></aggregate>', done: '<respond/>' },
      { body: '<r><i>1</i><i>2</i></r>' },
    );
    await flow.run(SPLIT);
    expect(flow.answers()).toEqual(['<i>1</i><i>2</i>']);
  });

  it('of splitting and joining is what was split', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 2 }), { minLength: 1, maxLength: 60 }), async (values) => {
        const items = JSON.stringify(values);
        const flow = new SplitFlow(
          { join: '<aggregate><onComplete expression="json-eval($)"><respond/></onComplete></aggregate>' },
          { body: `{"list":${items}}`, contentType: 'application/json' },
        );
        await flow.run('<iterate expression="json-eval($.list)"><target sequence="join"/></iterate>');
        expect(flow.answers().map((text) => JSON.parse(text))).toEqual([JSON.parse(items)]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('correlateOn', () => {
  const aggregate = (expression: string, min = 2) =>
    sequence(
      `<aggregate><correlateOn expression="${expression}"/><completeCondition><messageCount min="${min}"/></completeCondition><onComplete expression="//i"><respond/></onComplete></aggregate>`,
    );

  function from(flow: SplitFlow, body: string): MessageContext {
    return message({ body, configuration: flow.configuration, exchange: flow.exchange });
  }

  it('puts messages together for which it gives the same text (MREQ-10, MREQ-11)', async () => {
    const flow = new SplitFlow();
    const steps = aggregate('//k');
    for (const body of [
      '<r><k>a</k><i>1</i></r>',
      '<r><k>b</k><i>2</i></r>',
      '<r><k>a</k><i>3</i></r>',
      '<r><k>b</k><i>4</i></r>',
    ]) {
      await steps.mediate(from(flow, body));
    }
    expect(flow.answers()).toEqual(['<i>1</i><i>3</i>', '<i>2</i><i>4</i>']);
  });

  it('lets messages pass for which it is false, and fails where it finds nothing', async () => {
    const flow = new SplitFlow();
    expect(await aggregate('boolean(//k)').mediate(from(flow, '<r/>'))).toBe(true);
    expect(() => aggregate('//k').mediate(from(flow, '<r/>'))).toThrow('Failed to evaluate correlate expression: //k');
  });
});

describe('time', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const timed = (seconds: number) => `<completeCondition timeout="${seconds}"/>`;
  /** The second part never comes. */
  const LOSING = '<filter xpath="//i = 2"><drop/></filter>';

  async function settle(flow: SplitFlow, ms: number) {
    // Parts may still be on their way: a part gives way to other work when it has taken long.
    await waitFor(() => vi.getTimerCount() > 0, { what: 'the timer of a group' });
    await vi.advanceTimersByTimeAsync(ms);
    await flow.exchange.settled();
  }

  it('completes a group with what there is, and the rest of the flow runs for the result', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const flow = joining(
      `${LOSING}<aggregate>${timed(2)}<onComplete expression="//i"><property name="in" value="1"/></onComplete></aggregate>`,
      '<property name="after" value="1"/><respond/>',
    );
    await sequence(`${SPLIT}`).mediate(flow.request);
    await vi.advanceTimersByTimeAsync(1000);
    expect(flow.answers()).toEqual([]);
    const records = await logged(() => settle(flow, 1500));
    const expired = records.find(({ message: text }) => text === 'Aggregate mediator timeout occurred.');
    expect(expired?.details).toMatchObject({
      collected: 2,
      messageId: expect.stringMatching(/^urn:uuid:/),
      line: expect.any(Number),
    });
    expect(flow.answers()).toEqual(['<i>1</i><i>3</i>']);
    expect(flow.exchange.responses[0]?.text('after')).toBe('1');
    expect(flow.exchange.responses[0]?.text('in')).toBe('1');
  });

  it('is not waited for by anything once the group is complete', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const flow = joining(`<aggregate>${timed(2)}${COMPLETE}</aggregate>`);
    await sequence(SPLIT).mediate(flow.request);
    await flow.exchange.settled();
    expect(flow.answers()).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on after the sequences around the aggregate, too', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const flow = new SplitFlow(
      {
        outer: '<sequence key="inner"/><property name="outer" value="1"/><respond/>',
        inner: `${LOSING}<in><aggregate>${timed(1)}<onComplete expression="//i"><property name="in" value="1"/></onComplete></aggregate></in>`,
      },
      { body: '<r><i>1</i><i>2</i></r>' },
    );
    await sequence('<iterate expression="//i"><target sequence="outer"/></iterate>').mediate(flow.request);
    await settle(flow, 1500);
    expect(flow.exchange.responses.map((one) => one.text('outer'))).toEqual(['1']);
  });

  it('drops the parts that come later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const flow = new SplitFlow(
      { out: `<aggregate>${timed(1)}<onComplete expression="//a"><respond/></onComplete></aggregate><respond/>` },
      { body: '<r><i>1</i><i>2</i></r>' },
    );
    flow.configuration.sender.answer = async ({ body }) => {
      const slow = Buffer.from(body ?? []).includes('2');
      if (slow) await new Promise((resolve) => setTimeout(resolve, 5000));
      return response(200, `<a>${slow}</a>`, XML);
    };
    await sequence(`<iterate expression="//i"><target>${endpointAt('a')}</target></iterate>`).mediate(flow.request);
    await vi.advanceTimersByTimeAsync(1500);
    expect(flow.answers()).toEqual(['<a>false</a>']);
    await settle(flow, 5000);
    expect(flow.answers()).toEqual(['<a>false</a>']);
  });

  it('gives a group up that has no timeout, after ten minutes, as a fault (MREQ-13)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const flow = joining(`${LOSING}<aggregate id="k">${COMPLETE}</aggregate>`);
    const split = SPLIT.replace('<iterate', '<iterate id="k"');
    await sequence(split).mediate(flow.request);
    const records = await logged(() => settle(flow, 600_001));
    expect(records.map(({ message: text }) => text)).toContain("Aggregate 'k' gives up a group with 2 of 3 messages");
    expect(flow.exchange.failures[0]).toMatchObject({
      message: "Aggregate 'k' was given up with 2 of 3 messages",
      status: 504,
    });
    expect(flow.answers()).toEqual([]);
  });

  it('lets the client wait for a group of its own message', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const flow = joining(`${LOSING}<aggregate>${timed(2)}${COMPLETE}</aggregate>`);
    await sequence(SPLIT).mediate(flow.request);
    let ended = false;
    const waiting = flow.exchange.settled().then(() => {
      ended = true;
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1500);
    await waiting;
    expect(flow.answers()).toHaveLength(1);
  });

  it('ends when the server stops: what has a timeout is completed, what has none fails', async () => {
    for (const [condition, answers, failures] of [
      [timed(100), 1, 0],
      ['', 0, 1],
    ] as const) {
      const flow = joining(`${LOSING}<aggregate>${condition}${COMPLETE}</aggregate>`);
      await sequence(SPLIT).mediate(flow.request);
      flow.configuration.flows.endWaiting(20);
      expect(await flow.configuration.flows.idle(5000)).toBe(true);
      await flow.exchange.settled();
      expect([flow.exchange.responses.length, flow.exchange.failures.length]).toEqual([answers, failures]);
    }
  });
});

describe('bounds', () => {
  it.each([
    [{ messages: 2 }, 'keeps no more messages'],
    [{ bytes: 50 }, 'keeps no more messages'],
    [{ groups: 0 }, 'has 0 open groups'],
  ])('%o are kept with a fault', async (limits, text) => {
    const flow = joining(`<aggregate>${COMPLETE}</aggregate>`);
    (flow.configuration.services as { aggregation?: object }).aggregation = { ...limits, expiryMs: 50 };
    await flow.run(SPLIT);
    expect(flow.exchange.failures[0]?.message).toContain(text);
    expect(flow.answers()).toEqual([]);
  });

  it('joining many large messages is linear in their size', async () => {
    const steps = sequence(
      '<aggregate><completeCondition><messageCount max="20"/></completeCondition><onComplete expression="//i"><respond/></onComplete></aggregate>',
    );
    const time = async (count: number) => {
      const flow = new SplitFlow();
      const begun = performance.now();
      for (let part = 0; part < 20; part += 1) {
        const one = message({
          body: `<r>${'<i>x</i>'.repeat(count)}</r>`,
          configuration: flow.configuration,
          exchange: new FakeExchange(),
        });
        one.properties.set('aggregateCorelation', `group ${count}`);
        await steps.mediate(one);
      }
      return performance.now() - begun;
    };
    await time(50);
    const [small, large] = [await time(100), await time(1000)];
    expect(large).toBeLessThan(Math.max(small, 20) * 40);
  });
});

describe('the grammar', () => {
  it.each([
    ['<aggregate><correlateOn expression="//a["/></aggregate>', 'Unable to load the corelate XPATH expression : //a['],
    ['<aggregate><onComplete expression="//a["/></aggregate>', 'Unable to load the aggregating XPATH : //a['],
    ['<aggregate><completeCondition timeout="soon"/><onComplete/></aggregate>', "'soon' is not a valid number"],
    [
      '<aggregate><completeCondition><messageCount min="few"/></completeCondition><onComplete/></aggregate>',
      "attribute 'min' of <messageCount>: 'few' is not a valid number",
    ],
    ['<aggregate><onComplete><nonsense/></onComplete></aggregate>', 'Unknown mediator'],
  ])('refuses %s', (xml, text) => {
    const errors = problemLines(xml).filter((line) => line.startsWith('error'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(text);
  });

  it('accepts an aggregate without onComplete, with a warning', () => {
    expect(problemLines('<aggregate/>')).toEqual([
      'warning: an aggregate without <onComplete> fails when it is complete',
    ]);
  });
});

it('shows what it holds as XML', () => {
  const one = message();
  one.payload = Payload.ofBodyChild(parseXml('<a/>').documentElement as XmlElement);
  expect(shown(one)).toBe('<a/>');
});
