import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { serveJms } from '../../samples/stockquote/service/jms.ts';
import { quoteLine, STANDARD, starter } from '../samples/numbered/expectations.ts';
import { definitions, sample } from '../samples/numbered/running-sample.ts';
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
