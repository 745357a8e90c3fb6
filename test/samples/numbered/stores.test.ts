import { expect, it } from 'vitest';
import { afterTheTest } from '../../support/clean-up.ts';
import { starter } from './expectations.ts';
import { definitions, type RunningSample, sample, startBackEnd } from './running-sample.ts';

/* Samples 701 to 705: message stores and message processors. */

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
