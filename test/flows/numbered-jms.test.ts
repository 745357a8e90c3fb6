import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { serveJms } from '../../samples/stockquote/service/jms.ts';
import { described } from '../samples/numbered/described-sample.ts';
import { quoteLine, STANDARD, starter } from '../samples/numbered/expectations.ts';
import { definitions, runArtifacts, sample } from '../samples/numbered/running-sample.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { envelope } from '../support/http-call.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { stompPeek } from '../support/stomp-peek.ts';
import { subscribe } from '../support/stomp-topic.ts';

/* The numbered samples that need a broker. Where it is, the configuration says; the files say tcp://localhost:61616. */

const server = await findOrInstall(activemq);

server.describe('numbered samples on ActiveMQ', () => {
  const onCleanUp = afterTheTest();
  const started = starter(onCleanUp);
  let broker: ActiveMqBroker;
  beforeAll(async () => {
    broker = await server.start();
  });
  afterAll(() => broker.close());

  const stomp = () => `stomp://127.0.0.1:${broker.stompPort}`;
  const toml = () =>
    ['tcp://localhost:61616', 'tcp://localhost:62626']
      .map((url) => `[[mini_synapse.jms]]\nprovider_url = "${url}"\nstomp_url = "${stomp()}"`)
      .join('\n');

  const WSDL = '<publishWSDL uri="file:repository/conf/sample/resources/proxy/sample_proxy_1.wsdl"/>';
  const FROM_JMS = `<proxy name="StockQuoteProxy" transports="jms">
    <target><inSequence><property name="OUT_ONLY" value="true"/></inSequence>
      <endpoint><address uri="http://localhost:9000/services/SimpleStockQuoteService"/></endpoint>
      <outSequence><send/></outSequence></target>
    ${WSDL}
    <parameter name="transport.jms.ContentType"><rules><jmsProperty>contentType</jmsProperty><default>application/xml</default></rules></parameter>
  </proxy>`;

  described('250: from JMS to HTTP', FROM_JMS, (xml) => {
    it('plain XML on the queue, as `ant jmsclient -Djms_type=pox` sends it, is an order', async () => {
      const running = await runArtifacts({ sample: xml }, { flavour: 'apache', toml: toml() });
      onCleanUp('the sample', () => running.stop());
      const peek = await stompPeek({ port: broker.stompPort });
      onCleanUp('the client', () => peek.close());
      const order =
        '<m:placeOrder xmlns:m="http://services.samples"><m:order><m:price>172.23</m:price><m:quantity>18</m:quantity><m:symbol>MSFT</m:symbol></m:order></m:placeOrder>';
      await peek.send('StockQuoteProxy', order);
      await expect
        .poll(() => running.backEnd().lines, { timeout: 15_000 })
        .toEqual(['samples.services.SimpleStockQuoteService :: Accepted order #1 for : 18 stocks of MSFT at $ 172.23']);
      expect(running.backEnd().requests.at(-1)?.headers['content-type']).toMatch(/^application\/xml/);
    });
  });

  const TO_JMS = `<proxy name="StockQuoteProxy" transports="http">
    <target><inSequence><property name="OUT_ONLY" value="true"/></inSequence>
      <endpoint><address uri="jms:/SimpleStockQuoteService?transport.jms.ConnectionFactoryJNDIName=QueueConnectionFactory&amp;java.naming.factory.initial=org.apache.activemq.jndi.ActiveMQInitialContextFactory&amp;java.naming.provider.url=tcp://localhost:61616&amp;transport.jms.DestinationType=queue"/></endpoint>
      <outSequence><send/></outSequence></target>
    ${WSDL}
  </proxy>`;

  described('251: from HTTP to JMS', TO_JMS, (xml) => {
    it('the back end takes the order from its queue', async () => {
      const running = await runArtifacts({ sample: xml }, { flavour: 'apache', toml: toml() });
      onCleanUp('the sample', () => running.stop());
      const life = new AbortController();
      const serviceUrl = `http://127.0.0.1:${running.backEnd().service.httpPort}/services/SimpleStockQuoteService`;
      const problems: string[] = [];
      const side = serveJms(
        { providerUrl: stomp(), serviceUrl, reportError: (text) => problems.push(text) },
        life.signal,
      );
      onCleanUp('the JMS side of the back end', async () => {
        life.abort();
        await side;
      });
      const addurl = running.server.service('StockQuoteProxy');
      const { lines, status } = await running.stockquote({ addurl, mode: 'placeorder', symbol: 'MSFT' });
      expect(status).toBe(202);
      const [, quantity, price] =
        /^Order placed for (\d+) shares of stock MSFT at a price of \$ (\S+)$/.exec(lines[0] ?? '') ?? [];
      await expect
        .poll(() => running.backEnd().lines, { timeout: 15_000 })
        .toEqual([
          `samples.services.SimpleStockQuoteService :: Accepted order #1 for : ${quantity} stocks of MSFT at $ ${price}`,
        ]);
      expect(problems).toEqual([]);
    });
  });

  for (const file of ['253-28e410', '253-8347b3'].map(definitions)) {
    sample('253: one way from JMS to HTTP', file, () => {
      it('a message on the queue is an order', async () => {
        const running = await started(file, { toml: toml() });
        const peek = await stompPeek({ port: broker.stompPort });
        onCleanUp('the client', () => peek.close());
        const order =
          '<m0:placeOrder xmlns:m0="http://services.samples"><m0:order><m0:price>10.5</m0:price><m0:quantity>3</m0:quantity><m0:symbol>MSFT</m0:symbol></m0:order></m0:placeOrder>';
        await peek.send('JMStoHTTPStockQuoteProxy', envelope(order), {
          SOAPAction: 'urn:placeOrder',
          contentType: 'text/xml',
        });
        await expect
          .poll(() => running.backEnd().lines)
          .toEqual(['samples.services.SimpleStockQuoteService :: Accepted order #1 for : 3 stocks of MSFT at $ 10.5']);
      });
    });
  }

  for (const file of ['264-2ae3f7', '264-8292ed'].map(definitions)) {
    sample('264: request and response over JMS', file, () => {
      it('the quote comes over the queues', async () => {
        const running = await started(file, { toml: toml() });
        const life = new AbortController();
        const serviceUrl = `http://127.0.0.1:${running.backEnd().service.httpPort}/services/SimpleStockQuoteService`;
        const problems: string[] = [];
        const side = serveJms(
          { providerUrl: stomp(), serviceUrl, reportError: (text) => problems.push(text) },
          life.signal,
        );
        onCleanUp('the JMS side of the back end', async () => {
          life.abort();
          await side;
        });
        const outcome = await running.stockquote({ addurl: running.server.service('StockQuoteProxy'), symbol: 'MSFT' });
        expect(outcome.lines).toEqual([expect.stringMatching(STANDARD)]);
        expect(running.backEnd().lines).toEqual([quoteLine('MSFT')]);
        expect(problems).toEqual([]);
      });
    });
  }

  sample('381: routing of binary messages', definitions('381-cecafc'), (file) => {
    it('the symbol in the bytes says which topic a message goes to', async () => {
      const running = await started(file, { toml: toml() });
      await running.server.logged(/Proxy service \[JMSBinaryProxy\] is connected/);
      const topics = { 'mdd.MSFT': [] as string[], 'mdd.GOOG': [] as string[] };
      for (const [topic, got] of Object.entries(topics)) {
        const subscription = await subscribe(broker.stompPort, topic, (body) => got.push(body));
        onCleanUp('a subscription', () => subscription.end());
      }
      const peek = await stompPeek({ port: broker.stompPort });
      onCleanUp('the client', () => peek.close());
      for (const symbol of ['MSFT', 'GOOG', 'NONE'])
        await peek.send('JMSBinaryProxy', Buffer.concat([Buffer.alloc(10, 0xff), Buffer.from(`${symbol} 12.5`)]));
      await expect
        .poll(() => running.logged(/^symbol = /))
        .toEqual(['symbol = MSFT', 'symbol = GOOG', 'symbol = NONE']);
      await expect
        .poll(() => topics)
        .toEqual({
          'mdd.MSFT': [expect.stringMatching(/MSFT 12\.5$/)],
          'mdd.GOOG': [expect.stringMatching(/GOOG 12\.5$/)],
        });
    });
  });

  const store = `<messageStore class="org.apache.synapse.message.store.impl.jms.JmsStore" name="JMSMS">
    <parameter name="java.naming.factory.initial">org.apache.activemq.jndi.ActiveMQInitialContextFactory</parameter>
    <parameter name="java.naming.provider.url">tcp://localhost:61616</parameter><parameter name="store.jms.destination">NAME</parameter></messageStore>
    <endpoint name="SimpleStockQuoteService"><address uri="http://localhost:9000/services/SimpleStockQuoteService"/></endpoint>`;
  const storing = (name: string, outOnly: string) =>
    `<proxy name="${name}"><target><inSequence><property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>${outOnly}<log level="full"/><store messageStore="JMSMS"/></inSequence></target></proxy>`;
  const forwarding = (parameters: string) =>
    `<messageProcessor class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor" name="P" targetEndpoint="SimpleStockQuoteService" messageStore="JMSMS"><parameter name="max.delivery.attempts">4</parameter><parameter name="interval">4000</parameter>${parameters}</messageProcessor>`;
  const define = (text: string) => `<definitions xmlns="http://ws.apache.org/ns/synapse">${text}</definitions>`;

  /* The examples of the store's own page (stockquote-samples 3.2), which have no files. */
  it('JMS store, example 1: the order is delivered', async () => {
    const own = `${storing('Proxy1', '<property name="OUT_ONLY" value="true"/>')}${store.replace('NAME', 'EXAMPLE1')}${forwarding('')}`;
    const running = await runArtifacts({ sample: define(own) }, { flavour: 'wso2', toml: toml() });
    onCleanUp('the sample', () => running.stop());
    const addurl = running.server.service('Proxy1');
    const { status, lines } = await running.stockquote({ addurl, mode: 'placeorder', symbol: 'IBM' });
    expect(status).toBe(202);
    const [, quantity, price] = /placed for (\d+) .* \$ (\S+)$/.exec(lines[0] ?? '') ?? [];
    await expect
      .poll(() => running.backEnd().lines, { timeout: 15_000 })
      .toEqual([
        `samples.services.SimpleStockQuoteService :: Accepted order #1 for : ${quantity} stocks of IBM at $ ${price}`,
      ]);
  });

  it('JMS store, example 2: the reply sequence has the answer', async () => {
    const reply =
      '<sequence name="replySequence"><log level="full"><property name="REPLY" value="MESSAGE"/></log><drop/></sequence>';
    const own = `${storing('Proxy2', '')}${store.replace('NAME', 'EXAMPLE2')}${reply}${forwarding('<parameter name="message.processor.reply.sequence">replySequence</parameter>')}`;
    const running = await runArtifacts({ sample: define(own) }, { flavour: 'wso2', toml: toml() });
    onCleanUp('the sample', () => running.stop());
    expect(await running.stockquote({ addurl: running.server.service('Proxy2') })).toMatchObject({ status: 202 });
    await expect
      .poll(() => running.logged(/REPLY = MESSAGE/), { timeout: 15_000 })
      .toEqual([expect.stringMatching(/getQuoteResponse.*:symbol>IBM</s)]);
    expect(running.backEnd().lines).toEqual([quoteLine()]);
  });

  sample('705 (WSO2): three forwarders share a JMS store', definitions('705-37f78e'), (file) => {
    it('every order arrives once, and each back end gets some', async () => {
      const ports = [9001, 9002, 9003];
      const running = await started(file, { toml: toml(), backEnds: ports });
      const addurl = running.server.service('StockQuoteProxy');
      const orders = Array.from({ length: 9 }, (_, index) => `ORDER${index}`);
      for (const symbol of orders) {
        expect(await running.stockquote({ addurl, mode: 'placeorder', symbol })).toMatchObject({ status: 202 });
      }
      const accepted = () =>
        ports.map((port) =>
          running
            .backEnd(port)
            .service.accepted()
            .map(({ symbol }) => symbol),
        );
      await expect.poll(() => accepted().flat().length, { timeout: 30_000 }).toBe(orders.length);
      expect(accepted().flat().sort()).toEqual(orders);
      expect(accepted().every((symbols) => symbols.length > 0)).toBe(true);
    }, 60_000);
  });
});
