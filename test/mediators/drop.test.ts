import { expect, it } from 'vitest';
import { FakeExchange, message, problemLines, sequence } from '../mediation/harness.ts';

it('ends the flow in every enclosing list and sends nothing', async () => {
  const exchange = new FakeExchange();
  const request = message({ exchange });
  const steps = sequence('<in><drop/><property name="after" value="1"/></in><property name="later" value="1"/>');
  expect(await steps.mediate(request)).toBe(false);
  expect([...request.properties.keys()]).toEqual([]);
  expect(request.to).toBeUndefined();
  expect(exchange).toMatchObject({ answered: false, taken: false });
});

it('pops no fault handler', async () => {
  const request = message();
  request.faultStack.push({ description: 'of the proxy', handleFault: async () => {} });
  await sequence('<drop/>').mediate(request);
  expect(request.faultStack).toHaveLength(1);
});

it('takes a description and warns about what it does not know', () => {
  expect(problemLines('<drop description="the end"/>')).toEqual([]);
  expect(problemLines('<drop when="never"><later/></drop>')).toEqual([
    "warning: unknown attribute 'when' of <drop> is ignored",
    'warning: unknown element <later> inside <drop> is ignored',
  ]);
});
