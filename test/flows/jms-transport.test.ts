import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { serveJms } from '../../samples/stockquote/service/jms.ts';
import { startStockQuoteService } from '../../samples/stockquote/service.ts';
import { serving } from '../inbound/queue-suite.ts';
import { echoBackEnd } from '../support/echo-back-end.ts';
import { call } from '../support/http-call.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { type StompPeek, stompPeek } from '../support/stomp-peek.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(activemq);
const ACTIVEMQ = 'org.apache.activemq.jndi.ActiveMQInitialContextFactory';

server.describe('the JMS transport of proxies and addresses', () => {
  let broker: ActiveMqBroker;
  let stomp: string;
  beforeAll(async () => {
    broker = await server.start();
    stomp = `stomp://127.0.0.1:${broker.stompPort}`;
  });
  afterAll(() => broker.close());

  async function peeking<T>(look: (peek: StompPeek) => Promise<T>): Promise<T> {
    const peek = await stompPeek({ port: broker.stompPort });
    try {
      return await look(peek);
    } finally {
      await peek.close();
    }
  }

  const address = (queue: string, more = '') =>
    `jms:/${queue}?transport.jms.ConnectionFactoryJNDIName=QueueConnectionFactory&amp;java.naming.factory.initial=${ACTIVEMQ}&amp;java.naming.provider.url=${stomp}&amp;transport.jms.DestinationType=queue${more}`;
  const jmsProxy = (name: string, target: string, more = '') =>
    `<proxy name="${name}" transports="jms"><target>${target}</target><parameter name="java.naming.provider.url">${stomp}</parameter>${more}</proxy>`;
  const RULES =
    '<parameter name="transport.jms.ContentType"><rules><jmsProperty>contentType</jmsProperty><default>application/xml</default></rules></parameter>';

  it('JMS to HTTP: a proxy takes the messages of its queue, by its content type rules (sample 250)', async () => {
    const backEnd = await echoBackEnd();
    await serving(
      {
        p: jmsProxy(
          'Bridge',
          `<inSequence><property name="OUT_ONLY" value="true"/></inSequence><endpoint><address uri="${backEnd.url}/x" format="soap11"/></endpoint><outSequence><send/></outSequence>`,
          RULES,
        ),
      },
      async (running) => {
        await peeking((peek) => peek.send('Bridge', '<order xmlns="urn:o"><symbol>MSFT</symbol></order>'));
        await waitFor(() => backEnd.received.length === 1, { what: 'the order' });
        expect(backEnd.received[0]?.body.toString()).toMatch(/Envelope.*<symbol>MSFT<\/symbol>/s);
        expect(backEnd.received[0]?.headers['content-type']).toMatch(/^text\/xml/);
        await waitFor(() => peeking(async (peek) => (await peek.count('Bridge')) === 0), { what: 'an empty queue' });
        // Over HTTP it is not there.
        expect((await call(running.service('Bridge'), { body: '<a/>' })).status).toBe(500);
      },
    );
    await backEnd.close();
  }, 30_000);

  it(
    'HTTP to JMS: one-way messages lie on the queue when the client is answered (sample 251)',
    () =>
      serving(
        {
          p: `<proxy name="ToJms" transports="http"><target><inSequence><property name="OUT_ONLY" value="true"/></inSequence><endpoint><address uri="${address('orders', '&amp;transport.jms.ContentTypeProperty=contentType')}"/></endpoint></target></proxy>`,
        },
        async (running) => {
          const answer = await call(running.service('ToJms'), {
            headers: { 'Content-Type': 'application/xml', colour: 'red' },
            body: '<order>IBM</order>',
          });
          expect(answer.status).toBe(202);
          await peeking(async (peek) => {
            await waitFor(async () => (await peek.count('orders')) === 1, { what: 'the order' });
            const [message] = await peek.take('orders', 1);
            expect(message?.text).toContain('<order>IBM</order>');
            expect(message?.headers).toMatchObject({ persistent: 'true', colour: 'red' });
            expect(message?.headers.contentType).toMatch(/xml/);
          });
        },
      ),
    30_000,
  );

  it.each([
    ['a temporary queue', ''],
    ['the queue that the address names', '&amp;transport.jms.ReplyDestination=answers'],
  ])(
    'request and response over JMS, through %s (sample 264)',
    (_, more) =>
      serving(
        {
          ask: `<proxy name="Ask" transports="http"><target><endpoint><address uri="${address('questions', more)}"/></endpoint><outSequence><send/></outSequence></target></proxy>`,
          answer: jmsProxy(
            'Answer',
            '<inSequence><payloadFactory media-type="xml"><format><answer xmlns="">$1</answer></format><args><arg evaluator="xml" expression="//q/text()"/></args></payloadFactory><header name="To" action="remove"/><property name="RESPONSE" value="true"/><respond/></inSequence>',
            `<parameter name="transport.jms.Destination">questions</parameter>${RULES}`,
          ),
        },
        async (running) => {
          const ask = (text: string) =>
            call(running.service('Ask'), { headers: { 'Content-Type': 'application/xml' }, body: `<q>${text}</q>` });
          const answers = await Promise.all(['one', 'two', 'three'].map(ask));
          expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
          expect(answers.map(({ text }) => /<answer[^>]*>(\w+)</.exec(text)?.[1])).toEqual(['one', 'two', 'three']);
        },
      ),
    30_000,
  );

  it(
    'an answer that does not come is a fault with the code of an expired send',
    () =>
      serving(
        {
          silent: `<proxy name="Silent" transports="http"><target><endpoint><address uri="${address('nobody')}"><timeout><duration>300</duration><responseAction>fault</responseAction></timeout></address></endpoint><faultSequence><payloadFactory media-type="json"><format>{"code":"$1"}</format><args><arg evaluator="xml" expression="get-property('ERROR_CODE')"/></args></payloadFactory><property name="messageType" value="application/json" scope="axis2"/><respond/></faultSequence></target></proxy>`,
        },
        async (running) => {
          const answer = await call(running.service('Silent'), {
            headers: { 'Content-Type': 'application/xml' },
            body: '<q/>',
          });
          expect(JSON.parse(answer.text)).toEqual({ code: '101504' });
        },
      ),
    30_000,
  );

  it('puts a text into the wrapper that the proxy names (sample 252)', async () => {
    const backEnd = await echoBackEnd();
    await serving(
      {
        p: jmsProxy(
          'Texts',
          `<inSequence><property name="OUT_ONLY" value="true"/></inSequence><endpoint><address uri="${backEnd.url}/x" format="pox"/></endpoint>`,
          '<parameter name="transport.jms.ContentType">text/plain</parameter><parameter name="Wrapper">{urn:s}text</parameter>',
        ),
      },
      async () => {
        await peeking((peek) => peek.send('Texts', '12.33 1000 ACP'));
        await waitFor(() => backEnd.received.length === 1, { what: 'the text' });
        expect(backEnd.received[0]?.body.toString()).toMatch(/<(\w+:)?text xmlns(:\w+)?="urn:s">12\.33 1000 ACP</);
      },
    );
    await backEnd.close();
  }, 30_000);

  it(
    'a proxy with transports that cannot be listened to says so and serves the others',
    () =>
      serving(
        {
          p: '<proxy name="Both" transports="http jms"><target><inSequence><respond/></inSequence></target><parameter name="java.naming.provider.url">conf/jndi.properties</parameter></proxy>',
        },
        async (running) => {
          await running.logged(
            /ERROR .*p\.xml:\d+:\d+: proxy 'Both' cannot be reached over 'jms': .*JNDI properties file/,
          );
          expect((await call(running.service('Both'), { body: 'x' })).status).toBe(200);
        },
      ),
    30_000,
  );

  it('the sample back end answers over JMS: orders one-way, quotes with a reply (samples 251 and 264)', async () => {
    const service = await startStockQuoteService({ httpPort: 0 });
    const life = new AbortController();
    const problems: string[] = [];
    const side = serveJms(
      {
        providerUrl: stomp,
        serviceUrl: `http://127.0.0.1:${service.httpPort}/services/SimpleStockQuoteService`,
        reportError: (text) => problems.push(text),
      },
      life.signal,
    );
    const proxy = (name: string, before: string) =>
      `<proxy name="${name}" transports="http"><target><inSequence>${before}</inSequence><endpoint><address uri="${address('SimpleStockQuoteService')}"/></endpoint><outSequence><property action="remove" name="TRANSPORT_HEADERS" scope="axis2"/><send/></outSequence></target></proxy>`;
    const soap = (operation: string, inside: string) => ({
      headers: { 'Content-Type': 'text/xml', SOAPAction: `"urn:${operation}"` },
      body: `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><m:${operation} xmlns:m="http://services.samples">${inside}</m:${operation}></e:Body></e:Envelope>`,
    });
    try {
      await serving(
        {
          order: proxy('Order', '<property name="OUT_ONLY" value="true"/>'),
          quote: proxy(
            'Quote',
            '<property action="set" name="transport.jms.ContentTypeProperty" value="Content-Type" scope="axis2"/>',
          ),
        },
        async (running) => {
          const order = '<m:order><m:price>10</m:price><m:quantity>3</m:quantity><m:symbol>MSFT</m:symbol></m:order>';
          expect((await call(running.service('Order'), soap('placeOrder', order))).status).toBe(202);
          await waitFor(() => service.acceptedCount() === 1, { what: () => `the order; ${problems}` });
          expect(service.accepted()[0]).toMatchObject({ symbol: 'MSFT' });
          const quote = await call(
            running.service('Quote'),
            soap('getQuote', '<m:request><m:symbol>IBM</m:symbol></m:request>'),
          );
          expect([quote.status, quote.text.includes('IBM Company')]).toEqual([200, true]);
        },
      );
    } finally {
      life.abort();
      await side;
      await service.close();
    }
  }, 30_000);
});

describe('the file transport of proxies and addresses (sample 254)', () => {
  it('takes files and writes answers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-vfs-'));
    mkdirSync(join(folder, 'in'));
    const backEnd = await echoBackEnd();
    backEnd.answer = () => ({ headers: { 'Content-Type': 'text/xml' }, body: '<quote xmlns="urn:q">42</quote>' });
    const uri = (name: string) => `file://${join(folder, name)}`;
    try {
      await serving(
        {
          p: `<proxy name="Files" transports="vfs"><target><endpoint><address format="pox" uri="${backEnd.url}/x"/></endpoint><outSequence><property name="transport.vfs.ReplyFileName" expression="fn:concat(fn:substring-after(get-property('MessageID'), 'urn:uuid:'), '.xml')" scope="transport"/><property name="OUT_ONLY" value="true"/><send><endpoint><address uri="vfs:${uri('out')}"/></endpoint></send></outSequence></target>
            <parameter name="transport.vfs.FileURI">${uri('in')}</parameter><parameter name="transport.vfs.ContentType">text/xml</parameter><parameter name="transport.vfs.FileNamePattern">.*\\.xml</parameter><parameter name="transport.PollInterval">0.05</parameter><parameter name="transport.vfs.ActionAfterProcess">MOVE</parameter><parameter name="transport.vfs.MoveAfterProcess">${uri('original')}</parameter><parameter name="x.quiet">20</parameter></proxy>`,
        },
        async () => {
          writeFileSync(join(folder, 'in', 'test.xml'), '<order xmlns="urn:o">IBM</order>');
          const out = () => readdirSync(join(folder, 'out')).filter((name) => !name.startsWith('.'));
          await waitFor(() => out().length === 1, { what: 'the answer' });
          expect(out()[0]).toMatch(/^[0-9a-f-]{36}\.xml$/);
          expect(readFileSync(join(folder, 'out', out()[0] ?? ''), 'utf8')).toContain('42</quote>');
          await waitFor(() => readdirSync(join(folder, 'original')).includes('test.xml'), { what: 'the original' });
          expect(backEnd.received[0]?.body.toString()).toContain('IBM</order>');
        },
      );
    } finally {
      await backEnd.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 30_000);
});
