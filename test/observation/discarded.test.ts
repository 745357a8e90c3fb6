import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../support/http-call.ts';
import { type InProcess, inOnly, proxy, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

const START_MS = 120_000;
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const RESEQUENCER = 'org.apache.synapse.message.processors.resequence.ResequencingProcessor';

let runtime: InProcess;
const refusing = createServer((incoming, outgoing) => incoming.resume().on('end', () => outgoing.writeHead(500).end()));

beforeAll(async () => {
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const { port } = refusing.address() as AddressInfo;
  const broken = '<inSequence><sequence key="nowhere"/></inSequence>';
  const stored = (name: string, store: string) =>
    inOnly(name, `<property name="OUT_ONLY" value="true"/><store messageStore="${store}"/><respond/>`);
  runtime = await serve({
    Dropping: proxy('Dropping', `${broken}<faultSequence><drop/></faultSequence>`),
    Wanted: inOnly('Wanted', '<drop/>'),
    Circling: proxy('Circling', broken, '', '').replace('<inSequence>', '<inSequence onError="Circle">'),
    Circle: '<sequence name="Circle" onError="Circle"><sequence key="nowhere"/></sequence>',
    Delivered: stored('Delivered', 'Refused'),
    Refused: '<messageStore name="Refused"/>',
    BackEnd: `<endpoint name="BackEnd"><address uri="http://127.0.0.1:${port}/"/></endpoint>`,
    Forwarder: `<messageProcessor name="Forwarder" messageStore="Refused" targetEndpoint="BackEnd" class="${FORWARDER}">
      <parameter name="interval">10</parameter><parameter name="max.delivery.attempts">1</parameter>
      <parameter name="max.delivery.drop">Enabled</parameter></messageProcessor>`,
    Numbered: stored('Numbered', 'Ordered'),
    Ordered: '<messageStore name="Ordered"/>',
    Next: '<sequence name="Next"><drop/></sequence>',
    Resequencer: `<messageProcessor name="Resequencer" messageStore="Ordered" class="${RESEQUENCER}">
      <parameter name="interval">10</parameter><parameter name="nextEsbSequence">Next</parameter>
      <parameter name="requiredInitMessages">1</parameter><parameter name="x.resequence.late">drop</parameter>
      <parameter name="seqNumXpath" expression="//n"/></messageProcessor>`,
    Kept: stored('Kept', 'Shelf'),
    Shelf: '<messageStore name="Shelf"/>',
  });
}, START_MS);

afterAll(async () => {
  await runtime?.stop();
  refusing.close();
});

const headers = { 'Content-Type': 'text/xml' };
const post = (service: string, body = '<m/>') => call(runtime.service(service), { method: 'POST', body, headers });

async function discarded(reason: string): Promise<number> {
  const { text } = await call(runtime.management('/metrics'));
  const [, value] = new RegExp(`^messages_dropped_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(text) ?? [];
  if (value === undefined) throw new Error(`messages_dropped_total has no reason ${reason}:\n${text}`);
  return Number(value);
}

/** Does it twice, and waits until the counter has grown by as many and as many lines tell of it. */
async function countsTwo(reason: string, discard: () => Promise<unknown>, line: RegExp): Promise<void> {
  const [before, lines] = [await discarded(reason), runtime.records.length];
  await discard();
  await discard();
  await waitFor(async () => (await discarded(reason)) === before + 2, { what: `two more discarded: ${reason}` });
  const told = runtime.lines(lines).filter((one) => line.test(one));
  expect(told.length, told.join('\n')).toBe(2);
}

describe('what is discarded is counted with a reason, and each has a line (OP-04)', () => {
  it('by the drop of a fault sequence', async () => {
    await countsTwo('drop', () => post('Dropping'), /^INFO Message dropped after an error: .*nowhere/);
    expect(runtime.records.find(({ message }) => message.startsWith('Message dropped after'))).toMatchObject({
      details: { artifactKind: 'proxy', artifact: 'Dropping', file: expect.stringContaining('Dropping.xml') },
    });
  });

  it('by no fault handler', () =>
    countsTwo('no_fault_handler', () => post('Circling'), /^ERROR .* is not asked: the message went through/));

  it('by max.delivery.drop', () =>
    countsTwo('max_delivery_drop', () => post('Delivered'), /^WARN .*Drop message and continue/));

  it('by a sequence number that was passed already', async () => {
    for (const n of [1, 2, 3]) await post('Numbered', `<m><n>${n}</n></m>`);
    await waitFor(async () => (await runtime.depth('Ordered')) === 0, { what: 'the first three to be taken' });
    const late = () => post('Numbered', '<m><n>2</n></m>');
    await countsTwo('late', late, /is dropped: its sequence number 2 was passed already/);
  });

  it('by an operator', async () => {
    const store = runtime.management('/management/message-stores/Shelf/messages');
    const audited = /^INFO .*"action":"(?:deleted|purged)".*Shelf/;
    await countsTwo(
      'deleted',
      async () => {
        await post('Kept');
        const { text } = await call(store);
        const { id } = JSON.parse(text).list[0];
        expect((await call(`${store}/${encodeURIComponent(id)}`, { method: 'DELETE' })).status).toBe(200);
      },
      audited,
    );
    await countsTwo(
      'purged',
      async () => {
        await post('Kept');
        expect((await call(`${store}?confirm=1`, { method: 'DELETE' })).status).toBe(200);
      },
      audited,
    );
  });

  it('and the drop of a flow that has not failed is none', async () => {
    const before = await discarded('drop');
    await post('Wanted');
    await post('Dropping');
    await waitFor(async () => (await discarded('drop')) > before, { what: 'the failed one to be counted' });
    expect(await discarded('drop')).toBe(before + 1);
  });
});
