import { describe, expect, it } from 'vitest';
import { logged, problemLines, response } from '../mediation/harness.ts';
import { waitFor } from '../support/wait-for.ts';
import { endpointAt, SplitFlow, shown } from './split-harness.ts';

const JSON_TYPE: Array<[string, string]> = [['Content-Type', 'application/json']];
const CALL = (host: string) => `<sequence><call>${endpointAt(host)}</call></sequence>`;
const BODY = 'target="Body" result-content-type="JSON"';

const REQUEST = '{"q":1}';

/** Answers `{"from":"<host>"}`; after so many ms, or only when the flow has gone on without it. */
function flowOf(delays: Readonly<Record<string, number | 'too late'>> = {}): SplitFlow {
  const flow = new SplitFlow({}, { body: REQUEST, contentType: 'application/json' });
  flow.configuration.sender.answer = async ({ url }) => {
    const host = new URL(url).hostname;
    const wait = delays[host] ?? 1;
    if (wait === 'too late') await waitFor(() => shown(flow.request) !== REQUEST, { what: 'the flow to go on' });
    else await new Promise((resolve) => setTimeout(resolve, wait));
    return response(200, `{"from":"${host}"}`, JSON_TYPE);
  };
  return flow;
}

function scatter(attributes: string, aggregation: string, sequences: string): string {
  return `<scatter-gather ${attributes}><aggregation ${aggregation}/>${sequences}</scatter-gather>`;
}

describe('scatter-gather', () => {
  it('goes on with the results in the order in which they come', async () => {
    const flow = flowOf({ a: 250 });
    const outcome = await flow.run(
      `${scatter(BODY, 'expression="json-eval($)"', CALL('a') + CALL('b'))}<property name="after" value="1"/>`,
    );
    expect(outcome).toBe(true);
    expect(shown(flow.request)).toBe('[{"from":"b"},{"from":"a"}]');
    expect(flow.request.axis2.get('messageType')).toBe('application/json');
    expect(flow.request.text('after')).toBe('1');
  });

  it('runs one sequence after the other when it is told to', async () => {
    const flow = flowOf({ a: 250 });
    await flow.run(scatter(`${BODY} parallel-execution="false"`, 'expression="json-eval($)"', CALL('a') + CALL('b')));
    expect(shown(flow.request)).toBe('[{"from":"a"},{"from":"b"}]');
  });

  it('leaves the message as it was when the result goes to a variable', async () => {
    const flow = flowOf();
    const inside = '<sequence><property name="inside" value="1"/></sequence>';
    await flow.run(
      scatter(
        'target="variable" target-variable="v" result-content-type="JSON"',
        'expression="json-eval($.q)"',
        inside + inside,
      ),
    );
    expect(String(flow.request.variables.get('v'))).toBe('[1,1]');
    expect(shown(flow.request)).toBe('{"q":1}');
    expect(flow.request.properties.has('inside')).toBe(false);
  });

  it('takes over what the last branch left in its scopes when the result goes to the body', async () => {
    const flow = flowOf();
    await flow.run(
      scatter(BODY, 'expression="json-eval($)"', '<sequence><property name="inside" value="1"/></sequence>'),
    );
    expect(flow.request.text('inside')).toBe('1');
  });

  it('puts XML together in an element', async () => {
    const flow = new SplitFlow({}, { body: '<r><i>1</i></r>' });
    await flow.run(
      scatter(
        'target="body" result-content-type="XML" result-enclosing-element="all"',
        'expression="//i"',
        '<sequence/><sequence/>',
      ),
    );
    expect(shown(flow.request)).toBe('<all><i>1</i><i>1</i></all>');
    const text = new SplitFlow({}, { body: '<r>text</r>' });
    await expect(
      text.run(
        scatter(
          'target="body" result-content-type="XML" result-enclosing-element="all"',
          'expression="string(//r)"',
          '<sequence/>',
        ),
      ),
    ).rejects.toThrow('Error reading XML element: text');
  });

  it('makes text of what is no JSON, for the body; for a variable it is a fault', async () => {
    const run = (target: string) => {
      const flow = new SplitFlow({}, { body: '<r>text</r>' });
      return {
        flow,
        outcome: flow.run(scatter(`${target} result-content-type="JSON"`, 'expression="string(//r)"', '<sequence/>')),
      };
    };
    const body = run('target="body"');
    await body.outcome;
    expect(shown(body.flow.request)).toBe('["text"]');
    await expect(run('target="variable" target-variable="v"').outcome).rejects.toThrow(
      'Aggregation expression string(//r) did not return a valid JSON element',
    );
  });

  it('only counts the results for which the condition is true', async () => {
    const flow = flowOf();
    await flow.run(
      scatter(
        BODY,
        `expression="json-eval($)" condition="json-eval($.from) = 'b'"`.replace(
          /condition="[^"]*"/,
          'condition="//from = \'b\'"',
        ),
        CALL('a') + CALL('b'),
      ),
    );
    expect(shown(flow.request)).toBe('[{"from":"b"}]');
  });

  it('has enough at min or max messages; the others run to their end', async () => {
    for (const count of ['min-messages="1"', 'max-messages="{1}"']) {
      const flow = flowOf({ a: 'too late' });
      await flow.run(scatter(BODY, `expression="json-eval($)" ${count}`, CALL('a') + CALL('b')));
      expect(shown(flow.request)).toBe('[{"from":"b"}]');
      expect(flow.sent).toHaveLength(2);
    }
  });

  it('makes do with what there is after its timeout', async () => {
    const flow = flowOf({ a: 'too late' });
    const records = await logged(() =>
      flow.run(scatter(BODY, 'expression="json-eval($)" timeout="1000"', CALL('a') + CALL('b'))),
    );
    expect(shown(flow.request)).toBe('[{"from":"b"}]');
    expect(records.map(({ message }) => message)).toContain('Scatter Gather mediator timeout occurred.');
  });

  it('faults when a branch has no result, or none counts (MREQ-16)', async () => {
    const failing = '<sequence><sequence key="gone"/></sequence>';
    await expect(flowOf().run(scatter(BODY, 'expression="json-eval($)"', CALL('a') + failing))).rejects.toThrow(
      "scatter-gather: branch 2 did not produce a result: Sequence named 'gone' cannot be found",
    );
    await expect(
      flowOf().run(scatter(BODY, 'expression="json-eval($)" condition="false()"', CALL('a'))),
    ).rejects.toThrow('scatter-gather: no branch gave a result that counts');
    await expect(
      flowOf().run(scatter(BODY, `expression="json-eval($)" min-messages="{'x'}"`, CALL('a'))),
    ).rejects.toThrow("min-messages is 'x', which is no number");
  });

  it('does not need a branch that failed when the others are enough', async () => {
    const failing = '<sequence><sequence key="gone"/></sequence>';
    const flow = flowOf();
    await flow.run(scatter(BODY, 'expression="json-eval($)" min-messages="1"', failing + CALL('b')));
    expect(shown(flow.request)).toBe('[{"from":"b"}]');
  });
});

describe('the grammar', () => {
  const REST = '<aggregation expression="//a"/><sequence/>';
  it.each([
    [
      `<scatter-gather target="body">${REST}</scatter-gather>`,
      "The 'result-content-type' attribute is required for the configuration of a Scatter Gather mediator",
    ],
    [
      `<scatter-gather result-content-type="JSON">${REST}</scatter-gather>`,
      "The 'target' attribute is required for the configuration of a Scatter Gather mediator",
    ],
    [
      `<scatter-gather target="x" result-content-type="JSON">${REST}</scatter-gather>`,
      "The 'target' attribute should be either 'body' or 'variable'",
    ],
    [
      `<scatter-gather target="variable" result-content-type="JSON">${REST}</scatter-gather>`,
      "The 'target-variable' attribute is required for the configuration of a Scatter Gather mediator when the 'target' is 'variable'",
    ],
    [
      `<scatter-gather target="body" result-content-type="XML">${REST}</scatter-gather>`,
      "The 'result-enclosing-element' attribute is required for the configuration of a Scatter Gather mediator when the 'result-content-type' is 'XML'",
    ],
    [
      '<scatter-gather target="body" result-content-type="JSON"><aggregation expression="//a"/></scatter-gather>',
      "A 'sequence' element is required",
    ],
    [
      '<scatter-gather target="body" result-content-type="JSON"><sequence/></scatter-gather>',
      "The 'aggregation' element is required",
    ],
    [
      '<scatter-gather target="body" result-content-type="JSON"><aggregation/><sequence/></scatter-gather>',
      "The 'expression' attribute is required",
    ],
  ])('refuses %s', (xml, text) => {
    const errors = problemLines(xml).filter((line) => line.startsWith('error'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(text);
  });
});
