import { describe, expect, it } from 'vitest';
import { problemLines, problems, response, sequence } from '../mediation/harness.ts';
import { endpointAt, SplitFlow, shown } from './split-harness.ts';

const DOC = '<r h="1"><i>1</i><other/><i>2</i><i>3</i></r>';
const TO_CLIENT = '<target><sequence><respond/></sequence></target>';

function iterate(attributes: string, target = TO_CLIENT): string {
  return `<iterate ${attributes}>${target}</iterate>`;
}

async function parts(attributes: string, body = DOC, contentType = 'application/xml'): Promise<string[]> {
  const flow = new SplitFlow({}, { body, contentType });
  expect(await flow.run(iterate(attributes))).toBe(false);
  expect(flow.exchange.failures).toEqual([]);
  return flow.answers();
}

describe('splitting XML', () => {
  it('makes a message of every element, in document order, alone in the Body', async () => {
    expect(await parts('expression="//i"')).toEqual(['<i>1</i>', '<i>2</i>', '<i>3</i>']);
  });

  it('keeps header blocks, and the message itself unchanged', async () => {
    const envelope =
      '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><k>x</k></e:Header><e:Body><r><i>1</i></r></e:Body></e:Envelope>';
    const flow = new SplitFlow({}, { body: envelope, contentType: 'text/xml', soapAction: true });
    await flow.run(iterate('expression="//i"'));
    const [part] = flow.exchange.responses;
    expect(part?.payload.header()?.textContent).toBe('x');
    expect(shown(flow.request)).toBe('<r><i>1</i></r>');
    expect(flow.request.payload.untouched).toBe(true);
  });

  it('puts an element into what is left of the message, at the attach path', async () => {
    expect(await parts('expression="//i" preservePayload="true" attachPath="//r"')).toEqual([
      '<r h="1"><other/><i>1</i></r>',
      '<r h="1"><other/><i>2</i></r>',
      '<r h="1"><other/><i>3</i></r>',
    ]);
  });

  it('attaches to the envelope without an attach path, as the reference does', async () => {
    const flow = new SplitFlow({}, { body: '<r><i>1</i></r>' });
    await flow.run(iterate('expression="//i" preservePayload="true"'));
    const envelope = flow.exchange.responses[0]?.payload.envelope();
    expect(envelope?.lastChild?.nodeName).toBe('i');
  });

  it('over 0 nodes sends nothing, and ends the flow (spec mediators 7.6)', async () => {
    expect(await parts('expression="//nothing"')).toEqual([]);
    const flow = new SplitFlow({}, { body: DOC });
    await flow.run(`${iterate('expression="//nothing"')}<property name="after" value="1"/><respond/>`);
    expect(flow.request.properties.has('after')).toBe(false);
    expect(flow.exchange.responses).toEqual([]);
  });

  it('is a fault for what is no element, and for an attach path that leads nowhere', async () => {
    const flow = () => new SplitFlow({}, { body: DOC });
    await expect(flow().run(iterate('expression="count(//i)"'))).rejects.toThrow(
      'Error splitting message with XPath : count(//i) - result not an OMNode',
    );
    await expect(flow().run(iterate('expression="//r/@h"'))).rejects.toThrow('result not an OMNode');
    await expect(flow().run(iterate('expression="//i" preservePayload="true" attachPath="//gone"'))).rejects.toThrow(
      'Error in attaching the splitted elements :: Unable to get the attach path specified by the expression //gone',
    );
  });
});

describe('splitting JSON', () => {
  const json = (attributes: string, body: string) => parts(attributes, body, 'application/json');
  const PEOPLE = '{"n":1.50,"list":[{"id":"1"},2,"x",null]}';

  it('makes a message of every item, with its type', async () => {
    expect(await json('expression="json-eval($.list)"', PEOPLE)).toEqual(['{"id":"1"}', '2', '"x"', 'null']);
  });

  it('puts the item into the payload whose array was emptied', async () => {
    const attributes = 'expression="json-eval($.list)" preservePayload="true" attachPath="json-eval($.list)"';
    expect(await json(attributes, '{"n":1.50,"list":[1,2]}')).toEqual(['{"n":1.50,"list":1}', '{"n":1.50,"list":2}']);
    const elsewhere = 'expression="json-eval($.list)" preservePayload="true" attachPath="json-eval($.one)"';
    expect(await json(elsewhere, '{"list":[1]}')).toEqual(['{"list":[],"one":1}']);
  });

  it('gives the item alone when it is attached to the root', async () => {
    expect(await json('expression="json-eval($.list)" preservePayload="true"', '{"list":[1,2]}')).toEqual(['1', '2']);
  });

  it('takes an object for one item only where it goes back to its place', async () => {
    const same = 'expression="json-eval($.o)" preservePayload="true" attachPath="json-eval($.o)"';
    expect(await json(same, '{"o":{"a":1}}')).toEqual(['{"o":{"a":1}}']);
    const flow = new SplitFlow({}, { body: '{"o":{}}', contentType: 'application/json' });
    await expect(flow.run(iterate('expression="json-eval($.o)"'))).rejects.toThrow(
      'JSON element expressed by the path json-eval($.o) is not a valid JSON array that can be iterated',
    );
  });

  it('takes what several places give', async () => {
    expect(await json('expression="json-eval($.a[?(@.k)])"', '{"a":[{"k":1},{},{"k":2}]}')).toEqual([
      '{"k":1}',
      '{"k":2}',
    ]);
  });
});

describe('the parts', () => {
  const PROPERTIES =
    '<target><sequence><property name="seen" expression="concat($ctx:messageSequence, \' \', get-property(\'messageSequence.k\'))"/><respond/></sequence></target>';

  it('know their place, and where they come from', async () => {
    const flow = new SplitFlow({}, { body: DOC });
    await flow.run(iterate('expression="//i" id="k"', PROPERTIES));
    expect(flow.exchange.responses.map((part) => part.text('seen'))).toEqual([' 0/3', ' 1/3', ' 2/3']);
    expect(flow.exchange.responses.map((part) => part.text('aggregateCorelation.k'))).toEqual(
      Array(3).fill('urn:uuid:1'),
    );
    const plain = new SplitFlow({}, { body: DOC });
    await plain.run(iterate('expression="//i"', PROPERTIES));
    expect(plain.exchange.responses.map((part) => part.text('messageSequence'))).toEqual(['0/3', '1/3', '2/3']);
  });

  it('go on beside the message with continueParent, and see what it was like', async () => {
    const flow = new SplitFlow({}, { body: DOC });
    const target = '<target><sequence><property name="p" expression="$ctx:when"/><respond/></sequence></target>';
    const outcome = await flow.run(
      `<property name="when" value="before"/>${iterate('expression="//i" continueParent="true"', target)}<property name="when" value="after"/>`,
    );
    expect(outcome).toBe(true);
    expect(flow.exchange.taken).toBe(true);
    expect(flow.request.text('when')).toBe('after');
    expect(flow.exchange.responses.map((part) => part.text('p'))).toEqual(['before', 'before', 'before']);
  });

  it('run a number at a time, and in order one after the other when they are told to (MREQ-44)', async () => {
    for (const [attributes, most] of [
      ['', 20],
      ['sequential="true"', 1],
    ] as const) {
      const flow = new SplitFlow({}, { body: `<r>${'<i/>'.repeat(60)}</r>` });
      let running = 0;
      let seen = 0;
      flow.configuration.sender.answer = async () => {
        running += 1;
        seen = Math.max(seen, running);
        // Long enough for others to begin.
        for (let turn = 0; turn < 200 && running < most; turn += 1)
          await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return response(200, '<a/>', [['Content-Type', 'application/xml']]);
      };
      await flow.run(
        iterate(
          `expression="//i" ${attributes}`,
          `<target><sequence><call>${endpointAt('a')}</call></sequence></target>`,
        ),
      );
      expect(flow.sent).toHaveLength(60);
      expect(seen).toBe(most);
    }
  });

  it('of which one fails do not keep the others from going on; its handler runs once', async () => {
    const handler = '<property name="handled" expression="$ctx:ERROR_ON_TARGET_EXECUTION"/><respond/>';
    const flow = new SplitFlow({ handler }, { body: DOC });
    const target =
      '<target><sequence onError="handler"><filter xpath="/*//i = 2"><sequence key="gone"/></filter><respond/></sequence></target>';
    for (const sequential of ['false', 'true']) {
      flow.exchange.responses.length = 0;
      await flow.run(iterate(`expression="//i" sequential="${sequential}"`, target));
      expect(flow.exchange.responses.map((part) => part.text('handled'))).toEqual([undefined, 'true', undefined]);
    }
  });

  it('can be sent to an endpoint with an address and an action of their own', async () => {
    const flow = new SplitFlow({}, { body: DOC });
    await flow.run(
      iterate(
        'expression="//i"',
        '<target to="http://other/s" soapAction="urn:a"><endpoint><default format="soap11"/></endpoint></target>',
      ),
    );
    expect(flow.sent.map(({ url }) => url)).toEqual(Array(3).fill('http://other/s'));
    expect(flow.sent[0]?.headers).toContainEqual(['SOAPAction', '"urn:a"']);
  });

  it('are a fault when the target names what there is not', async () => {
    for (const [target, text] of [
      ['<target sequence="gone"/>', "Couldn't find the sequence named : gone"],
      ['<target endpoint="gone"/>', "Couldn't find the endpoint named : gone"],
    ] as const) {
      const flow = new SplitFlow({}, { body: '<r><i/></r>' });
      await flow.run(iterate('expression="//i"', target));
      expect(flow.exchange.failures.map(({ message }) => message)).toEqual([text]);
    }
  });
});

describe('a large document', () => {
  it('is split in time linear in its size', async () => {
    const time = async (count: number) => {
      const flow = new SplitFlow({}, { body: `<r>${'<i><a>text</a></i>'.repeat(count)}</r>` });
      flow.request.payload.envelope();
      const begun = performance.now();
      await flow.run(
        iterate('expression="//i" preservePayload="true" attachPath="//r"', '<target><sequence/></target>'),
      );
      return performance.now() - begun;
    };
    await time(500);
    const [small, large] = [await time(1000), await time(8000)];
    // Eight times as much; the square would be sixty-four times.
    expect(large).toBeLessThan(Math.max(small, 20) * 30);
  });
});

describe('the grammar', () => {
  it.each([
    [
      '<iterate><target/></iterate>',
      'XPATH expression is required for an IterateMediator under the "expression" attribute',
    ],
    ['<iterate expression="//a[">%</iterate>', 'Unable to build the IterateMediator. Invalid XPATH : //a['],
    [
      '<iterate expression="//a" attachPath="//b">%</iterate>',
      'Wrong configuration for the iterate mediator :: if the iterator should not preserve payload, then attachPath can not be present',
    ],
    [
      '<iterate expression="//a" preservePayload="true" attachPath="json-eval($)">%</iterate>',
      'Wrong configuraton for the iterate mediator :: both expression and attachPath should be either jsonpath or xpath',
    ],
    ['<iterate expression="//a"/>', 'Target for an iterate mediator is required :: missing target'],
  ])('refuses %s', (xml, text) => {
    const errors = problemLines(xml.replace('%', TO_CLIENT)).filter((line) => line.startsWith('error'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(text);
  });

  it('warns about booleans that are not meant, and a target that does nothing (MREQ-5)', () => {
    const lines = problemLines('<iterate expression="//a" sequential="yes" continueParent="yes"><target/></iterate>');
    expect(lines).toEqual([
      "warning: 'yes' is read as false for 'continueParent'",
      "warning: 'yes' is read as false for 'sequential'",
      'warning: a <target> without a sequence and without an endpoint does nothing',
    ]);
  });

  it('finds what is wrong inside, with its place', () => {
    const inside = '<iterate expression="//a">\n<target>\n<sequence>\n<nonsense/></sequence></target></iterate>';
    expect(problems(inside)).toMatchObject([{ severity: 'error', position: { line: 4 } }]);
  });

  it('refers to what the target names', () => {
    expect(() => sequence('<iterate expression="//a"><target sequence="s" endpoint="e"/></iterate>')).not.toThrow();
  });
});
