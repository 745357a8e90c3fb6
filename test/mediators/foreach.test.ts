import { describe, expect, it } from 'vitest';
import { JsonValue } from '../../src/message/property-value.ts';
import { limitXml } from '../../src/xml/index.ts';
import { logged, problemLines, response } from '../mediation/harness.ts';
import { endpointAt, SplitFlow, shown } from './split-harness.ts';

const XML: Array<[string, string]> = [['Content-Type', 'application/xml']];
const JSON_TYPE: Array<[string, string]> = [['Content-Type', 'application/json']];

async function looped(body: string, mediators: string, sequences = {}): Promise<SplitFlow> {
  const contentType = body.startsWith('<') ? 'application/xml' : 'application/json';
  const flow = new SplitFlow(sequences, { body, contentType });
  expect(await flow.run(mediators)).toBe(true);
  return flow;
}

describe('foreach with an expression, over XML', () => {
  const SEEN = '<property name="seen" expression="concat($ctx:seen, \' \', $ctx:FOREACH_COUNTER, \'=\', //a)"/>';

  it('runs for every element on the message itself, in order, and counts', async () => {
    const flow = await looped(
      '<r><a>x</a><b/><a>y</a></r>',
      `<foreach expression="//a"><sequence>${SEEN}</sequence></foreach>`,
    );
    expect(flow.request.text('seen')).toMatch(/^ 0=x 1=y$/);
    expect(String(flow.request.properties.get('FOREACH_COUNTER'))).toBe('2');
  });

  it('moves the results to the end of the parent of the first one (section 7.6)', async () => {
    const flow = await looped('<r><a>x</a><b/><a>y</a></r>', '<foreach expression="//a"><sequence/></foreach>');
    expect(shown(flow.request)).toBe('<r><b/><a>x</a><a>y</a></r>');
  });

  it('keeps the original, under its id', async () => {
    const flow = await looped('<r><a/></r>', '<foreach id="k" expression="//a"><sequence/></foreach>');
    const original = flow.request.properties.get('k_FOREACH_ORIGINAL_MESSAGE');
    expect(String(original)).toContain('<r><a/></r>');
    expect(flow.request.properties.has('k_FOREACH_COUNTER')).toBe(true);
  });

  it('does nothing where nothing matches', async () => {
    const flow = await looped('<r/>', '<foreach expression="//a"><sequence><drop/></sequence></foreach>');
    expect(shown(flow.request)).toBe('<r/>');
  });

  it('counts results that are made of JSON as the XML that is kept of them (OP-91)', async () => {
    const json = `{"many":[${Array(1_000).fill(1).join()}]}`;
    const counts = '<property name="rounds" expression="$ctx:FOREACH_COUNTER"/>';
    const made = `<payloadFactory media-type="json"><format>${json}</format></payloadFactory>`;
    const body = `<r>${'<a/>'.repeat(20)}</r>`;
    const flow = new SplitFlow({}, { body, contentType: 'application/xml' });
    limitXml({ maxXmlNodes: 5_000 });
    try {
      const running = flow.run(`<foreach expression="//a"><sequence>${counts}${made}</sequence></foreach>`);
      await expect(running).rejects.toThrow('copies for one document have more than 5000 nodes');
    } finally {
      limitXml({});
    }
    expect(Number(flow.request.text('rounds'))).toBeLessThan(6);
    // The fault is about the whole message, and so is what handles it.
    expect(shown(flow.request)).toBe(body);
  });

  it('leaves the payload of an iteration that fails, as the reference does', async () => {
    const flow = new SplitFlow({}, { body: '<r><a>1</a></r>' });
    await expect(
      flow.run('<foreach expression="//a"><sequence><sequence key="gone"/></sequence></foreach>'),
    ).rejects.toThrow('gone');
    expect(shown(flow.request)).toBe('<a>1</a>');
  });

  it('stops where an iteration stops, and keeps its result; the flow goes on', async () => {
    const stop = '<filter xpath="//a = 2"><drop/></filter><property name="last" expression="//a"/>';
    const flow = await looped(
      '<r><a>1</a><a>2</a><a>3</a></r>',
      `<foreach expression="//a"><sequence>${stop}</sequence></foreach>`,
    );
    expect(flow.request.text('last')).toBe('1');
    expect(shown(flow.request)).toBe('<r><a>3</a><a>1</a><a>2</a></r>');
    const on = await looped(
      '<r><a>1</a><a>2</a><a>3</a></r>',
      `<foreach continueLoopOnFailure="true" expression="//a"><sequence>${stop}</sequence></foreach>`,
    );
    expect(on.request.text('last')).toBe('3');
  });

  it('fails where an iteration fails, or goes on if it may', async () => {
    const fail = '<filter xpath="//a = 1"><sequence key="gone"/></filter>';
    const flow = new SplitFlow({}, { body: '<r><a>1</a><a>2</a></r>' });
    await expect(flow.run(`<foreach expression="//a"><sequence>${fail}</sequence></foreach>`)).rejects.toThrow('gone');
    const records = await logged(async () => {
      const on = await looped(
        '<r><a>1</a><a>2</a></r>',
        `<foreach continueLoopOnFailure="true" expression="//a"><sequence>${fail}</sequence></foreach>`,
      );
      expect(shown(on.request)).toBe('<r><a>1</a><a>2</a></r>');
      expect(on.request.sequenceDepth).toBe(0);
      expect(on.request.callers).toEqual([]);
    });
    expect(records.map(({ level }) => level)).toContain('warn');
  });

  it('runs a sequence by name, but none that sends', async () => {
    const sequences = { named: '<property name="n" value="1"/>', sending: `<send>${endpointAt('a')}</send>` };
    const flow = await looped('<r><a/></r>', '<foreach expression="//a" sequence="named"/>', sequences);
    expect(flow.request.text('n')).toBe('1');
    const refused = new SplitFlow(sequences, { body: '<r><a/></r>' });
    await expect(refused.run('<foreach expression="//a" sequence="sending"/>')).rejects.toThrow(
      'ForEach: Referred sequence cannot contain Call, Send or CallOut mediators',
    );
  });
});

describe('foreach with an expression, over JSON', () => {
  it('puts the results in the place of the array', async () => {
    const flow = await looped(
      '{"n":1.0,"l":[1,"x",{"a":null}]}',
      '<foreach expression="json-eval($.l)"><sequence/></foreach>',
    );
    expect(shown(flow.request)).toBe('{"n":1.0,"l":[1,"x",{"a":null}]}');
  });

  it('goes over the root, and over what a filter finds', async () => {
    const root = await looped('[1,2]', '<foreach expression="json-eval($)"><sequence/></foreach>');
    expect(shown(root.request)).toBe('[1,2]');
    const found = await looped(
      '{"d":[{"n":"foo"},{"n":"bar"},{"n":"foo"}]}',
      '<foreach expression="json-eval($.d[?(@.n == \'foo\')])"><sequence><property name="s" expression="concat($ctx:s, \'x\')"/></sequence></foreach>',
    );
    expect(found.request.text('s')).toBe('xx');
    expect(shown(found.request)).toBe('{"d":[{"n":"foo"},{"n":"bar"},{"n":"foo"}]}');
  });

  it('gives the message its payload back when the results take too much', async () => {
    const body = `[${Array(20).fill(1).join(',')}]`;
    const made = `<payloadFactory media-type="json"><format>{"large":"${'x'.repeat(1_000)}"}</format></payloadFactory>`;
    const flow = new SplitFlow({}, { body, contentType: 'application/json' });
    (flow.configuration.services as { aggregation?: object }).aggregation = { bytes: 5_000 };
    await expect(flow.run(`<foreach expression="json-eval($)"><sequence>${made}</sequence></foreach>`)).rejects.toThrow(
      'the results of the parts take more than 5000 bytes',
    );
    expect(shown(flow.request)).toBe(body);
  });

  it('does nothing for an empty array, and fails for what is none', async () => {
    const flow = await looped(
      '{"l":[]}',
      '<foreach expression="json-eval($.l)"><sequence><drop/></sequence></foreach>',
    );
    expect(shown(flow.request)).toBe('{"l":[]}');
    const none = new SplitFlow({}, { body: '{"l":{}}', contentType: 'application/json' });
    await expect(none.run('<foreach expression="json-eval($.l)"><sequence/></foreach>')).rejects.toThrow(
      'JSON element expressed by the path json-eval($.l) is not a valid JSON array',
    );
  });

  it('drops the results of iterations that failed', async () => {
    const fail = '<filter xpath="$ctx:FOREACH_COUNTER = 1"><sequence key="gone"/></filter>';
    const flow = await looped(
      '[1,2,3]',
      `<foreach continueLoopOnFailure="true" expression="json-eval($)"><sequence>${fail}</sequence></foreach>`,
    );
    expect(shown(flow.request)).toBe('[1,3]');
  });
});

describe('foreach with a collection', () => {
  const LIST = '{"list":[{"id":1},{"id":2},{"id":3}],"keep":1.50}';
  const CALL = `<call>${endpointAt('a')}</call>`;

  function answering(flow: SplitFlow) {
    flow.request.doingRest = true;
    flow.configuration.sender.answer = async ({ body }) => {
      const text = Buffer.from(body ?? []).toString();
      // The first ones take longest.
      await new Promise((resolve) => setTimeout(resolve, text.includes('1') ? 15 : 1));
      return text.startsWith('<')
        ? response(200, text.replace('<i>', '<i>answer '), XML)
        : response(200, text.replace('id', 'answer'), JSON_TYPE);
    };
    return flow;
  }

  const json = (body = LIST) => answering(new SplitFlow({}, { body, contentType: 'application/json' }));

  it.each(['parallel-execution="true"', 'parallel-execution="false"'])(
    'puts the results in order into the original (%s)',
    async (how) => {
      const flow = json();
      const outcome = await flow.run(
        `<foreach collection="json-eval($.list)" ${how}><sequence>${CALL}</sequence></foreach><respond/>`,
      );
      expect(outcome).toBe(false);
      expect(flow.answers()).toEqual(['{"list":[{"answer":1},{"answer":2},{"answer":3}],"keep":1.50}']);
    },
  );

  it('understands the expression language', async () => {
    const flow = json();
    await flow.run(`<foreach collection="\${payload.list}"><sequence>${CALL}</sequence></foreach><respond/>`);
    expect(flow.answers()).toEqual(['{"list":[{"answer":1},{"answer":2},{"answer":3}],"keep":1.50}']);
  });

  it('goes over a variable, and changes it', async () => {
    const flow = json('{}');
    flow.request.variables.set('v', new JsonValue('{"l":[{"id":1}]}'));
    await flow.run(`<foreach collection="\${vars.v.l}"><sequence>${CALL}</sequence></foreach>`);
    expect(String(flow.request.variables.get('v'))).toBe('{"l":[{"answer":1}]}');
    expect(shown(flow.request)).toBe('{}');
  });

  it('goes over elements', async () => {
    const flow = answering(new SplitFlow({}, { body: '<r><i>1</i><k/><i>2</i></r>' }));
    await flow.run(`<foreach collection="//i"><sequence>${CALL}</sequence></foreach>`);
    expect(shown(flow.request)).toBe('<r><k/><i>answer 1</i><i>answer 2</i></r>');
  });

  it('puts the results into a variable, as JSON or XML', async () => {
    const flow = json();
    const target = 'update-original="false" target-variable="v" result-content-type="JSON"';
    await flow.run(`<foreach collection="json-eval($.list)" ${target}><sequence>${CALL}</sequence></foreach>`);
    expect(String(flow.request.variables.get('v'))).toBe('[{"answer":1},{"answer":2},{"answer":3}]');
    expect(shown(flow.request)).toBe(LIST);
    const xml = answering(new SplitFlow({}, { body: '<r><i>1</i><i>2</i></r>' }));
    await xml.run(
      `<foreach collection="//i" update-original="false" target-variable="v" result-content-type="xml" result-enclosing-element="all"><sequence/></foreach>`,
    );
    expect(String(xml.request.variables.get('v'))).toBe('<all><i>1</i><i>2</i></all>');
  });

  it('counts in a variable, and forgets what iterations did', async () => {
    const flow = json();
    await flow.run(
      `<foreach collection="json-eval($.list)" parallel-execution="false" counter-variable="c">
         <sequence><property name="X-Count" expression="$var:c" scope="transport"/><property name="inside" value="1"/>${CALL}</sequence></foreach>`,
    );
    const counts = flow.sent.map(({ headers }) => headers.find(([name]) => name === 'X-Count')?.[1]);
    expect(counts).toEqual(['0', '1', '2']);
    expect(flow.request.properties.has('inside')).toBe(false);
    expect(flow.request.variables.has('c')).toBe(false);
  });

  it('faults, once, when an iteration has no result, and says why (MREQ-16)', async () => {
    for (const [inside, reason] of [
      ['<drop/>', 'its flow ended before its end, or its answer went elsewhere'],
      ['<sequence key="gone"/>', "Sequence named 'gone' cannot be found"],
    ]) {
      const flow = json();
      await expect(
        flow.run(
          `<foreach collection="json-eval($.list)"><sequence><filter xpath="$body//id = 2">${inside}</filter></sequence></foreach>`,
        ),
      ).rejects.toThrow(`foreach: branch 2 did not produce a result: ${reason}`);
      expect(flow.exchange.failures).toEqual([]);
    }
  });

  it('takes what an aggregate inside makes for the result of the iteration', async () => {
    const flow = answering(new SplitFlow({}, { body: '<r><g><i>1</i><i>2</i></g><g><i>3</i></g></r>' }));
    await flow.run(
      `<property name="e"><g xmlns=""/></property><foreach collection="//g"><sequence>
         <iterate expression="//i"><target><sequence>${CALL}</sequence></target></iterate>
         <aggregate><onComplete expression="//i" enclosingElementProperty="e"><property name="x" value="1"/></onComplete></aggregate>
       </sequence></foreach><respond/>`,
    );
    expect(flow.exchange.failures).toEqual([]);
    // Parts that do not wait for each other are answered in any order.
    const [answer = '', ...further] = flow.answers();
    expect(further).toEqual([]);
    expect(answer).toMatch(/^<r><g><i>answer (1|2)<\/i><i>answer (?!\1)(1|2)<\/i><\/g><g><i>answer 3<\/i><\/g><\/r>$/);
  });

  it('goes on at once where nobody wants the results', async () => {
    const flow = json();
    const outcome = await flow.run(
      `<foreach collection="json-eval($.list)" continue-without-aggregation="true"><sequence>${CALL}</sequence></foreach><property name="after" value="1"/>`,
    );
    expect(outcome).toBe(true);
    expect(flow.sent).toHaveLength(3);
    expect(shown(flow.request)).toBe(LIST);
  });

  it('does nothing for an empty collection, and faults for what is none', async () => {
    const empty = json('{"list":[]}');
    expect(await empty.run('<foreach collection="json-eval($.list)"><sequence><drop/></sequence></foreach>')).toBe(
      true,
    );
    await expect(
      json('{"list":1}').run('<foreach collection="json-eval($.list)"><sequence/></foreach>'),
    ).rejects.toThrow('Expression json-eval($.list) did not resolve to a valid array');
  });

  it('gives up when no iteration ends for too long', async () => {
    const flow = new SplitFlow({}, { body: '[1]', contentType: 'application/json' });
    (flow.configuration.services as { branchTimeoutMs?: number }).branchTimeoutMs = 20;
    let answer = () => {};
    flow.configuration.sender.answer = () =>
      new Promise((resolve) => {
        answer = () => resolve(response(200, '1', JSON_TYPE));
      });
    const running = flow.run(`<foreach collection="json-eval($)"><sequence>${CALL}</sequence></foreach>`);
    await expect(running).rejects.toThrow('foreach: no branch ended within 0.02 s');
    answer();
    await flow.exchange.settled();
  });
});

describe('the grammar', () => {
  const body = '<sequence/>';
  it.each([
    [
      `<foreach>${body}</foreach>`,
      'XPath/JSONPath expression is required for an ForEach Mediator under the "expression" attribute',
    ],
    [
      '<foreach expression="//a"><sequence><call/></sequence></foreach>',
      'Sequence cannot contain Call, Send or CallOut mediators',
    ],
    ['<foreach collection="//a"/>', "A 'sequence' element is required for the configuration of a Foreach mediator"],
    [`<foreach collection="//a[">${body}</foreach>`, 'Unable to build the Foreach Mediator. Invalid expression //a['],
    [
      `<foreach collection="//a" update-original="false">${body}</foreach>`,
      "The 'result-content-type' and 'target-variable' attributes are required when the 'update-original' attribute is 'false'",
    ],
    [
      `<foreach collection="//a" update-original="false" target-variable="v" result-content-type="CSV">${body}</foreach>`,
      "The 'result-content-type' attribute should be either 'JSON' or 'XML'",
    ],
    [
      `<foreach collection="//a" update-original="false" target-variable="v" result-content-type="XML">${body}</foreach>`,
      "The 'result-enclosing-element' attribute is required for the configuration of a Foreach mediator when the 'result-content-type' is 'XML'",
    ],
    [
      `<foreach collection="//a" counter-variable="c">${body}</foreach>`,
      "The 'counter-variable' attribute is not allowed when parallel-execution is true",
    ],
  ])('refuses %s', (xml, text) => {
    const errors = problemLines(xml).filter((line) => line.startsWith('error'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(text);
  });

  it('warns about calls further inside, which the reference does not see (MREQ-33)', () => {
    const nested = '<foreach expression="//a"><sequence><filter xpath="true()"><call/></filter></sequence></foreach>';
    expect(problemLines(nested).filter((line) => line.includes('does not work in the reference'))).toHaveLength(1);
  });
});
