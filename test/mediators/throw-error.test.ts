import { describe, expect, it } from 'vitest';
import { runFlow } from '../../src/mediation/flow.ts';
import { FakeExchange, message, problemLines, sequence } from '../mediation/harness.ts';

async function thrown(attributes: string) {
  const exchange = new FakeExchange();
  const request = message({ exchange });
  request.properties.set('why', 'computed');
  request.faultStack.push({ description: 'h', handleFault: async () => undefined });
  await runFlow(request, () =>
    sequence(`<throwError ${attributes}/><property name="after" value="1"/>`).mediate(request),
  );
  expect(request.properties.has('after')).toBe(false);
  expect(request.faultStack).toEqual([]);
  return { code: request.properties.get('ERROR_CODE'), text: request.text('ERROR_MESSAGE'), exchange };
}

describe('throwError', () => {
  it('faults with its type as the code and its message', async () => {
    const { code, text, exchange } = await thrown('type="VALIDATION" errorMessage="no name given"');
    expect([code, text]).toEqual(['VALIDATION', 'no name given']);
    expect(exchange.failures).toMatchObject([{ message: 'no name given' }]);
  });

  it.each([
    ['', 'ANY', 'Error occurred in the mediation flow'],
    ['errorMessage="{$ctx:why}"', 'ANY', 'computed'],
    ['errorMessage="{$ctx:gone}"', 'ANY', 'Error occurred in the mediation flow'],
    ['type="502"', '502', 'Error occurred in the mediation flow'],
  ])('%s', async (attributes, code, text) => {
    expect(await thrown(attributes)).toMatchObject({ code, text });
  });

  it('tells an expression that is wrong', () => {
    expect(problemLines('<throwError errorMessage="{//[}"/>')).toHaveLength(1);
  });
});
