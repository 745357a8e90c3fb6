import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { call, envelope } from '../../support/http-call.ts';
import { getQuote, quoteLine, starter } from './expectations.ts';
import { definitions, type RunningSample, runArtifacts, sample, startBackEnd } from './running-sample.ts';

/* Samples 701 to 705, and those of the stores' own pages (stockquote-samples 3.2): message stores and message processors. */

const onCleanUp = afterTheTest();
const started = starter(onCleanUp);

async function order(running: RunningSample, options = {}): Promise<string> {
  const { lines, status } = await running.smart({ mode: 'placeorder', ...options });
  expect(status).toBe(202);
  const [, quantity, symbol, price] =
    /^Order placed for (\d+) shares of stock (\S+) at a price of \$ (\S+)$/.exec(lines[0] ?? '') ?? [];
  return `for : ${quantity} stocks of ${symbol} at $ ${price}`;
}

const lineOf = (number: number, ordered: string) =>
  `samples.services.SimpleStockQuoteService :: Accepted order #${number} ${ordered}`;

sample('701: sampling processor', definitions('701-d021c4'), (file) => {
  it('delivers one message in 20 seconds', async () => {
    const running = await started(file);
    const first = await order(running);
    await expect.poll(() => running.backEnd().lines).toEqual([lineOf(1, first)]);
    await order(running);
    await order(running);
    expect(running.logged(/Envelope: .*placeOrder/)).toHaveLength(3);
    expect(await running.server.depth('MyStore')).toBe(2);
    expect(running.backEnd().lines).toHaveLength(1);
  });
});

sample('702: forwarding processor', definitions('702-2bec11'), (file) => {
  it('delivers when the back end is there, and removes the message only then', async () => {
    const running = await started(file, { backEnds: [] });
    const first = await order(running, { addurl: running.stockQuote });
    await running.server.logged(/failed to forward message to endpoint StockQuoteServiceEp/);
    expect(await running.server.depth('MyStore')).toBe(1);
    const backEnd = await startBackEnd(9000, { flavour: 'wso2' }, running.port(9000));
    onCleanUp('the back end', () => backEnd.service.close());
    await expect.poll(() => backEnd.lines, { timeout: 15_000 }).toEqual([lineOf(1, first)]);
    await expect.poll(() => running.server.depth('MyStore')).toBe(0);
  });
});

sample('704 (WSO2): REST and forwarding', definitions('704-15c651'), (file) => {
  it('the back end gets the order as plain XML', async () => {
    const running = await started(file);
    const addurl = running.server.service('StockQuoteProxy');
    const ordered = await order(running, { addurl, trpurl: undefined });
    await expect.poll(() => running.backEnd().lines).toEqual([lineOf(1, ordered)]);
    const request = running.backEnd().requests.at(-1);
    expect(request?.headers['content-type']).toMatch(/^application\/xml/);
    expect(Buffer.from(request?.body ?? []).toString()).toMatch(/^<m0:placeOrder /);
  });
});

sample('705: a number of attempts', definitions('705-3220ee'), (file) => {
  it('the third failure drops the message, and the processor goes on', async () => {
    const running = await started(file, { backEnds: [] });
    await order(running);
    await running.server.logged(/failed to forward message 3 times\. Drop message and continue/);
    await expect.poll(() => running.server.depth('MyStore')).toBe(0);
    expect(running.logged(/Connection refused or failed/)).toHaveLength(3);
    const [processor] = running.server.server.configuration().names('messageProcessor');
    expect(processor).toBe('ScheduledProcessor');
    const reply = await fetch(running.server.management('/management/message-processors?name=ScheduledProcessor'));
    expect(await reply.json()).toMatchObject({ name: 'ScheduledProcessor', status: 'active' });
  });
});

const QUOTE = {
  body: envelope(getQuote('IBM')),
  headers: { 'Content-Type': 'text/xml', SOAPAction: '"urn:getQuote"' },
};
const SHOP =
  '<endpoint name="SimpleStockQuoteService"><address uri="http://localhost:9000/services/SimpleStockQuoteService"/></endpoint>';
const forwarder = (store: string, parameters: Readonly<Record<string, string>>) =>
  `<messageProcessor class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor" name="Processor1" targetEndpoint="SimpleStockQuoteService" messageStore="${store}">${Object.entries(
    parameters,
  )
    .map(([name, value]) => `<parameter name="${name}">${value}</parameter>`)
    .join('')}</messageProcessor>`;

/* These have no files; artifacts after the pages' texts. */
describe('introduction to message stores', () => {
  it('the on-store sequence logs what is stored', async () => {
    const SampleProxy = `<proxy name="SampleProxy"><target><inSequence>
        <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><property name="OUT_ONLY" value="true"/>
        <store messageStore="MyStore" sequence="onStoreSequence"/>
      </inSequence></target></proxy>`;
    const onStoreSequence =
      '<sequence name="onStoreSequence"><log><property name="On-Store" value="Storing message"/></log></sequence>';
    const running = await runArtifacts(
      { SampleProxy, onStoreSequence, MyStore: '<messageStore name="MyStore"/>' },
      { flavour: 'wso2' },
    );
    onCleanUp('the sample', () => running.stop());
    expect((await call(running.server.service('SampleProxy'), QUOTE)).status).toBe(202);
    expect(running.logged(/On-Store = /)).toEqual([
      expect.stringMatching(
        /^To: \/services\/SampleProxy, WSAction: urn:getQuote, SOAPAction: urn:getQuote, MessageID: urn:uuid:[0-9a-f-]+, (?:correlation_id: \S+, )?Direction: request, On-Store = Storing message$/,
      ),
    ]);
    expect(await running.server.depth('MyStore')).toBe(1);
  });
});

describe('a JDBC store', () => {
  it('a row for each message that waits, and none for one that was delivered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-jdbc-sample-'));
    onCleanUp('the folder', () => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'store.db');
    const database = new DatabaseSync(file);
    onCleanUp('the database', () => database.close());
    database.exec(
      'create table jdbc_message_store (indexId integer primary key autoincrement, msg_id varchar(200) not null, message blob not null)',
    );
    const rows = () => (database.prepare('select count(*) as n from jdbc_message_store').get() as { n: number }).n;
    const running = await runArtifacts(
      {
        MessageStoreProxy: `<proxy name="MessageStoreProxy"><target><inSequence>
          <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><property name="OUT_ONLY" value="true"/>
          <store messageStore="SampleStore"/></inSequence></target></proxy>`,
        SampleStore: `<messageStore class="org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore" name="SampleStore">
          <parameter name="store.jdbc.driver">org.sqlite.JDBC</parameter><parameter name="store.jdbc.connection.url">jdbc:sqlite:${file}</parameter>
          <parameter name="store.jdbc.username">root</parameter><parameter name="store.jdbc.password">root</parameter><parameter name="store.jdbc.table">jdbc_message_store</parameter></messageStore>`,
        Processor1: forwarder('SampleStore', {
          interval: '200',
          'max.delivery.attempts': '5',
          'store.connection.retry.interval': '1000',
          'max.store.connection.attempts': '-1',
          'is.active': 'false',
        }),
        SHOP,
      },
      { flavour: 'wso2' },
    );
    onCleanUp('the sample', () => running.stop());
    expect((await call(running.server.service('MessageStoreProxy'), QUOTE)).status).toBe(202);
    expect(rows()).toBe(1);
    expect(running.backEnd().lines).toEqual([]);
    await fetch(running.server.management('/management/message-processors'), {
      method: 'POST',
      body: JSON.stringify({ name: 'Processor1', status: 'active' }),
    });
    await expect.poll(() => running.backEnd().lines, { timeout: 10_000 }).toEqual([quoteLine()]);
    await expect.poll(rows, { timeout: 10_000 }).toBe(0);
  });
});
