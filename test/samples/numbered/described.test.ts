import { describe, expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { call, envelope } from '../../support/http-call.ts';
import { getQuote, quoteLine, STANDARD } from './expectations.ts';
import { type RunningSample, runArtifacts, type SampleSetup } from './running-sample.ts';

/*
 * Numbered samples whose files are not in the open corpus: artifacts of our own after their row in the catalogue (stockquote-samples 3.1),
 * with the same mediators and the same expected outcome.
 */

const onCleanUp = afterTheTest();

async function started(inside: string, setup: Partial<SampleSetup> = {}): Promise<RunningSample> {
  const xml = `<definitions xmlns="http://ws.apache.org/ns/synapse">${inside}</definitions>`;
  const running = await runArtifacts({ sample: xml }, { flavour: 'apache', ...setup });
  onCleanUp('the sample', () => running.stop());
  return running;
}

const REGISTRY = (cachable: number) =>
  `<registry provider="org.apache.synapse.registry.url.SimpleURLRegistry"><parameter name="root">file:repository/conf/sample/resources/</parameter>
     <parameter name="cachableDuration">${cachable}</parameter></registry>`;
const SERVICE = '<address uri="http://localhost:9000/services/SimpleStockQuoteService"/>';
const STOCK = 'xmlns:m0="http://services.samples"';

describe('10: an endpoint of the registry', () => {
  it('is another one when the resource was edited and what was cached has expired', async () => {
    const running = await started(
      `${REGISTRY(100)}<sequence name="main"><in><send><endpoint key="endpoint/dynamic_endpt_1.xml"/></send></in><out><send/></out></sequence>`,
      { backEnds: [9000, 9001] },
    );
    const ask = () => running.stockquote({ trpurl: running.trp() });
    expect((await ask()).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd(9000).lines).toEqual([quoteLine()]);
    running.edit('endpoint/dynamic_endpt_1.xml', (text) =>
      text.replace(`:${running.port(9000)}/`, `:${running.port(9001)}/`),
    );
    await expect.poll(async () => (await ask()) && running.backEnd(9001).lines.length).toBeGreaterThan(0);
  });
});

describe('15: enrich', () => {
  it('changes what is asked for, and puts a header into the answer', async () => {
    const running = await started(`<sequence name="main">
      <in>
        <enrich><source type="custom" xpath="//m0:getQuote/m0:request/m0:symbol/text()" ${STOCK}/><target type="property" property="ORIGINAL_SYMBOL"/></enrich>
        <enrich><source type="inline"><m0:symbol ${STOCK}>MSFT</m0:symbol></source><target xpath="//m0:getQuote/m0:request/m0:symbol" ${STOCK}/></enrich>
        <send><endpoint>${SERVICE}</endpoint></send>
      </in>
      <out>
        <log level="custom"><property name="Original_Symbol" expression="get-property('ORIGINAL_SYMBOL')"/></log>
        <header name="t:lastTradeTimestamp" xmlns:t="http://synapse.apache.org" expression="//m0:lastTradeTimestamp" ${STOCK}/>
        <send/>
      </out>
    </sequence>`);
    const { lines } = await running.stockquote({ trpurl: running.trp('/services/StockQuote') });
    expect(lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual([quoteLine('MSFT')]);
    expect(running.logged(/^Original_Symbol/)).toEqual(['Original_Symbol = IBM']);
    const { text } = await call(running.trp('/services/StockQuote'), {
      headers: { 'Content-Type': 'text/xml', SOAPAction: '"urn:getQuote"' },
      body: envelope(getQuote('IBM')),
    });
    const header =
      /<t:lastTradeTimestamp xmlns:t="http:\/\/synapse\.apache\.org">([^<]+)<\/t:lastTradeTimestamp>.*Body/s.exec(text);
    expect(header?.[1]).toBe(/<ns:lastTradeTimestamp>([^<]+)</.exec(text)?.[1]);
  });
});

describe('55: session affinity over failover groups', () => {
  it('a session keeps to its group, and fails over inside of it', async () => {
    const member = (port: number) =>
      `<endpoint><address uri="http://localhost:${port}/services/LBService1"><enableAddressing/></address></endpoint>`;
    const group = (...ports: number[]) => `<endpoint><failover>${ports.map(member).join('')}</failover></endpoint>`;
    const running = await started(
      `<sequence name="main"><in><send><endpoint><session type="simpleClientSession"/><loadbalance>${group(9001, 9002)}${group(9003, 9004)}</loadbalance></endpoint></send><drop/></in><out><send/></out></sequence>`,
      { backEnds: [9001, 9002, 9003, 9004] },
    );
    const serversOf = async () => {
      const { lines } = await running.loadbalancefailover(16, { mode: 'session' });
      const pairs = lines.map((line) => /Session ID: (\d).*MyServer(\d)$/.exec(line)?.slice(1) ?? []);
      return new Map(pairs.map(([session, server]) => [session, Number(server)]));
    };
    const before = await serversOf();
    expect([...before.values()].every((server) => server === 1 || server === 3)).toBe(true);
    await running.backEnd(9001).service.close();
    const after = await serversOf();
    for (const [session, server] of after) {
      if (before.has(session)) expect(server).toBe(before.get(session) === 1 ? 2 : 3);
    }
  });
});

describe('151: a proxy of named sequences and endpoints', () => {
  it('two proxies share them', async () => {
    const target = (inside: string) => `<target inSequence="proxy_1" outSequence="out" ${inside}/>`;
    const running = await started(`<endpoint name="simple">${SERVICE}</endpoint>
      <sequence name="proxy_1"><log level="custom"><property name="from" value="proxy_1"/></log></sequence>
      <sequence name="out"><send/></sequence>
      <proxy name="StockQuoteProxy1">${target('endpoint="simple"')}<publishWSDL uri="file:repository/conf/sample/resources/proxy/sample_proxy_1.wsdl"/></proxy>
      <proxy name="StockQuoteProxy2"><target inSequence="proxy_1" endpoint="simple"><outSequence><send/></outSequence></target></proxy>`);
    for (const name of ['StockQuoteProxy1', 'StockQuoteProxy2']) {
      const { lines } = await running.stockquote({ addurl: running.server.service(name) });
      expect(lines).toEqual([expect.stringMatching(STANDARD)]);
    }
    expect(running.logged(/^from = /)).toEqual(['from = proxy_1', 'from = proxy_1']);
    const { text } = await call(`${running.server.service('StockQuoteProxy1')}?wsdl`);
    expect(text).toContain('name="SimpleStockQuoteServicePortType"');
    expect(running.backEnd().lines).toHaveLength(2);
  });
});

describe('370: concurrency throttle', () => {
  it('ten at once, the others are denied', async () => {
    const running = await started(`<sequence name="main">
      <in>
        <throttle id="A">
          <policy>
            <wsp:Policy xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy" xmlns:throttle="http://www.wso2.org/products/wso2commons/throttle">
              <throttle:ThrottleAssertion><throttle:MaximumConcurrentAccess>10</throttle:MaximumConcurrentAccess></throttle:ThrottleAssertion>
            </wsp:Policy>
          </policy>
          <onAccept><send><endpoint>${SERVICE}</endpoint></send></onAccept>
          <onReject>
            <makefault response="true"><code xmlns:tns="http://www.w3.org/2003/05/soap-envelope" value="tns:Receiver"/><reason value="**Access Denied**"/></makefault>
            <send/><drop/>
          </onReject>
        </throttle>
      </in>
      <out><throttle id="A"/><send/></out>
    </sequence>`);
    running.backEnd().service.behave({ delayMs: 1_000 });
    const addurl = running.trp();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => running.stockquote({ addurl })));
    const denied = outcomes.filter(({ failure }) => failure === 'org.apache.axis2.AxisFault: **Access Denied**');
    expect(outcomes.filter(({ failure }) => failure === undefined)).toHaveLength(10);
    expect(denied).toHaveLength(10);
    running.backEnd().service.behave({});
    expect((await running.stockquote({ addurl })).lines).toEqual([expect.stringMatching(STANDARD)]);
  });
});

describe('434: callout to an inline endpoint', () => {
  it('answers with what it called', async () => {
    const child = 's11:Body/child::*[fn:position()=1] | s12:Body/child::*[fn:position()=1]';
    const names =
      'xmlns:s11="http://schemas.xmlsoap.org/soap/envelope/" xmlns:s12="http://www.w3.org/2003/05/soap-envelope"';
    const running = await started(
      `<sequence name="main"><callout><endpoint>${SERVICE}</endpoint><source ${names} xpath="${child}"/><target ${names} xpath="${child}"/></callout><respond/></sequence>`,
    );
    expect((await running.stockquote({ addurl: running.trp() })).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual([quoteLine()]);
  });
});

describe('441: a mock service', () => {
  it('answers by itself', async () => {
    const running = await started(`<proxy name="MockService"><target><inSequence>
      <log level="full"/>
      <payloadFactory>
        <format><m:Sample xmlns:m="http://services.samples"><m:Response><m:value>foo</m:value></m:Response></m:Sample></format><args/>
      </payloadFactory>
      <respond/>
    </inSequence></target></proxy>`);
    const { status, text } = await call(running.server.service('MockService'), {
      headers: { 'Content-Type': 'application/xml' },
      body: '<request>foo</request>',
    });
    expect(status).toBe(200);
    expect(text).toContain(
      '<m:Sample xmlns:m="http://services.samples"><m:Response><m:value>foo</m:value></m:Response></m:Sample>',
    );
    expect(running.backEnd().lines).toEqual([]);
  });
});

const STORING = `<property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><property name="OUT_ONLY" value="true"/>`;

describe('700: a message store', () => {
  it('keeps the message and runs its on-store sequence', async () => {
    const running =
      await started(`<sequence name="main"><in><log level="full"/>${STORING}<store messageStore="MyStore" sequence="onStoreSequence"/></in></sequence>
      <sequence name="onStoreSequence"><log><property name="On-Store" value="Storing message"/></log></sequence>
      <messageStore name="MyStore"/>`);
    expect(await running.smart({ mode: 'placeorder' })).toMatchObject({ status: 202 });
    expect(running.logged(/On-Store = Storing message$/)).toHaveLength(1);
    expect(await running.server.depth('MyStore')).toBe(1);
    expect(running.backEnd().lines).toEqual([]);
  });
});

describe('703: resequencing processor', () => {
  it('orders arrive in the order of their numbers', async () => {
    const running = await started(`<sequence name="next_seq"><send><endpoint>${SERVICE}</endpoint></send></sequence>
      <sequence name="main"><in>${STORING}<store messageStore="MyStore"/></in></sequence>
      <messageStore name="MyStore"/>
      <messageProcessor class="org.apache.synapse.message.processors.resequence.ResequencingProcessor" name="ResequencingProcessor" messageStore="MyStore">
        <parameter name="interval">200</parameter>
        <parameter name="seqNumXpath" ${STOCK} expression="substring-after(//m0:placeOrder/m0:order/m0:symbol,'-')"/>
        <parameter name="nextEsbSequence">next_seq</parameter>
        <parameter name="requiredInitMessages">3</parameter>
        <parameter name="requiredInitMessagesDelay">5000</parameter>
      </messageProcessor>`);
    for (const number of [2, 3, 1]) {
      const options = { trpurl: running.trp(), mode: 'placeorder', symbol: `WSO2-${number}` } as const;
      expect(await running.stockquote(options)).toMatchObject({ status: 202 });
    }
    const symbols = () =>
      running
        .backEnd()
        .service.accepted()
        .map(({ symbol }) => symbol);
    await expect.poll(symbols, { timeout: 10_000 }).toEqual(['WSO2-1', 'WSO2-2', 'WSO2-3']);
  });
});
