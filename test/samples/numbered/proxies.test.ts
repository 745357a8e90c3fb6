import { describe, expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { call, envelope } from '../../support/http-call.ts';
import { CUSTOM, getQuote, quoteLine, STANDARD, starter } from './expectations.ts';
import { corpusText, definitions, type RunningSample, runArtifacts, sample } from './running-sample.ts';

/* Samples 150 to 162, 253, 440, 750, 751 and 800: proxy services and REST APIs. */

const onCleanUp = afterTheTest();
const started = starter(onCleanUp);
const proxied = (running: RunningSample, options = {}) =>
  running.stockquote({ addurl: running.server.service('StockQuoteProxy'), ...options });
const requestText = (running: RunningSample, port = 9000) =>
  Buffer.from(running.backEnd(port).requests.at(-1)?.body ?? []).toString();

for (const file of ['150-3253fa', '150-cca053', '160-905aa6'].map(definitions)) {
  sample(`${/sample_(\d+)/.exec(file)?.[1]}: a proxy`, file, () => {
    it('passes quotes on and publishes the WSDL with its own address', async () => {
      const running = await started(file);
      expect((await proxied(running)).lines).toEqual([expect.stringMatching(STANDARD)]);
      expect(running.backEnd().lines).toEqual([quoteLine()]);
      const { text } = await call(`${running.server.service('StockQuoteProxy')}?wsdl`);
      expect(text).toMatch(/<(\w+:)?portType name="SimpleStockQuoteServicePortType"/);
      const own = new URL(running.trp()).port;
      expect(text).toMatch(new RegExp(`location="http://[^"]*:${own}/services/StockQuoteProxy`));
      expect(text).not.toContain(`:${running.port(9000)}/`);
    });

    it('passes faults on', async () => {
      const running = await started(file);
      expect((await proxied(running, { symbol: 'ERR' })).failure).toBe(
        'org.apache.axis2.AxisFault: Invalid stock symbol : ERR',
      );
    });
  });
}

for (const file of ['152-25eed1', '152-760d01'].map(definitions)) {
  sample('152: another transport, another format', file, () => {
    it('is there on HTTPS alone; the back end gets plain XML', async () => {
      const running = await started(file);
      expect((await running.stockquote({ trpurl: running.server.service('StockQuoteProxy') })).failure).toBe(
        'org.apache.axis2.AxisFault: The service cannot be found for the endpoint reference (EPR) /services/StockQuoteProxy',
      );
      const outcome = await running.stockquote({ trpurl: running.server.service('StockQuoteProxy', 'https') });
      expect(outcome.lines).toEqual([expect.stringMatching(STANDARD)]);
      expect(requestText(running)).toMatch(/^<m0:getQuote /);
      expect(running.backEnd().requests.at(-1)?.headers['content-type']).toMatch(/^application\/xml/);
    });
  });
}

for (const file of ['153-3128bf', '153-cbbd95'].map(definitions)) {
  sample('153: messages with headers of others (without WS-Security)', file, () => {
    it('passes them on untouched', async () => {
      const running = await started(file);
      expect((await proxied(running)).lines).toEqual([expect.stringMatching(STANDARD)]);
      expect(running.backEnd().lines).toEqual([quoteLine('IBM', 'SecureStockQuoteService')]);
      expect(requestText(running)).toMatch(/<wsa:MessageID>urn:uuid:/);
    });
  });
}

sample('155: dual channel', definitions('155-4214c1'), (file) => {
  it('the client gets its answer on the second channel', async () => {
    const running = await started(file);
    expect((await proxied(running, { mode: 'dualquote' })).lines).toEqual([
      'Response received to the callback',
      expect.stringMatching(/^Standard dual channel :: Stock price = \$\d+\.\d+$/),
    ]);
    expect(running.backEnd().lines).toEqual([quoteLine()]);
  });
});

sample('156: service chaining', definitions('156-87b90e'), (file) => {
  it('the client gets the lower of two quotes', async () => {
    // The one edit: an unsecured service stands in for the secured one (WS-Security between two sides: test/flows/ws-security.test.ts).
    const xml = corpusText(file).replace(/<enableSec [^>]*>/, '');
    expect(xml).not.toBe(corpusText(file));
    const running = await runArtifacts({ sample: xml }, { flavour: 'apache' });
    onCleanUp('the sample', () => running.stop());
    for (let round = 0; round < 6; round += 1) {
      const after = running.server.records.length;
      const { lines } = await proxied(running);
      const log = running.server.lines(after).join('\n');
      const amount = (name: string) => Number(new RegExp(`${name}-Amount = (\\S+)`).exec(log)?.[1]);
      const [secure, simple] = [amount('SecureStockQuoteService'), amount('SimpleStockQuoteService')];
      expect(lines).toEqual([expect.stringMatching(STANDARD)]);
      expect(Number(lines[0]?.split('$')[1])).toBe(Math.min(secure, simple));
      expect(log).toContain(`StockQuote = ${secure < simple ? 'Secure' : 'Simple'}StockQuoteService`);
    }
    expect(running.backEnd().lines).toHaveLength(12);
    expect(running.backEnd().lines.slice(0, 2)).toEqual([quoteLine('IBM', 'SecureStockQuoteService'), quoteLine()]);
  });
});

sample('157: conditional router', definitions('157-896fec'), (file) => {
  const BODY = envelope(getQuote('IBM'), '1.2');
  const CONTENT = { 'Content-Type': 'application/soap+xml;charset=UTF-8;action="urn:getQuote"' };

  it.each<[string, Record<string, string>, string]>([
    ['I', { foo: 'bar' }, ''],
    ['II', { my_custom_header1: 'foo1' }, ''],
    ['III', { my_custom_header2: 'bar' }, '?qparam1=qpv_foo&qparam2=qpv_foo2'],
  ])('route (%s)', async (route, headers, query) => {
    const running = await started(file);
    const url = running.server.service('StockQuoteProxy') + query;
    const reply = await call(url, { body: BODY, headers: { ...CONTENT, ...headers } });
    expect(reply.status).toBe(200);
    expect(reply.text).toMatch(/soap-envelope.*<ns:symbol>IBM<\//s);
    expect(running.logged(/^MSG_FLOW/)).toEqual([`MSG_FLOW = Condition (${route}) Satisfied`]);
    expect(running.backEnd().lines).toEqual([quoteLine()]);
  });

  it.each<[Record<string, string>, string]>([
    [{}, ''],
    [{ my_custom_header2: 'bar' }, '?qparam1=qpv_foo&qparam2=qpv_bar'],
  ])('no route for %o%s: 202', async (headers, query) => {
    const running = await started(file);
    const url = running.server.service('StockQuoteProxy') + query;
    expect(await call(url, { body: BODY, headers: { ...CONTENT, ...headers } })).toMatchObject({
      status: 202,
      text: '',
    });
    expect(running.backEnd().lines).toEqual([]);
  });
});

sample('161: echo', definitions('161-5a0563'), (file) => {
  it('answers what it was asked', async () => {
    const running = await started(file);
    const headers = { 'Content-Type': 'application/xml' };
    const reply = await call(running.server.service('EchoService'), { body: '<test>foo</test>', headers });
    expect(reply).toMatchObject({ status: 200, text: '<test>foo</test>' });
  });
});

sample('162: loopback', definitions('162-9184e5'), (file) => {
  it('goes to the out-sequence at once', async () => {
    const running = await started(file);
    const body = envelope('<m0:getQuote xmlns:m0="http://services.samples"><m0:symbol>IBM</m0:symbol></m0:getQuote>');
    const headers = { 'Content-Type': 'text/xml', SOAPAction: '"urn:getQuote"' };
    const { text } = await call(running.server.service('LoopBackService'), { body, headers });
    expect(text).toContain('<m:symbolBeforeLoopBack>IBM</m:symbolBeforeLoopBack>');
    expect(text).not.toContain('AfterLoopBack');
  });
});

for (const file of ['253-28e410', '253-8347b3'].map(definitions)) {
  sample('253: one way by HTTP', file, () => {
    it('the order is acknowledged with 202', async () => {
      const running = await started(file);
      const url = running.server.service('OneWayProxy');
      expect(await running.stockquote({ trpurl: url, mode: 'placeorder' })).toMatchObject({ status: 202 });
      await expect.poll(() => running.backEnd().lines).toHaveLength(1);
      expect(running.backEnd().lines[0]).toContain('Accepted order #1 for');
    });
  });
}

sample('440 (WSO2): JSON to SOAP and back', definitions('440-8247bf'), (file) => {
  it('a JSON client gets a quote', async () => {
    const running = await started(file);
    const reply = await call(running.server.service('JSONProxy'), {
      body: '{"getQuote":{"request":{"symbol":"IBM"}}}',
      headers: { 'Content-Type': 'application/json' },
    });
    expect(JSON.parse(reply.text).getQuoteResponse.return).toMatchObject({ symbol: 'IBM', name: 'IBM Company' });
    expect(running.backEnd().lines).toEqual([quoteLine()]);
  });
});

sample('750: sequence templates', definitions('750-26b3b3'), (file) => {
  it('transform both ways, and log before and after', async () => {
    const running = await started(file);
    expect((await proxied(running, { mode: 'customquote' })).lines).toEqual([expect.stringMatching(CUSTOM)]);
    const steps = running.logged(/_TRANSFORM = true/).map((line) => /(\w+_TRANSFORM)/.exec(line)?.[1]);
    expect(steps).toEqual(['BEFORE_TRANSFORM', 'AFTER_TRANSFORM', 'BEFORE_TRANSFORM', 'AFTER_TRANSFORM']);
  });
});

sample('751: split and aggregate by templates', definitions('751-e0fc09'), (file) => {
  it('four requests become one answer', async () => {
    const running = await started(file);
    const url = running.server.service('SplitAggregateProxy');
    const outcome = await running.stockquote({ addurl: url, itr: 4 });
    expect(outcome.lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual(Array(4).fill(quoteLine()));
    const answer = running.logged(/Direction: response, Envelope: /).at(-1);
    expect(answer?.match(/<ns:getQuoteResponse /g)).toHaveLength(4);
  });
});

describe('REST', () => {
  sample('800: API', definitions('800-feb5c1'), (file) => {
    it('answers a GET with a quote', async () => {
      const running = await started(file);
      const reply = await call(running.trp('/stockquote/view/SUN'));
      expect(reply.status).toBe(200);
      expect(reply.text).toMatch(/getQuoteResponse.*symbol>SUN<\//s);
      expect(running.backEnd().lines).toEqual([quoteLine('SUN')]);
      expect(running.backEnd().requests.at(-1)?.headers.soapaction).toBe('"urn:getQuote"');
    });

    it('takes an order by POST', async () => {
      const running = await started(file);
      const body =
        '<placeOrder xmlns="http://services.samples"><order><price>50</price><quantity>10</quantity><symbol>IBM</symbol></order></placeOrder>';
      const reply = await call(running.trp('/stockquote/order/'), {
        body,
        headers: { 'Content-Type': 'application/xml' },
      });
      expect(reply).toMatchObject({ status: 202, text: '' });
      await expect
        .poll(() => running.backEnd().lines)
        .toEqual(['samples.services.SimpleStockQuoteService :: Accepted order #1 for : 10 stocks of IBM at $ 50.0']);
      expect(requestText(running)).toContain('Envelope');
    });
  });
});

sample('400: split and aggregate', 'proxy/Sample400TestCaseProxy-81ab78.xml', (file) => {
  it('four requests become one answer', async () => {
    const running = await started(file);
    const addurl = running.server.service('Sample400TestCaseProxy');
    expect((await running.stockquote({ addurl, itr: 4 })).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual(Array(4).fill(quoteLine()));
    const four = ['IBM', 'SUN', 'MSFT', 'DELL'];
    const requests = four.map((symbol) => `<m0:request><m0:symbol>${symbol}</m0:symbol></m0:request>`).join('');
    const { text } = await call(addurl, {
      body: envelope(`<m0:getQuote xmlns:m0="http://services.samples">${requests}</m0:getQuote>`),
      headers: { 'Content-Type': 'text/xml', SOAPAction: '"urn:getQuote"' },
    });
    expect([...text.matchAll(/:symbol>(\w+)</g)].map(([, symbol]) => symbol).sort()).toEqual(four.sort());
  });
});

sample('420: response cache', 'proxy/Sample420TestCaseProxy-4147c3.xml', (file) => {
  it('the same request gets the same answer, another one its own', async () => {
    const running = await started(file);
    const ask = async (symbol: string) => {
      const headers = { 'Content-Type': 'text/xml', SOAPAction: '"urn:getQuote"' };
      const url = running.server.service('Sample420TestCaseProxy');
      const { text } = await call(url, { body: envelope(getQuote(symbol)), headers });
      return /:last>([^<]+)</.exec(text)?.[1];
    };
    const first = await ask('IBM');
    expect(first).toMatch(/^\d+\.\d+$/);
    expect([await ask('IBM'), await ask('IBM')]).toEqual([first, first]);
    expect(await ask('SUN')).not.toBe(first);
    expect(running.backEnd().lines).toEqual([quoteLine(), quoteLine('SUN')]);
  });
});
