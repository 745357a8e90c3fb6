import { expect, it } from 'vitest';
import { FakeExchange, message, sequence } from '../mediation/harness.ts';

it('sends the message back, turned into a response, and ends the flow', async () => {
  const exchange = new FakeExchange();
  const request = message({ exchange, body: '<a/>' });
  expect(await sequence('<respond/><property name="after" value="1"/>').mediate(request)).toBe(false);
  expect(exchange.responses).toEqual([request]);
  expect(exchange.taken).toBe(true);
  expect(request).toMatchObject({ direction: 'response', to: undefined });
  expect(request.properties.has('after')).toBe(false);
  expect(request.payload.untouched).toBe(true);
});

it('ends the flow of a message that nobody waits for', async () => {
  expect(await sequence('<respond/>').mediate(message())).toBe(false);
});
