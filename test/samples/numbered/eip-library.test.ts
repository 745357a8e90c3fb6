import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { quoteLine, STANDARD, starter } from './expectations.ts';
import { definitions, sample } from './running-sample.ts';

/* Samples 850 to 855, with templates of our own in the place of the EIP library. */

const onCleanUp = afterTheTest();
const started = starter(onCleanUp);
const more = { library: readFileSync('test/samples/numbered/resources/eip/library.xml', 'utf8') };

sample('850: callout block', definitions('850-863fc3'), (file) => {
  it('answers with what it called', async () => {
    const running = await started(file, { more });
    expect((await running.smart({ symbol: 'SUN' })).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual([quoteLine('SUN')]);
  });
});

sample('853: scatter and gather', definitions('853-0196fd'), (file) => {
  it('answers with the best of three quotes', async () => {
    const running = await started(file, { more, backEnds: [9001, 9002, 9003] });
    const { lines } = await running.stockquote({ trpurl: running.trp() });
    expect(lines).toEqual([expect.stringMatching(STANDARD)]);
    for (const port of [9001, 9002, 9003]) expect(running.backEnd(port).lines).toEqual([quoteLine()]);
    expect(running.logged(/^text = seqhit/)).toHaveLength(1);
  });
});

sample('855: content-based router', definitions('855-d4642c'), (file) => {
  it.each([
    ['IBM', 'I'],
    ['MSFT', 'II'],
    ['DELL', 'III'],
  ])('%s takes route (%s)', async (symbol, route) => {
    const running = await started(file, { more });
    const outcome = await running.stockquote({ trpurl: running.server.service('StockQuoteProxy'), symbol });
    expect(outcome.lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.logged(/^MSG_FLOW/)).toEqual([`MSG_FLOW = Condition (${route}) Satisfied`]);
    expect(running.backEnd().lines).toEqual([quoteLine(symbol)]);
  });
});
