import { describe, expect, it } from 'vitest';
import { JsonValue } from '../../src/message/property-value.ts';
import { problemLines, response } from '../mediation/harness.ts';
import { endpointAt, SplitFlow, shown } from './split-harness.ts';

const SHOW = (name: string) =>
  `<target><sequence><property name="who" value="${name}"/><property name="place" expression="$ctx:messageSequence"/><respond/></sequence></target>`;

describe('clone', () => {
  it('gives every target a copy of the whole message, with its place', async () => {
    const flow = new SplitFlow({}, { body: '<r/>' });
    expect(await flow.run(`<clone>${SHOW('a')}${SHOW('b')}</clone><property name="after" value="1"/>`)).toBe(false);
    expect(flow.exchange.taken).toBe(true);
    expect(flow.exchange.responses.map((part) => [part.text('who'), part.text('place'), shown(part)])).toEqual([
      ['a', '0/2', '<r/>'],
      ['b', '1/2', '<r/>'],
    ]);
    expect(flow.request.properties.has('after')).toBe(false);
    expect(flow.request.payload.kind).toBe('unread');
    expect(flow.exchange.responses[0]?.text('aggregateCorelation')).toBe('urn:uuid:1');
  });

  it('lets the message go on with continueParent, and marks with its id', async () => {
    const flow = new SplitFlow({}, { body: '<r/>' });
    const id = SHOW('a').replace('$ctx:messageSequence', "get-property('messageSequence.k')");
    expect(await flow.run(`<clone id="k" continueParent="yes">${id}</clone>`)).toBe(true);
    expect(flow.exchange.responses.map((part) => part.text('place'))).toEqual(['0/1']);
  });

  it('does nothing without targets', async () => {
    expect(await new SplitFlow().run('<clone continueParent="1"/>')).toBe(true);
    expect(await new SplitFlow().run('<clone/>')).toBe(false);
  });

  it('runs its only target as often as iterations says', async () => {
    const counted =
      '<target><sequence><property name="n" expression="$ctx:CLONED_ITERATION_INDEX"/><respond/></sequence></target>';
    const flow = new SplitFlow();
    flow.request.properties.set('times', '3');
    await flow.run(`<clone iterations="{$ctx:times}">${counted}</clone>`);
    expect(flow.exchange.responses.map((part) => String(part.properties.get('n')))).toEqual(['1', '2', '3']);
  });

  it('goes on in its target after a call, whichever time it is (MREQ-15)', async () => {
    const target = `<target><sequence><call>${endpointAt('a')}</call><property name="n" expression="$ctx:CLONED_ITERATION_INDEX"/><respond/></sequence></target>`;
    const flow = new SplitFlow();
    flow.configuration.sender.answer = async () => response(200, '');
    await flow.run(`<clone iterations="2" sequential="true">${target}</clone>`);
    expect(flow.exchange.responses.map((part) => String(part.properties.get('n')))).toEqual(['1', '2']);
    expect(flow.exchange.failures).toEqual([]);
  });

  it('is a fault when iterations is no number, or absurd', async () => {
    for (const times of ['many', '-1', '1.5', '999999999']) {
      const flow = new SplitFlow();
      flow.request.properties.set('times', times);
      await expect(flow.run(`<clone iterations="{$ctx:times}">${SHOW('a')}</clone>`)).rejects.toThrow(
        'Error while parsing iterations number in clone mediator',
      );
    }
  });

  const FAILING = '<target><sequence><sequence key="gone"/></sequence></target>';

  it('stops after a target that failed where it is sequential and told to (MREQ-15)', async () => {
    for (const [stop, answered] of [
      ['true', []],
      ['false', ['b']],
    ] as const) {
      const flow = new SplitFlow();
      await flow.run(
        `<property name="STOP_TARGET_EXECUTION_ON_FAILURE" value="${stop}"/><clone sequential="true">${FAILING}${SHOW('b')}</clone>`,
      );
      expect(flow.exchange.responses.map((part) => part.text('who'))).toEqual(answered);
      expect(flow.exchange.failures).toHaveLength(1);
    }
  });

  it('waits for a call of one target before the next when it is sequential', async () => {
    const flow = new SplitFlow();
    const order: string[] = [];
    flow.configuration.sender.answer = async ({ url }) => {
      order.push(`ask ${url}`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`answer ${url}`);
      return response(200, '');
    };
    const calling = (host: string) => `<target><sequence><call>${endpointAt(host)}</call></sequence></target>`;
    await flow.run(`<clone sequential="true">${calling('a')}${calling('b')}</clone>`);
    expect(order).toEqual(['ask http://a/s', 'answer http://a/s', 'ask http://b/s', 'answer http://b/s']);
  });

  it('keeps what one copy does to its properties, headers and payload from the others (MREQ-40)', async () => {
    const changing = (name: string) =>
      `<target><sequence><property name="X-${name}" value="1" scope="transport"/><property name="${name}" value="1"/><respond/></sequence></target>`;
    const flow = new SplitFlow();
    await flow.run(`<clone>${changing('a')}${changing('b')}</clone>`);
    const [first, second] = flow.exchange.responses;
    expect([first?.headers.has('X-b'), second?.headers.has('X-a')]).toEqual([false, false]);
    expect([first?.properties.has('b'), second?.properties.has('a')]).toEqual([false, false]);
  });

  it('keeps where one copy goes, and its JSON variables, from the others (MREQ-40)', async () => {
    const changing = (name: string) =>
      `<target><sequence><header name="To" value="http://${name}/"/><variable name="v" type="JSON" value='{"${name}":1}'/><property name="to" expression="get-property('To')"/><respond/></sequence></target>`;
    const flow = new SplitFlow();
    flow.request.to = 'http://before/';
    flow.request.variables.set('v', new JsonValue('{"before":1}'));
    flow.request.variables.set('kept', new JsonValue('{"k":[1]}'));
    await flow.run(`<clone sequential="true" continueParent="true">${changing('a')}${changing('b')}</clone>`);
    const seen = flow.exchange.responses.map((part) => [part.text('to'), String(part.variables.get('v'))]);
    expect(seen).toEqual([
      ['http://a/', '{"a":1}'],
      ['http://b/', '{"b":1}'],
    ]);
    expect([flow.request.to, String(flow.request.variables.get('v'))]).toEqual(['http://before/', '{"before":1}']);
    for (const { variables } of flow.exchange.responses) expect(String(variables.get('kept'))).toBe('{"k":[1]}');
  });

  it('refuses more than one target with iterations', () => {
    expect(problemLines(`<clone iterations="2">${SHOW('a')}${SHOW('b')}</clone>`)).toEqual([
      'error: When iterations attribute is defined only one target is allowed.',
    ]);
  });
});

describe('what comes after a splitter', () => {
  const CALL = `<call>${endpointAt('a')}</call>`;
  const AFTER = '<property name="after" value="1"/><respond/>';
  const clone = (inside: string) => `<clone><target><sequence>${inside}</sequence></target></clone>`;

  it('is for parts that waited for the answer of a call, as in the reference', async () => {
    const flow = new SplitFlow();
    expect(await flow.run(`${clone(CALL)}${AFTER}`)).toBe(false);
    expect(flow.exchange.responses.map((part) => part.text('after'))).toEqual(['1']);
  });

  it('is not for other parts, nor for those that stopped', async () => {
    const flow = new SplitFlow();
    await flow.run(`${clone('<property name="x" value="1"/>')}${AFTER}`);
    await flow.run(`${clone(`${CALL}<drop/>`)}${AFTER}`);
    expect(flow.exchange.responses).toEqual([]);
  });

  it('reaches up through the mediators and sequences around', async () => {
    const flow = new SplitFlow({
      inner: `<filter xpath="true()">${clone(`<sequence>${CALL}</sequence>`)}</filter><property name="inner" value="1"/>`,
      outer: '<sequence key="inner"/><property name="outer" value="1"/>',
    });
    await flow.run(`<sequence key="outer"/>${AFTER}`);
    expect(flow.exchange.responses).toHaveLength(1);
    const [part] = flow.exchange.responses;
    expect(['inner', 'outer', 'after'].map((name) => part?.text(name))).toEqual(['1', '1', '1']);
  });

  it('is run for the parts of parts, too', async () => {
    const flow = new SplitFlow();
    const twice = `<clone><target><sequence>${CALL}</sequence></target><target><sequence>${CALL}</sequence></target></clone>`;
    await flow.run(`<clone><target><sequence>${twice}</sequence></target></clone>${AFTER}`);
    expect(flow.exchange.responses).toHaveLength(2);
  });

  it('does not keep the fault handlers of a sequence that was left', async () => {
    const flow = new SplitFlow({
      inner: clone(CALL),
      handler: '<property name="handled" value="inside"/><respond/>',
      outer: '<property name="handled" value="outside"/><respond/>',
    });
    await flow.run(
      `<sequence onError="outer"><sequence onError="handler"><sequence key="inner"/></sequence><sequence key="gone"/></sequence>`,
    );
    expect(flow.exchange.responses.map((part) => part.text('handled'))).toEqual(['outside']);
  });
});
