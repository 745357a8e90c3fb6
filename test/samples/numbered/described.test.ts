import { expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { call, envelope } from '../../support/http-call.ts';
import { described } from './described-sample.ts';
import { getQuote, quoteLine, STANDARD } from './expectations.ts';
import { type RunningSample, runArtifacts, type SampleSetup } from './running-sample.ts';

/*
 * Numbered samples whose files are not in the open corpus: artifacts of our own with the same mediators and the same expected outcome,
 * and the files where they are at hand.
 */

const onCleanUp = afterTheTest();

async function started(xml: string, setup: Partial<SampleSetup> = {}): Promise<RunningSample> {
  const running = await runArtifacts({ sample: xml }, { flavour: 'apache', ...setup });
  onCleanUp('the sample', () => running.stop());
  return running;
}

const REGISTRY = (cachable: number) =>
  `<registry provider="org.apache.synapse.registry.url.SimpleURLRegistry"><parameter name="root">file:repository/conf/sample/resources/</parameter>
     <parameter name="cachableDuration">${cachable}</parameter></registry>`;
const SERVICE = '<address uri="http://localhost:9000/services/SimpleStockQuoteService"/>';
const STOCK = 'xmlns:m0="http://services.samples"';

const DYNAMIC_ENDPOINT = `${REGISTRY(100)}<sequence name="main"><in><send><endpoint key="endpoint/dynamic_endpt_1.xml"/></send></in><out><send/></out></sequence>`;

described('10: an endpoint of the registry', DYNAMIC_ENDPOINT, (xml) => {
  it('is another one when the resource was edited and what was cached has expired', async () => {
    const running = await started(xml, { backEnds: [9000, 9001] });
    const ask = () => running.stockquote({ trpurl: running.trp() });
    expect((await ask()).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd(9000).lines).toEqual([quoteLine()]);
    running.edit('endpoint/dynamic_endpt_1.xml', (text) =>
      text.replace(`:${running.port(9000)}/`, `:${running.port(9001)}/`),
    );
    // The sample's own file says 15 s.
    await expect
      .poll(async () => (await ask()) && running.backEnd(9001).lines.length, { timeout: 30_000, interval: 100 })
      .toBeGreaterThan(0);
  }, 60_000);
});

const ENRICH = `<sequence name="main">
    <in>
      <enrich><source type="custom" xpath="//m0:getQuote/m0:request/m0:symbol/text()" ${STOCK}/><target type="property" property="ORIGINAL_REQ"/></enrich>
      <enrich><source type="body"/><target type="property" property="REQUEST_PAYLOAD"/></enrich>
      <enrich><source type="inline" key="init_req"/><target xpath="//m0:getQuote/m0:request/m0:symbol/text()" ${STOCK}/></enrich>
      <send><endpoint>${SERVICE}</endpoint></send>
    </in>
    <out>
      <header name="t:lastTradeTimestamp" xmlns:t="http://synapse.apache.org" value="none"/>
      <enrich><source xpath="//m0:lastTradeTimestamp" ${STOCK}/><target xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://synapse.apache.org" xpath="/s:Envelope/s:Header/t:lastTradeTimestamp"/></enrich>
      <log level="custom">
        <property name="Original Request Symbol" expression="get-property('ORIGINAL_REQ')"/>
        <property name="Request Payload" expression="get-property('REQUEST_PAYLOAD')"/>
      </log>
      <send/>
    </out>
  </sequence>
  <localEntry key="init_req">MSFT</localEntry>`;

described('15: enrich', ENRICH, (xml) => {
  it('changes what is asked for, and puts a header into the answer', async () => {
    const running = await started(xml);
    const { lines } = await running.stockquote({ trpurl: running.trp('/services/StockQuote') });
    expect(lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual([quoteLine('MSFT')]);
    const [line = ''] = running.logged(/Original Request Symbol = /);
    expect(line).toMatch(/Original Request Symbol = IBM, Request Payload = <m0:getQuote .*<m0:symbol>IBM</s);
    const { text } = await call(running.trp('/services/StockQuote'), {
      headers: { 'Content-Type': 'text/xml', SOAPAction: '"urn:getQuote"' },
      body: envelope(getQuote('IBM')),
    });
    // The element itself stands in the header where that of the header mediator was.
    const header = /<(?:\w+:)?Header>.*lastTradeTimestamp[^>]*>([^<]+)<.*Body/s.exec(text);
    expect(header?.[1]).toBe(/Body.*lastTradeTimestamp>([^<]+)</s.exec(text)?.[1]);
    expect(header?.[1]).not.toBe('none');
  });
});

const member = (port: number) =>
  `<endpoint><address uri="http://localhost:${port}/services/LBService1"><enableAddressing/></address></endpoint>`;
const group = (...ports: number[]) => `<endpoint><failover>${ports.map(member).join('')}</failover></endpoint>`;
const AFFINITY = `<sequence name="main"><in><send><endpoint><session type="simpleClientSession"/><loadbalance>${group(9001, 9002)}${group(9003, 9004)}</loadbalance></endpoint></send><drop/></in><out><send/></out></sequence>`;

described('55: session affinity over failover groups', AFFINITY, (xml) => {
  it('a session keeps to its group, and fails over inside of it', async () => {
    const running = await started(xml, { backEnds: [9001, 9002, 9003, 9004] });
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

const SHARED = `<localEntry key="proxy_wsdl" src="file:repository/conf/sample/resources/proxy/sample_proxy_1.wsdl"/>
  <endpoint name="proxy_2_endpoint">${SERVICE}</endpoint>
  <sequence name="proxy_1"><send><endpoint>${SERVICE}</endpoint></send></sequence>
  <sequence name="out"><send/></sequence>
  <proxy name="StockQuoteProxy1"><target inSequence="proxy_1" outSequence="out"/><publishWSDL key="proxy_wsdl"/></proxy>
  <proxy name="StockQuoteProxy2"><target endpoint="proxy_2_endpoint" outSequence="out"/><publishWSDL key="proxy_wsdl"/></proxy>`;

described('151: proxies of named sequences and endpoints', SHARED, (xml) => {
  it('two proxies share them', async () => {
    const running = await started(xml);
    for (const [name, symbol] of [
      ['StockQuoteProxy1', 'IBM'],
      ['StockQuoteProxy2', 'SUN'],
    ] as const) {
      const { lines } = await running.stockquote({ addurl: running.server.service(name), symbol });
      expect(lines).toEqual([expect.stringMatching(STANDARD)]);
      const { text } = await call(`${running.server.service(name)}?wsdl`);
      expect(text).toContain('name="SimpleStockQuoteServicePortType"');
      expect(text).toContain(`/services/${name}`);
    }
    expect(running.backEnd().lines).toEqual([quoteLine('IBM'), quoteLine('SUN')]);
  });
});

const THROTTLE = `<sequence name="main">
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
  </sequence>`;

described('370: concurrency throttle', THROTTLE, (xml) => {
  it('ten at once, the others are denied', async () => {
    const running = await started(xml);
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

const CHILD = 's11:Body/child::*[fn:position()=1] | s12:Body/child::*[fn:position()=1]';
const SOAPS =
  'xmlns:s11="http://schemas.xmlsoap.org/soap/envelope/" xmlns:s12="http://www.w3.org/2003/05/soap-envelope"';
const CALLOUT = `<sequence name="main"><callout><endpoint>${SERVICE}</endpoint><source ${SOAPS} xpath="${CHILD}"/><target ${SOAPS} xpath="${CHILD}"/></callout><respond/></sequence>`;

described('434: callout to an inline endpoint', CALLOUT, (xml) => {
  it('answers with what it called', async () => {
    const running = await started(xml);
    expect((await running.stockquote({ addurl: running.trp() })).lines).toEqual([expect.stringMatching(STANDARD)]);
    expect(running.backEnd().lines).toEqual([quoteLine()]);
  });
});

const MOCK = `<proxy name="MockService"><target><inSequence>
    <log level="full"/>
    <payloadFactory>
      <format><m:Sample xmlns:m="http://services.samples"><m:Response><m:value>foo</m:value></m:Response></m:Sample></format><args/>
    </payloadFactory>
    <respond/>
  </inSequence></target></proxy>`;

described('441: a mock service', MOCK, (xml) => {
  it('answers by itself', async () => {
    const running = await started(xml);
    const { status, text } = await call(running.server.service('MockService'), {
      headers: { 'Content-Type': 'application/xml' },
      body: '<request>foo</request>',
    });
    expect(status).toBe(200);
    expect(text.replace(/>\s+</g, '><')).toContain(
      '<m:Sample xmlns:m="http://services.samples"><m:Response><m:value>foo</m:value></m:Response></m:Sample>',
    );
    expect(running.backEnd().lines).toEqual([]);
  });
});

const ACCEPTED = '<property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>';
const STORE = `<sequence name="main"><in><log level="full"/>${ACCEPTED}<store messageStore="MyStore" sequence="onStoreSequence"/></in></sequence>
  <sequence name="onStoreSequence"><log><property name="On-Store" value="Storing message"/></log></sequence>
  <messageStore name="MyStore"/>`;

described('700: a message store', STORE, (xml) => {
  it('keeps the message and runs its on-store sequence', async () => {
    const running = await started(xml);
    expect(await running.smart({ mode: 'placeorder' })).toMatchObject({ status: 202 });
    expect(running.logged(/On-Store = Storing message$/)).toHaveLength(1);
    expect(await running.server.depth('MyStore')).toBe(1);
    expect(running.backEnd().lines).toEqual([]);
  });
});

const RESEQUENCE = `<sequence name="next_seq"><send><endpoint>${SERVICE}</endpoint></send></sequence>
  <sequence name="main"><in>${ACCEPTED}<property name="OUT_ONLY" value="true"/><store messageStore="MyStore"/></in></sequence>
  <messageStore name="MyStore"/>
  <messageProcessor class="org.apache.synapse.message.processors.resequence.ResequencingProcessor" name="ResequencingProcessor" messageStore="MyStore">
    <parameter name="interval">200</parameter>
    <parameter name="seqNumXpath" ${STOCK} expression="substring-after(//m0:placeOrder/m0:order/m0:symbol,'-')"/>
    <parameter name="nextEsbSequence">next_seq</parameter>
    <parameter name="requiredInitMessages">3</parameter>
    <parameter name="requiredInitMessagesDelay">5000</parameter>
  </messageProcessor>`;

described('703: resequencing processor', RESEQUENCE, (xml) => {
  it('orders arrive in the order of their numbers', async () => {
    const running = await started(xml);
    for (const number of [2, 3, 1]) {
      const options = { trpurl: running.trp(), mode: 'placeorder', symbol: `WSO2-${number}` } as const;
      expect(await running.stockquote(options)).toMatchObject({ status: 202 });
    }
    const symbols = () =>
      running
        .backEnd()
        .service.accepted()
        .map(({ symbol }) => symbol);
    // The sample's own file delivers one in 10 s.
    await expect.poll(symbols, { timeout: 60_000 }).toEqual(['WSO2-1', 'WSO2-2', 'WSO2-3']);
  }, 90_000);
});
