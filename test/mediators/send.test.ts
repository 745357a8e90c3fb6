import { describe, expect, it } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import {
  endpoint,
  FakeConfiguration,
  FakeExchange,
  message,
  problemLines,
  response,
  sequence,
} from '../mediation/harness.ts';

const TO_B = '<endpoint><address uri="http://b/x"/></endpoint>';

function sending(artifacts: ConstructorParameters<typeof FakeConfiguration>[0] = {}, parts = {}) {
  const configuration = new FakeConfiguration(artifacts);
  const exchange = new FakeExchange();
  const request = message({ configuration, exchange, body: '<a/>', ...parts });
  const injected: MessageContext[] = [];
  request.responseReceiver = {
    async injectResponse(answer) {
      injected.push(answer);
    },
  };
  return { configuration, exchange, request, injected, sender: configuration.sender };
}

describe('in request direction', () => {
  it('sends to the endpoint inside, ends the flow at once, and brings the answer back later', async () => {
    const { exchange, request, injected, sender } = sending();
    sender.answer = () => response(200, '<answer/>', [['Content-Type', 'application/xml']]);
    expect(sequence(`<send>${TO_B}</send><property name="after" value="1"/>`).mediate(request)).toBe(false);
    expect(exchange).toMatchObject({ taken: true, answered: false });
    expect(injected).toEqual([]);
    await exchange.settled();
    expect(sender.requests.map(({ url }) => url)).toEqual(['http://b/x']);
    expect(injected).toHaveLength(1);
    expect(injected[0]).toMatchObject({ direction: 'response', relatesTo: request.messageId });
    expect(request.properties.has('after')).toBe(false);
  });

  it('sends to the endpoint that a key names, or a computed one', async () => {
    const artifacts = { endpoint: { B: endpoint('<endpoint name="B"><address uri="http://b/y"/></endpoint>') } };
    const { exchange, request, sender } = sending(artifacts);
    request.properties.set('which', 'B');
    await sequence('<send><endpoint key="B"/></send>').mediate(request);
    await sequence('<send><endpoint key="{$ctx:which}"/></send>').mediate(request);
    await exchange.settled();
    expect(sender.requests.map(({ url }) => url)).toEqual(['http://b/y', 'http://b/y']);
  });

  it('without an endpoint sends to the address in To', async () => {
    const { exchange, request, sender } = sending({}, { to: 'http://elsewhere/z' });
    await sequence('<send/>').mediate(request);
    await exchange.settled();
    expect(sender.requests.map(({ url }) => url)).toEqual(['http://elsewhere/z']);
  });

  it('clears what an earlier send left, and says where the answer goes', async () => {
    const { exchange, request, injected } = sending();
    for (const name of [
      'RECEIVING_SEQUENCE',
      'continuation.call',
      'last_endpoint',
      'blocking.sender.error',
      'ERROR_CODE',
    ])
      request.properties.set(name, 'stale');
    await sequence(`<send receive="R">${TO_B}</send>`).mediate(request);
    await exchange.settled();
    expect(injected[0]?.text('RECEIVING_SEQUENCE')).toBe('R');
    expect(injected[0]?.text('last_endpoint')).toBe('AnonymousEndpoint');
    for (const name of ['continuation.call', 'blocking.sender.error', 'ERROR_CODE'])
      expect(injected[0]?.properties.has(name)).toBe(false);
  });

  it('takes the name of the receiving sequence from an expression', async () => {
    const { exchange, request, injected } = sending();
    request.properties.set('which', 'R2');
    await sequence(`<send receive="{$ctx:which}">${TO_B}</send>`).mediate(request);
    await exchange.settled();
    expect(injected[0]?.text('RECEIVING_SEQUENCE')).toBe('R2');
  });

  it('reads the body first only with buildmessage="true"', async () => {
    const { request, exchange } = sending();
    await sequence(`<send>${TO_B}</send>`).mediate(request);
    await sequence(`<send buildmessage="no">${TO_B}</send>`).mediate(request);
    expect(request.payload.kind).toBe('unread');
    await sequence(`<send buildmessage="true">${TO_B}</send>`).mediate(request);
    expect(request.payload.kind).toBe('envelope');
    await exchange.settled();
    const broken = message({ body: '<broken' });
    expect(() => sequence(`<send buildmessage="true">${TO_B}</send>`).mediate(broken)).toThrow();
  });

  it('one-way (OUT_ONLY) is not waited for by the client, only by the server, and its answer goes nowhere', async () => {
    const { configuration, exchange, request, injected, sender } = sending();
    request.properties.set('OUT_ONLY', 'true');
    await sequence(`<send>${TO_B}</send>`).mediate(request);
    expect(exchange.tracked).toEqual([]);
    expect(exchange.taken).toBe(true);
    expect(await configuration.flows.idle(1000)).toBe(true);
    expect(sender.requests).toHaveLength(1);
    expect(injected).toEqual([]);
  });
});

describe('failures', () => {
  it('run the fault stack with SENDING_FAULT, and the client hears of them', async () => {
    const { exchange, request } = sending();
    const handled: string[] = [];
    request.faultStack.push({
      description: 'of the proxy',
      handleFault: async (failed) => {
        handled.push(`${failed.text('ERROR_CODE')} ${failed.text('ERROR_MESSAGE')} ${failed.text('SENDING_FAULT')}`);
      },
    });
    await sequence('<send><endpoint key="gone"/></send>').mediate(request);
    await exchange.settled();
    expect(handled).toEqual(["305100 Couldn't find the endpoint with the key : gone true"]);
    expect(exchange.failures).toMatchObject([{ code: 305100 }]);
  });

  it.each([
    ['one-way', (request: MessageContext) => request.properties.set('OUT_ONLY', 'true')],
    ['answered by FORCE_SC_ACCEPTED', (request: MessageContext) => request.axis2.set('FORCE_SC_ACCEPTED', 'true')],
  ])('of a send that is %s run the fault stack, and the 202 stays', async (_, prepare) => {
    const { configuration, exchange, request } = sending();
    prepare(request);
    let handled = 0;
    request.faultStack.push({
      description: 'of the proxy',
      handleFault: async () => {
        handled += 1;
      },
    });
    await sequence('<send><endpoint key="gone"/></send>').mediate(request);
    await exchange.settled();
    await configuration.flows.idle(1000);
    expect(handled).toBe(1);
    expect(exchange.failures).toEqual([]);
  });
});

describe('in response direction', () => {
  it('without an endpoint answers the client', async () => {
    const { exchange, request, sender } = sending();
    request.direction = 'response';
    expect(await sequence('<send/>').mediate(request)).toBe(false);
    expect(exchange.responses).toEqual([request]);
    expect(sender.requests).toEqual([]);
  });

  it('with an endpoint forwards to it', async () => {
    const { exchange, request, sender } = sending();
    request.direction = 'response';
    await sequence(`<send>${TO_B}</send>`).mediate(request);
    await exchange.settled();
    expect(exchange.responses).toEqual([]);
    expect(sender.requests).toHaveLength(1);
  });

  it('is what the old idiom RESPONSE=true means', async () => {
    const { exchange, request } = sending();
    request.properties.set('RESPONSE', 'true');
    await sequence('<send/>').mediate(request);
    expect(exchange.responses).toEqual([request]);
  });
});

it('reports what is wrong with its endpoint', () => {
  expect(problemLines('<send><endpoint/></send>')).toEqual(['error: Invalid endpoint configuration.']);
  expect(problemLines('<send><address uri="http://b"/></send>')).toEqual([
    'warning: unknown element <address> inside <send> is ignored',
  ]);
});
