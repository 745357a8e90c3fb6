import { expect, it } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { FakeConfiguration, FakeExchange, message, sequence } from '../mediation/harness.ts';

const LOOPBACK = '<loopback/><property name="after" value="1"/>';

function looped() {
  const exchange = new FakeExchange();
  const request = message({ exchange });
  const injected: MessageContext[] = [];
  request.responseReceiver = {
    async injectResponse(response) {
      injected.push(response);
    },
  };
  return { exchange, request, injected };
}

it('moves a request into the response path and ends the flow', async () => {
  const { exchange, request, injected } = looped();
  for (const name of ['RECEIVING_SEQUENCE', 'continuation.call', 'DYNAMIC_URL_VALUE', 'blocking.sender.error'])
    request.properties.set(name, 'x');
  expect(await sequence(LOOPBACK).mediate(request)).toBe(false);
  await exchange.settled();
  expect(injected).toEqual([request]);
  expect(request).toMatchObject({ direction: 'response', to: undefined });
  expect([...request.properties.keys()]).toEqual([]);
  expect(exchange.taken).toBe(true);
});

it('does nothing to a response, and ends its flow too', async () => {
  const { request, injected } = looped();
  request.direction = 'response';
  expect(await sequence(LOOPBACK).mediate(request)).toBe(false);
  expect(injected).toEqual([]);
});

it('sends what goes wrong in the response path to the fault stack', async () => {
  const { exchange, request } = looped();
  request.responseReceiver = {
    async injectResponse() {
      throw new Error('no out-sequence today');
    },
  };
  await sequence(LOOPBACK).mediate(request);
  await exchange.settled();
  expect(exchange.failures).toEqual([{ code: undefined, message: 'no out-sequence today' }]);
  expect(request.text('ERROR_MESSAGE')).toBe('no out-sequence today');
});

it('is waited for by the server when nobody else waits', async () => {
  const configuration = new FakeConfiguration();
  const request = message({ configuration });
  let release = () => {};
  request.responseReceiver = {
    injectResponse: () => new Promise((resolve) => (release = resolve)),
  };
  await sequence(LOOPBACK).mediate(request);
  expect(configuration.flows.size).toBe(1);
  release();
  expect(await configuration.flows.idle(1000)).toBe(true);
});
