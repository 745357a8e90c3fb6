import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { CUSTOM, quoteLine, STANDARD, starter } from './expectations.ts';
import { definitions, type RunningSample, sample } from './running-sample.ts';

/* Samples 300 to 460: tasks, scripts, throttling, classes, XQuery, callout and rewriting. */

const onCleanUp = afterTheTest();
const started = starter(onCleanUp);
const proxied = (running: RunningSample, options = {}) =>
  running.stockquote({ addurl: running.server.service('StockQuoteProxy'), ...options });
const OWN_DISCOUNT = `[[mini_synapse.extension]]
class = "samples.mediators.DiscountQuoteMediator"
module = ${JSON.stringify(resolve('test/samples/numbered/resources/extensions/own-discount.mjs'))}`;
const price = (lines: readonly string[]) => Number(lines[0]?.split('$')[1]);

for (const [file, invoked] of [
  ['300-4c8bdb', undefined],
  ['301-a61cc3', 'SampleSequence'],
  ['302-4cba98', 'SampleProxy'],
] as const) {
  sample(`${/^\d+/.exec(file)?.[0]}: a task`, definitions(file), (definition) => {
    it('asks for a quote and logs what comes back', async () => {
      const running = await started(definition);
      await running.server.logged(/Last_Value = \d/);
      expect(running.logged(/Last_Value/)[0]).toMatch(
        /^Stock_Quote_on = \w{3} \w{3} \d\d [\d:]+ \S+ \d{4}, For_the_organization = IBM Company, Last_Value = \d+\.\d+$/,
      );
      expect(running.backEnd().lines[0]).toBe(quoteLine());
      if (invoked) expect(running.logged(/^MSG = /)[0]).toBe(`MSG = ${invoked} invoked`);
    });
  });
}

for (const file of ['350-e4627e', '350-2a4b0c', '350-9b0707', '351-5e9066'].map(definitions)) {
  sample(`${/sample_(\d+)/.exec(file)?.[1]}: scripts`, file, () => {
    it('transform request and answer', async () => {
      const running = await started(file);
      const { lines } = await running.smart({ mode: 'customquote', symbol: 'MSFT' });
      expect(lines).toEqual([expect.stringMatching(CUSTOM)]);
      expect(running.backEnd().lines).toEqual([quoteLine('MSFT')]);
    });
  });
}

for (const file of ['352-a1e7e2', '352-96306a'].map(definitions)) {
  sample('352: a script turns the message round', file, () => {
    it('answers by itself', async () => {
      const running = await started(file);
      expect((await running.smart()).lines).toEqual(['Standard :: Stock price = $99.9']);
      expect(running.backEnd().lines).toEqual([]);
    });
  });
}

for (const [file, path] of [
  ['371-6512e1', '/'],
  ['371-04181d', '/'],
  ['372-425ee7', '/services/StockQuoteProxy'],
  ['372-0763cf', '/services/StockQuoteProxy'],
] as const) {
  sample(`${/^\d+/.exec(file)?.[0]}: rate throttle`, definitions(file), (definition) => {
    it('four quotes, and the fifth is denied', async () => {
      const running = await started(definition);
      const addurl = running.trp(path);
      for (let request = 1; request <= 4; request += 1) {
        expect((await running.stockquote({ addurl })).lines).toEqual([expect.stringMatching(STANDARD)]);
      }
      expect((await running.stockquote({ addurl })).failure).toBe('org.apache.axis2.AxisFault: **Access Denied**');
      expect(running.logged(/^text = /)).toEqual([
        ...Array(4).fill('text = **Access Accept**'),
        'text = **Access Denied**',
      ]);
      expect(running.backEnd().lines).toHaveLength(4);
    });
  });
}

for (const [file, flavour] of [
  ['380-f0d522', 'apache'],
  ['380-b69d99', 'wso2'],
] as const) {
  sample('380: class mediator', definitions(file), (definition) => {
    it('discounts quotes, the first six a little more', async () => {
      const running = await started(definition, { flavour });
      for (let request = 1; request <= 7; request += 1) {
        const { lines } = await running.stockquote({ addurl: running.trp() });
        const [original, discounted] = ['Original', 'Discounted'].map((which) =>
          Number(
            running
              .logged(new RegExp(`^${which} price: `))
              .at(-1)
              ?.split(': ')[1],
          ),
        );
        expect(original).toBeGreaterThan(50);
        expect(discounted).toBeCloseTo((original ?? 0) * 0.9 * (request <= 6 ? 0.95 : 1), 6);
        expect(price(lines)).toBe(discounted);
      }
      expect(running.logged(/^Quote value discounted\.$/)).toHaveLength(7);
    });

    it('a module that the class is mapped to wins', async () => {
      const running = await started(definition, { flavour, toml: OWN_DISCOUNT });
      expect(price((await running.stockquote({ addurl: running.trp() })).lines)).toBe(1.5);
      expect(running.logged(/^Quote value discounted\.$/)).toEqual([]);
    });
  });
}

sample('390: XQuery', definitions('390-bdefee'), (file) => {
  it('transforms request and answer', async () => {
    const running = await started(file);
    const { lines } = await proxied(running, { mode: 'customquote', symbol: 'MSFT' });
    expect(lines).toEqual([expect.stringMatching(CUSTOM)]);
    expect(running.backEnd().lines).toEqual([quoteLine('MSFT')]);
  });
});

for (const file of ['391-8621a7', '391-dd3826'].map(definitions)) {
  sample('391: XQuery with another document', file, () => {
    it.each([
      ['IBM', 21.334534],
      ['MSFT', 45.433545],
      ['SUN', 56.657737],
    ])('adds the commission of %s', async (symbol, commission) => {
      const running = await started(file);
      const { lines } = await proxied(running, { symbol });
      expect(lines).toEqual([expect.stringMatching(STANDARD)]);
      // What the back end said: 55 to 100, or 145 to 190.
      const quoted = price(lines) - commission;
      expect(quoted > 54.9 && quoted < 190.1 && !(quoted > 100.1 && quoted < 144.9)).toBe(true);
    });
  });
}

for (const file of ['430-bb714d', '433-28be94'].map(definitions)) {
  sample(`${/sample_(\d+)/.exec(file)?.[1]}: callout`, file, () => {
    it('answers with what it called', async () => {
      const running = await started(file);
      expect((await running.stockquote({ addurl: running.trp(), symbol: 'SUN' })).lines).toEqual([
        expect.stringMatching(STANDARD),
      ]);
      expect(running.backEnd().lines).toEqual([quoteLine('SUN')]);
    });
  });
}

sample('450: URL rewrite', definitions('450-ac1a44'), (file) => {
  it('replaces a part of the path', async () => {
    const running = await started(file);
    const addurl = running.stockQuote.replace('/services/', '/soap/');
    expect((await running.smart({ addurl })).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().requests.at(-1)?.url).toBe('/services/SimpleStockQuoteService');
  });
});

sample('451: conditional rewrite', definitions('451-0ba05f'), (file) => {
  it('goes by HTTPS', async () => {
    const running = await started(file, { https: 9002 });
    expect((await running.smart()).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().requests.at(-1)?.headers.host).toBe(`localhost:${running.port(9002)}`);
  });
});

sample('452: several rules', definitions('452-1896fe'), (file) => {
  it('sets host, port and path', async () => {
    const running = await started(file);
    expect((await running.smart({ addurl: 'http://test.com/SimpleStockQuoteService' })).lines).toEqual([
      expect.stringMatching(STANDARD),
    ]);
    expect(running.backEnd().requests.at(-1)).toMatchObject({
      url: '/services/SimpleStockQuoteService',
      headers: { host: `localhost:${running.port(9000)}` },
    });
  });
});
