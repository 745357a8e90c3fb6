import { expect, it } from 'vitest';
import { runMain } from '../../src/mediation/main-flow.ts';
import { FakeConfiguration, FakeExchange, logged, message, sequence } from './harness.ts';

const SET = (name: string) => `<property name="${name}" value="1"/>`;
const SEND = '<send><endpoint><address uri="http://b/x"/></endpoint></send>';

async function run(sequences: Record<string, string>) {
  const compiled = Object.entries(sequences).map(([name, xml]) => [name, sequence(xml, `name="${name}"`)]);
  const configuration = new FakeConfiguration({ sequence: Object.fromEntries(compiled) });
  const exchange = new FakeExchange();
  const request = message({ configuration, exchange, body: '<a/>' });
  const records = await logged(async () => {
    await runMain(request);
    await exchange.settled();
  });
  return { request, exchange, records, names: [...request.properties.keys()] };
}

it('main takes the request, and its response too', async () => {
  const { exchange, names } = await run({ main: `<in>${SET('in')}${SEND}</in><out>${SET('out')}<send/></out>` });
  expect(names).toContain('in');
  expect(exchange.responses[0]?.text('out')).toBe('1');
});

it('a receiving sequence takes the response instead; a missing one is told', async () => {
  const to = (receive: string) => SEND.replace('<send>', `<send receive="${receive}">`);
  const taken = await run({ main: `<in>${to('R')}</in><out>${SET('out')}</out>`, R: `${SET('received')}<send/>` });
  expect(taken.exchange.responses[0]?.text('received')).toBe('1');
  const missing = await run({ main: to('gone') });
  expect(missing.exchange.responses).toEqual([]);
  expect(missing.records.map((record) => record.message)).toContain(
    'Cannot find a Sequence with name: gone for injecting the response message',
  );
});

it('a failure runs the sequence called fault; on the way back with status 500', async () => {
  const failing = await run({ main: '<sequence key="gone"/>', fault: SET('handled') });
  expect(failing.names).toContain('handled');
  expect(failing.exchange.failures).toHaveLength(1);
  const back = await run({ main: `<in>${SEND}</in><out><sequence key="gone"/></out>`, fault: '<respond/>' });
  expect(String(back.exchange.responses[0]?.axis2.get('HTTP_SC'))).toBe('500');
});

it('pre-mediate comes first and may stop it', async () => {
  const passed = await run({ 'pre-mediate': SET('first'), main: SET('second') });
  expect(passed.names).toEqual(['first', 'second']);
  expect((await run({ 'pre-mediate': '<drop/>', main: SET('second') })).names).toEqual([]);
});
