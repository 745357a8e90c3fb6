import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODES, MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import type { MessageProcessor } from '../../src/processors/index.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import {
  advance,
  advanceUntil,
  Bench,
  FakeEndpoint,
  FakeStore,
  fakeTime,
  type Reaction,
  refused,
  sequenceOf,
  settled,
  storedMessage,
  until,
} from './harness.ts';

let bench: Bench;

beforeEach(() => {
  fakeTime();
  bench = new Bench();
});

afterEach(async () => {
  await bench.close();
});

function forwarder(parameters: Record<string, string> = {}): Promise<MessageProcessor> {
  return bench.start(forwarding, parameters);
}

/** Deploys a sequence that ends as told and notes what it sees. */
function recordSequence(name: string, outcome: boolean | Error = true): MessageContext[] {
  const seen: MessageContext[] = [];
  const sequence = sequenceOf(name, (message) => {
    seen.push(message);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
  bench.configuration.set('sequence', name, sequence);
  return seen;
}

const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);
const errors = () => bench.lines('error');

describe('spacing (REQ-14, REQ-61)', () => {
  it('delivers a message when it arrives, and the next ones an interval apart', async () => {
    await forwarder();
    await advance(5000);
    const start = Date.now();
    await bench.put('a', 'b', 'c');
    await advance(2500);
    expect(bench.endpoint.calls.map(({ id, at }) => [id, at - start])).toEqual([
      ['a', 0],
      ['b', 1000],
      ['c', 2000],
    ]);
    expect(bench.store.done).toEqual(['a', 'b', 'c']);
  });

  it('measures from start to start: a slow back end adds no pause and causes no burst', async () => {
    const start = Date.now();
    bench.endpoint.react = async ({ id }) => {
      await new Promise((resolve) => setTimeout(resolve, id === 'm0' ? 2500 : 300));
      return 202;
    };
    await bench.put(...ids(4));
    await forwarder();
    await advance(6000);
    expect(bench.endpoint.calls.map(({ at }) => at - start)).toEqual([0, 2500, 3500, 4500]);
  });

  it('takes sub-second intervals as they are', async () => {
    await bench.put(...ids(20));
    await forwarder({ interval: ' 100 ' });
    await advance(1000);
    expect(bench.endpoint.calls.length).toBeGreaterThanOrEqual(10);
    expect(bench.endpoint.calls.length).toBeLessThanOrEqual(11);
  });

  it('with interval 0 delivers without a pause, and idles without a spin', async () => {
    await bench.put(...ids(50));
    const processor = await forwarder({ interval: '0' });
    await until(() => bench.store.done.length === 50);
    expect(bench.store.done).toEqual(ids(50));
    expect(processor.status().workers[0]?.activity).toBe('receiving');
  });

  it('spaces each member by itself, with one consumer each (REQ-44)', async () => {
    await bench.put(...ids(9));
    await forwarder({ 'member.count': '3' });
    await advance(100);
    expect(bench.endpoint.calls.length).toBe(3);
    await advance(2000);
    expect([...bench.endpoint.ids].sort()).toEqual(ids(9));
    expect(bench.store.consumersMade).toBe(3);
  });

  it('counts in the Apache profile only the arrival, as consume.all says', async () => {
    await bench.close();
    fakeTime();
    bench = new Bench({ profile: 'apache' });
    await bench.put(...ids(5));
    await forwarder({ interval: '60000' });
    await until(() => bench.store.done.length === 5);
  });
});

describe('the outcome table (spec stores 4.8, OP-27)', () => {
  const statuses = Array.from({ length: 500 }, (_, index) => index + 100);
  const expected = (status: number) =>
    (status >= 200 && status < 300) || status === 404 || (status >= 300 && status < 400);

  it.each(['true', 'false'])('judges every status alike, OUT_ONLY=%s', async (outOnly) => {
    recordSequence('reply');
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    for (const status of statuses) await bench.store.put(storedMessage(String(status), { OUT_ONLY: outOnly }));
    bench.endpoint.react = ({ id }) => Number(id);
    const processor = await forwarder({
      interval: '0',
      'client.retry.interval': '0',
      'max.delivery.attempts': '1',
      'message.processor.failMessagesStore': 'F',
      'message.processor.reply.sequence': 'reply',
      'non.retry.status.codes': ' 404, 3xx ,4,40, x5',
    });
    await advanceUntil(() => bench.store.done.length === statuses.length, 'the end');
    expect(failed.ids.map(Number)).toEqual(statuses.filter((status) => !expected(status)));
    expect(processor.status().counters).toMatchObject({ delivered: 201, moved: 299, failed: 299 });
  });

  it('with Apache retry codes takes the error statuses that are not listed for delivered', async () => {
    recordSequence('reply');
    bench.endpoint.react = ({ id, attempt }) => (attempt === 1 ? Number(id) : 200);
    for (const id of ['404', '500', '503']) await bench.store.put(storedMessage(id, { OUT_ONLY: 'true' }));
    await forwarder({ 'retry.http.status.codes': '503' });
    await advance(8000);
    expect(bench.endpoint.calls.map(({ id, attempt }) => `${id}#${attempt}`)).toEqual([
      '404#1',
      '500#1',
      '503#1',
      '503#2',
    ]);
  });

  it('row 0: out-only without an answer', async () => {
    bench.endpoint.react = ({ attempt }) => (attempt === 1 ? refused() : 202);
    const faults = recordSequence('fault');
    await bench.store.put({ ...storedMessage('a', { OUT_ONLY: 'true' }), axis2: new Map([['HTTP_SC', '202']]) });
    await forwarder({ 'message.processor.fault.sequence': 'fault' });
    await advance(1500);
    expect(errors()).toEqual([
      'ForwardingService: [ P ] Error while forwarding message to endpoint E.',
      'ForwardingService: BlockingMessageSender of message processor [P] failed to forward message to endpoint E',
    ]);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.text('ERROR_CODE')).toBe(String(ERROR_CODES.connectionFailed));
    expect(faults[0]?.text('ERROR_MESSAGE')).toBe('Connection refused');
    expect(faults[0]?.text('blocking.sender.error')).toBe('true');
    expect(faults[0]?.axis2.get('HTTP_SC')).toBeUndefined();
    expect(bench.store.done).toEqual(['a']);
  });

  it.each([
    ['3: out-only', 'true'],
    ['6: in-out', 'false'],
  ])('row %s answered with 500 runs the fault sequence (REQ-20)', async (_row, outOnly) => {
    bench.endpoint.react = ({ attempt }) => (attempt < 4 ? { status: 500, body: '<error/>' } : 200);
    recordSequence('reply');
    const faults = recordSequence('fault');
    await bench.store.put(storedMessage('a', { OUT_ONLY: outOnly }));
    await forwarder({ 'message.processor.fault.sequence': 'fault', 'message.processor.reply.sequence': 'reply' });
    await advance(3500);
    const line =
      'ForwardingService: Message processor [P] received a response with HTTP_SC: 500 from backend E. Message forwarding failed.';
    expect(bench.lines('info').filter((text) => text === line)).toHaveLength(3);
    expect(faults).toHaveLength(3);
    expect(faults[0]?.payload.firstBodyChild()?.localName).toBe('error');
    expect(new Set(bench.endpoint.calls.map(({ body }) => body))).toEqual(new Set(['<order id="a"/>']));
  });

  it('row 4: in-out with another status is a transport error', async () => {
    bench.endpoint.react = ({ attempt }) => (attempt === 1 ? 503 : 200);
    recordSequence('reply');
    const faults = recordSequence('fault');
    await bench.store.put(storedMessage('a'));
    await forwarder({ 'message.processor.fault.sequence': 'fault', 'message.processor.reply.sequence': 'reply' });
    await advance(1500);
    expect(errors()[0]).toBe(
      'ForwardingService: Blocking Sender Error Transport error: 503 Error: Service Unavailable',
    );
    expect(faults[0]?.text('ERROR_CODE')).toBe(String(ERROR_CODES.blockingSenderFailed));
    expect(faults[0]?.text('HTTP_SC')).toBe('503');
  });

  it('an answer without a status is never success (REQ-22)', async () => {
    bench.endpoint.react = ({ attempt }): Reaction => (attempt === 1 ? { status: undefined } : 202);
    await bench.store.put({
      ...storedMessage('a', { OUT_ONLY: 'true', HTTP_SC: '200' }),
      axis2: new Map([['HTTP_SC', '202']]),
    });
    await forwarder();
    await advance(1500);
    expect(bench.endpoint.calls).toHaveLength(2);
    expect(bench.lines('info')).toContain(
      'ForwardingService: Message processor [P] received a response with HTTP_SC:   from backend E. Message forwarding failed.',
    );
  });

  it('a suspended endpoint and a stale HTTP_SC never lose a message (REQ-22, REQ-29)', async () => {
    bench.endpoint.suspendedUntil = Number.POSITIVE_INFINITY;
    await bench.store.put({ ...storedMessage('a', { OUT_ONLY: 'true' }), axis2: new Map([['HTTP_SC', '202']]) });
    const processor = await forwarder();
    await advance(60_000, 1000);
    expect(bench.endpoint.calls).toHaveLength(0);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { delivered: 0, failed: 0 } });
    expect(bench.store.unsettled).toBe(1);
  });

  it('row 5: 2xx runs the reply sequence on the answer; 202 too', async () => {
    const replies = recordSequence('reply');
    bench.endpoint.react = ({ id }) =>
      id === 'a' ? { status: 200, body: '<ok/>', headers: [['Answer', 'yes']] } : 202;
    await bench.store.put(storedMessage('a', { mine: 'kept' }));
    await bench.store.put(storedMessage('b', { BLOCKING_SENDER_PRESERVE_REQ_HEADERS: 'false' }));
    await forwarder({ 'message.processor.reply.sequence': 'reply' });
    await advance(1500);
    expect(replies.map(({ direction }) => direction)).toEqual(['response', 'response']);
    expect(replies[0]?.payload.firstBodyChild()?.localName).toBe('ok');
    expect(replies[0]?.text('mine')).toBe('kept');
    expect(replies[0]?.text('blocking.sender.error')).toBe('false');
    expect(replies[0]?.headers.get('Custom')).toBe('kept');
    expect(replies[0]?.headers.get('Answer')).toBeUndefined();
    expect(replies[1]?.headers.get('Custom')).toBeUndefined();
    expect(bench.store.done).toEqual(['a', 'b']);
  });

  it('shows the headers of the answer when BLOCKING_SENDER_PRESERVE_REQ_HEADERS is false', async () => {
    const replies = recordSequence('reply');
    bench.endpoint.react = () => ({ status: 200, body: '<ok/>', headers: [['Answer', 'yes']] });
    await bench.store.put(storedMessage('a', { BLOCKING_SENDER_PRESERVE_REQ_HEADERS: 'false' }));
    await forwarder({ 'message.processor.reply.sequence': 'reply' });
    await settled();
    expect(replies[0]?.headers.get('Answer')).toBe('yes');
  });

  it('row 5: a reply sequence that ends with drop counts as processed (REQ-21)', async () => {
    const replies = recordSequence('reply', false);
    await bench.store.put(storedMessage('a'));
    await forwarder({ 'message.processor.reply.sequence': 'reply' });
    await advance(3000);
    expect(replies).toHaveLength(1);
    expect(bench.endpoint.calls).toHaveLength(1);
    expect(bench.store.done).toEqual(['a']);
  });

  it('row 5: a reply sequence that throws is a failed attempt', async () => {
    const faults = recordSequence('fault');
    let runs = 0;
    bench.configuration.set(
      'sequence',
      'reply',
      sequenceOf('reply', () => {
        runs += 1;
        if (runs === 1) throw new MediationError('broken', { code: 42 });
      }),
    );
    await bench.store.put(storedMessage('a'));
    await forwarder({ 'message.processor.reply.sequence': 'reply', 'message.processor.fault.sequence': 'fault' });
    await advance(1500);
    expect(errors()[0]).toBe('ForwardingService: [ P ] Error while forwarding message to endpoint E.');
    expect(faults[0]?.text('ERROR_MESSAGE')).toBe('broken');
    expect(runs).toBe(2);
  });

  it.each([
    [{}, 'Failed to send the out message. Reply sequence does not Exist. Deactivated the message processor.'],
    [
      { 'message.processor.reply.sequence': 'nope' },
      'Failed to send the out message. Reply sequence [nope] does not exist. Deactivated the message processor.',
    ],
  ])(
    'row 5: a missing reply sequence deactivates and keeps the message (%j)',
    async (parameters: Record<string, string>, text) => {
      const deactivated = recordSequence('deactivate');
      await bench.store.put(storedMessage('a'));
      const processor = await forwarder({ ...parameters, 'message.processor.deactivate.sequence': 'deactivate' });
      await until(() => bench.store.ids.length === 1 && bench.store.unsettled === 0 && deactivated.length === 1);
      expect(errors()).toContain(`ForwardingService: ${text}`);
      expect(processor.status()).toMatchObject({ state: 'FAULTY', failingMessageId: 'a' });
      expect(bench.store.ids).toEqual(['a']);
    },
  );

  it('takes a SOAP fault for an answer unless FORCE_ERROR_ON_SOAP_FAULT is true', async () => {
    const fault =
      '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Server</faultcode><faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>';
    recordSequence('reply');
    bench.endpoint.react = ({ attempt }) => (attempt === 1 ? { status: 200, body: fault } : 200);
    await bench.store.put(storedMessage('a'));
    await bench.store.put(storedMessage('b', { FORCE_ERROR_ON_SOAP_FAULT: 'true' }));
    await bench.store.put(storedMessage('c', { FORCE_ERROR_ON_SOAP_FAULT: 'true', OUT_ONLY: 'true' }));
    await forwarder({ 'message.processor.reply.sequence': 'reply' });
    await advance(6000);
    expect(bench.endpoint.calls.map(({ id, attempt }) => `${id}#${attempt}`)).toEqual([
      'a#1',
      'b#1',
      'b#2',
      'c#1',
      'c#2',
    ]);
  });

  it('waits for what the reply sequence started, and fails with it (OP-01)', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    bench.configuration.set(
      'sequence',
      'reply',
      sequenceOf('reply', (message) => {
        message.exchange?.take();
        message.exchange?.track(gate);
        message.configuration.services.flows.track(gate);
        message.exchange?.respond(message);
        return false;
      }),
    );
    await bench.store.put(storedMessage('a'));
    await forwarder({ 'message.processor.reply.sequence': 'reply' });
    await advance(3000);
    expect(bench.store.done).toEqual([]);
    release();
    await settled();
    expect(bench.store.done).toEqual(['a']);
  });
});

describe('each attempt starts from the stored message (REQ-17, OP-05)', () => {
  it('with its payload, headers, properties, a stable id and the number of the attempt', async () => {
    bench.endpoint.react = ({ attempt, message }) => {
      message.properties.set('leaked', 'yes');
      message.headers.set('Leaked', 'yes');
      return attempt < 3 ? { status: 500, body: '<error/>' } : 202;
    };
    bench.configuration.set(
      'sequence',
      'fault',
      sequenceOf('fault', (message) => void message.properties.set('leaked', 'yes')),
    );
    const seen: unknown[] = [];
    await bench.put('a');
    const processor = await forwarder({ 'message.processor.fault.sequence': 'fault' });
    const { react } = bench.endpoint;
    bench.endpoint.react = (call) => {
      seen.push([
        call.message.text('leaked'),
        call.message.headers.get('Leaked'),
        call.message.text('x.delivery.attempt'),
      ]);
      return react(call);
    };
    await advance(2500);
    expect(bench.endpoint.calls.map(({ id, attempt, body }) => [id, attempt, body])).toEqual([
      ['a', 1, '<order id="a"/>'],
      ['a', 2, '<order id="a"/>'],
      ['a', 3, '<order id="a"/>'],
    ]);
    expect(seen.slice(-2)).toEqual([
      [undefined, undefined, '2'],
      [undefined, undefined, '3'],
    ]);
    expect(bench.endpoint.calls[0]?.options.blocking).toBe(true);
    expect(processor.status().counters).toMatchObject({ delivered: 1, failed: 2, retried: 2 });
  });

  it('carries the id in the header that x.message.id.header names', async () => {
    await bench.put('a');
    await forwarder({ 'x.message.id.header': 'X-Order-Key' });
    await settled();
    expect(bench.endpoint.calls[0]?.headers).toContainEqual(['X-Order-Key', 'a']);
  });

  it('removes WS-Addressing headers unless PRESERVE_WS_ADDRESSING is true', async () => {
    const body =
      '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><a:To xmlns:a="http://www.w3.org/2005/08/addressing">x</a:To><keep/></e:Header><e:Body><p/></e:Body></e:Envelope>';
    await bench.store.put(storedMessage('a', { OUT_ONLY: 'true' }, body));
    await bench.store.put(storedMessage('b', { OUT_ONLY: 'true', PRESERVE_WS_ADDRESSING: 'true' }, body));
    await forwarder({ interval: '0' });
    await settled();
    const blocks = bench.endpoint.calls.map(({ message }) =>
      Array.from(message.payload.header()?.childNodes ?? [], (node) => node.localName),
    );
    expect(blocks).toEqual([['keep'], ['To', 'keep']]);
    expect(bench.endpoint.calls[1]?.body).toBe(body);
  });
});

describe('endpoints (spec stores 4.6, REQ-15)', () => {
  it('come from the attribute, else the parameter, else each message', async () => {
    const others = ['A', 'B'].map((name) => {
      const endpoint = new FakeEndpoint(name);
      bench.configuration.set('endpoint', name, endpoint);
      return endpoint;
    });
    await bench.store.put(storedMessage('a', { OUT_ONLY: 'true', 'target.endpoint': 'A' }));
    await bench.store.put(storedMessage('b', { OUT_ONLY: 'true', 'target.endpoint': 'B' }));
    const byMessage = await bench.start(forwarding, { interval: '0' }, { targetEndpoint: undefined });
    await until(() => bench.store.done.length === 2);
    expect(others.map(({ ids: sent }) => sent)).toEqual([['a'], ['b']]);
    await byMessage.stop({ undeploy: false });
    await bench.store.put(storedMessage('c', { OUT_ONLY: 'true', 'target.endpoint': 'A' }));
    const byParameter = await bench.start(
      forwarding,
      { 'target.endpoint': 'B' },
      { targetEndpoint: undefined, name: 'Q' },
    );
    await until(() => bench.store.done.length === 3);
    expect(others[1]?.ids).toEqual(['b', 'c']);
    await byParameter.stop({ undeploy: false });
    await bench.put('d');
    await bench.start(forwarding, { 'target.endpoint': 'B' }, { targetEndpoint: 'E', name: 'R' });
    await until(() => bench.store.done.length === 4);
    expect(bench.endpoint.ids).toEqual(['d']);
  });

  it.each([
    [
      undefined,
      'Neither targetEndpoint defined in the MessageProcessor configuration nor Property target.endpoint is found in the message context, hence deactivating the MessageProcessor',
    ],
    ['nowhere', 'Endpoint does not exists. Deactivating the message processor'],
  ])('a missing one deactivates and keeps the message (%s)', async (targetEndpoint, text) => {
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding, {}, { targetEndpoint });
    await until(() => processor.status().state === 'FAULTY' && bench.store.ids.length === 2);
    expect(errors()).toContain(`ForwardingService: ${text}`);
    expect(processor.status().state).toBe('FAULTY');
    expect(bench.store.ids).toEqual(['a', 'b']);
    expect(bench.lines('info')).toContain(
      'ScheduledMessageProcessor: Successfully deactivated the message processor [P]',
    );
  });

  it('burns no attempts on a suspended one, and looks again by the retry interval (REQ-29)', async () => {
    bench.endpoint.react = ({ attempt }) => {
      if (attempt < 3) bench.endpoint.suspendedUntil = Date.now() + 5500;
      return attempt < 3 ? refused() : 202;
    };
    const start = Date.now();
    await bench.put('a');
    const processor = await forwarder({ 'max.delivery.attempts': '3' });
    await advance(3000);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', current: { id: 'a' } });
    expect(processor.status().nextActionAt).toBeGreaterThan(Date.now());
    await advance(15_000);
    expect(bench.endpoint.calls.map(({ at }) => at - start)).toEqual([0, 5500, 11_000]);
    expect(bench.store.done).toEqual(['a']);
  });

  it('takes its own word for it when it was suspended between the look and the send', async () => {
    bench.endpoint.react = ({ at }) => {
      if (bench.endpoint.calls.length > 1) return 202;
      bench.endpoint.suspendedUntil = at + 300;
      return new MediationError('not ready', { code: ERROR_CODES.leafNotReady });
    };
    await bench.put('a');
    const processor = await forwarder({ 'max.delivery.attempts': '1' });
    await advance(2000);
    expect(bench.store.done).toEqual(['a']);
    expect(processor.status().counters.failed).toBe(0);
  });

  it('without an address is a failure, not a wait', async () => {
    bench.endpoint.react = () =>
      new MediationError('The endpoint has no address to send to', { code: ERROR_CODES.leafNotReady });
    await bench.put('a');
    const processor = await forwarder({ 'max.delivery.attempts': '1' });
    await until(() => processor.status().state === 'DEACTIVATED');
  });
});

describe('after a failed attempt (spec stores 4.9, 4.13)', () => {
  it('defaults: four attempts a second apart, then deactivation, sequence, message kept', async () => {
    const order: string[] = [];
    const start = Date.now();
    bench.endpoint.react = () => refused();
    let processor: MessageProcessor | undefined;
    bench.configuration.set(
      'sequence',
      'fault',
      sequenceOf('fault', () => void order.push('fault')),
    );
    bench.configuration.set(
      'sequence',
      'deactivate',
      sequenceOf('deactivate', (message) => {
        order.push(`deactivate ${processor?.status().state} ${message.text('ERROR_MESSAGE')}`);
        throw new Error('broken sequence');
      }),
    );
    await bench.put('a', 'b');
    processor = await forwarder({
      'message.processor.fault.sequence': 'fault',
      'message.processor.deactivate.sequence': 'deactivate',
    });
    await advance(3100);
    await until(() => bench.store.ids.length === 2);
    expect(bench.endpoint.calls.map(({ id, attempt, at }) => [id, attempt, at - start])).toEqual([
      ['a', 1, 0],
      ['a', 2, 1000],
      ['a', 3, 2000],
      ['a', 4, 3000],
    ]);
    expect(order).toEqual(['fault', 'fault', 'fault', 'fault', 'deactivate DEACTIVATED Connection refused']);
    expect(processor.status()).toMatchObject({
      state: 'DEACTIVATED',
      by: 'itself',
      reason: '4 failed attempts: Connection refused',
      failingMessageId: 'a',
      counters: { failed: 4, retried: 3, delivered: 0 },
    });
    expect(bench.store.ids).toEqual(['a', 'b']);
    expect(bench.store.openConsumers).toBe(0);
    await advance(10_000, 1000);
    expect(bench.endpoint.calls).toHaveLength(4);
  });

  it('drops with Enabled, waits the retry interval and goes on; drop wins over the fail store', async () => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    const start = Date.now();
    bench.endpoint.react = ({ id }) => (id === 'a' ? refused() : 202);
    await bench.put('a', 'b');
    const processor = await forwarder({
      'max.delivery.attempts': '2',
      'max.delivery.drop': 'Enabled',
      'message.processor.failMessagesStore': 'F',
    });
    await advance(2500);
    expect(bench.endpoint.calls.map(({ id, at }) => [id, at - start])).toEqual([
      ['a', 0],
      ['a', 1000],
      ['b', 2000],
    ]);
    expect(bench.lines('warn')).toContain(
      'ForwardingService: Message processor [P] failed to forward message 2 times. Drop message and continue.',
    );
    expect(failed.ids).toEqual([]);
    expect(bench.store.done).toEqual(['a', 'b']);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { dropped: 1, delivered: 1 } });
  });

  it('moves to the fail store: the original request, with the reason (OP-26)', async () => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    const start = Date.now();
    bench.endpoint.react = ({ id }) => (id === 'a' ? { status: 500, body: '<error/>' } : 202);
    await bench.put('a', 'b');
    await forwarder({ 'max.delivery.attempts': '2', 'message.processor.failMessagesStore': ' F ' });
    await advance(2500);
    const moved = failed.entries[0]?.message;
    expect(moved).toMatchObject({ id: 'a', body: { bytes: Buffer.from('<order id="a"/>') } });
    expect(moved?.history).toEqual([
      {
        processor: 'P',
        sourceStore: 'S',
        endpoint: 'E',
        cause: 'HTTP status 500',
        status: 500,
        attempts: 2,
        firstAttemptAt: start,
        lastAttemptAt: start + 1000,
      },
    ]);
    expect(bench.lines('info')).toContain(
      'ForwardingService: Message processor [P] failed to forward message 2 times. Moved failed message to fail-messages-store and continue',
    );
    expect(bench.store.done).toEqual(['a', 'b']);
  });

  it.each(['missing', 'failing'])('deactivates when the fail store is %s, and keeps the message', async (how) => {
    const failed = new FakeStore('F');
    failed.fault = () => new StoreError('F', 'full');
    if (how === 'failing') bench.configuration.set('messageStore', 'F', failed);
    bench.endpoint.react = () => refused();
    await bench.put('a');
    const processor = await forwarder({ 'max.delivery.attempts': '1', 'message.processor.failMessagesStore': 'F' });
    await until(() => processor.status().state === 'DEACTIVATED' && bench.store.ids.length === 1);
    expect(errors()).toContain(
      'ForwardingService: Message processor [P] failed to forward message 1 times but failed to store message in fail-messages-store and continue. Hence deactivating message processor.',
    );
    expect(processor.status().state).toBe('DEACTIVATED');
    expect(bench.store.ids).toEqual(['a']);
  });

  it.each(['0', '-1'])('tries for ever with %s attempts', async (attempts) => {
    bench.endpoint.react = ({ attempt }) => (attempt < 30 ? refused() : 202);
    await bench.put('a');
    await forwarder({ 'max.delivery.attempts': attempts });
    await advance(30_000, 1000);
    expect(bench.endpoint.calls).toHaveLength(30);
    expect(bench.store.done).toEqual(['a']);
  });

  it('warns about sequences that are not there', async () => {
    bench.endpoint.react = () => refused();
    await bench.put('a');
    const processor = await forwarder({
      'max.delivery.attempts': '1',
      'message.processor.deactivate.sequence': 'nope',
    });
    await until(() => processor.status().state === 'DEACTIVATED' && bench.store.unsettled === 0);
    expect(bench.lines('warn')).toContain(
      'ForwardingService: Failed to send the message through the fault sequence. Sequence name does not Exist.',
    );
    expect(bench.lines('warn')).toContain(
      'ForwardingService: Failed to send the message through the deactivate sequence. Sequence [nope] does not Exist.',
    );
  });

  it('an unexpected error deactivates with a FATAL line and keeps the message', async () => {
    bench.endpoint.readyAt = () => {
      throw new TypeError('a bug');
    };
    await bench.put('a');
    const processor = await forwarder();
    await until(() => processor.status().state === 'DEACTIVATED' && bench.store.unsettled === 0);
    expect(bench.lines('fatal')).toEqual(['ForwardingService: Deactivating the message processor [P]']);
    expect(processor.status().reason).toBe('a bug');
    expect(bench.store.ids).toEqual(['a']);
  });
});

describe('settling (OP-01, REQ-30, REQ-32)', () => {
  it('tries to settle again, and never sends again', async () => {
    let failures = 2;
    bench.store.fault = (operation) =>
      operation === 'done' && failures-- > 0 ? new StoreError('S', 'no receipt') : undefined;
    await bench.put('a');
    await forwarder();
    await advance(3000);
    expect(bench.endpoint.ids).toEqual(['a']);
    expect(bench.store.done).toEqual(['a']);
    expect(bench.services.ledger.pending).toBe(0);
  });

  it('settles without sending when the message comes again, even at another processor', async () => {
    let broken = true;
    bench.store.fault = (operation) =>
      operation === 'done' && broken ? new StoreError('S', 'connection lost') : undefined;
    await bench.put('a');
    const first = await forwarder({ interval: '60000' });
    await advanceUntil(() => bench.store.ids.length === 1, 'its release');
    expect(bench.services.ledger.pending).toBe(1);
    broken = false;
    await first.stop({ undeploy: false });
    const second = await bench.start(forwarding, {}, { name: 'Q' });
    await until(() => bench.store.done.length === 1);
    expect(bench.endpoint.ids).toEqual(['a']);
    expect(second.status().counters).toMatchObject({ recognised: 1, delivered: 0 });
    expect(bench.services.ledger.pending).toBe(0);
    await bench.put('a');
    await advance(2000);
    expect(bench.endpoint.ids).toEqual(['a', 'a']);
  });

  describe('whose connection to the store is lost', () => {
    const again = /Message a is with its store \[S\] again, whose connection or lease was lost/;
    const backWithItsStore = () => bench.lines('info').filter((line) => again.test(line)).length;

    it('ends the wait for its next attempt within a second, and the message begins anew', async () => {
      bench.endpoint.react = () => refused();
      await bench.put('a');
      const processor = await forwarder({ 'client.retry.interval': '600000', interval: '0' });
      await until(() => bench.endpoint.ids.length === 1);
      bench.endpoint.react = () => 202;
      await settled();
      expect(processor.status().workers[0]).toMatchObject({ activity: 'retry-wait', message: { id: 'a' } });
      bench.store.takeBack();
      await advance(1100);
      expect(bench.endpoint.ids).toEqual(['a', 'a']);
      expect(bench.endpoint.calls.map(({ attempt }) => attempt)).toEqual([1, 1]);
      expect(bench.store.done).toEqual(['a']);
      expect(backWithItsStore()).toBe(1);
      expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { delivered: 1, failed: 1 } });
    });

    it('lets an attempt that is under way end, and makes no other one', async () => {
      const answers: Array<(reaction: Reaction) => void> = [];
      bench.endpoint.react = () => new Promise<Reaction>((resolve) => answers.push(resolve));
      await bench.put('a');
      await forwarder({ 'client.retry.interval': '10', interval: '0', 'max.delivery.attempts': '3' });
      await until(() => answers.length === 1);
      bench.store.takeBack();
      await advance(5000);
      expect(answers).toHaveLength(1);
      answers[0]?.(500);
      await until(() => answers.length === 2);
      expect(bench.endpoint.calls.map(({ attempt }) => attempt)).toEqual([1, 1]);
      answers[1]?.(202);
      await until(() => bench.store.done.length === 1);
    });

    it('ends the wait for a back end that is out of reach', async () => {
      bench.endpoint.react = () => refused();
      await bench.put('a');
      await forwarder({ 'client.retry.interval': '600000', interval: '0', 'x.circuit': 'true' });
      await until(() => bench.endpoint.ids.length === 1);
      await settled();
      bench.store.takeBack();
      await advance(1100);
      expect(backWithItsStore()).toBe(1);
      expect(bench.endpoint.ids).toEqual(['a']);
    });

    it('is no reason to stop for a processor that cannot move the message to the fail store', async () => {
      bench.configuration.set('messageStore', 'F', new FakeStore('F'));
      let answer: (reaction: Reaction) => void = () => undefined;
      bench.endpoint.react = () => new Promise<Reaction>((resolve) => (answer = resolve));
      await bench.put('a');
      const processor = await forwarder({
        'max.delivery.attempts': '1',
        'message.processor.failMessagesStore': 'F',
        interval: '0',
      });
      await until(() => bench.endpoint.ids.length === 1);
      bench.store.takeBack();
      answer(500);
      await until(() => bench.endpoint.ids.length === 2);
      expect(processor.status().state).toBe('ACTIVE');
      expect(backWithItsStore()).toBe(1);
      answer(202);
      await until(() => bench.store.done.length === 1);
    });
  });

  it('does not send a message that another worker has in flight', async () => {
    let release: () => void = () => undefined;
    bench.endpoint.react = () => new Promise<Reaction>((resolve) => (release = () => resolve(202)));
    await bench.put('a');
    const processor = await forwarder({ 'member.count': '2' });
    await settled();
    const twin = bench.store.entries.length;
    await bench.put('a');
    await settled();
    expect([twin, bench.endpoint.ids]).toEqual([0, ['a']]);
    release();
    await settled();
    expect(bench.endpoint.ids).toEqual(['a', 'a']);
    release();
    await settled();
    expect(processor.status().counters.delivered).toBe(2);
  });
});

describe('poison messages (REQ-26)', () => {
  const area = () => join(bench.directory, 'dead-letter', 'S');

  it('go to the dead-letter area, and the next one is delivered', async () => {
    bench.store.poison('../bad id', 'raw \u0000 bytes');
    await bench.put('b');
    const processor = await forwarder();
    await until(() => bench.endpoint.ids.length === 1);
    expect(bench.endpoint.ids).toEqual(['b']);
    expect(readdirSync(area()).sort()).toEqual(['%2E.%2Fbad%20id.body', '%2E.%2Fbad%20id.json']);
    expect(readFileSync(join(area(), '%2E.%2Fbad%20id.body'), 'utf8')).toBe('raw \u0000 bytes');
    const about = JSON.parse(readFileSync(join(area(), '%2E.%2Fbad%20id.json'), 'utf8'));
    expect(about).toMatchObject({
      id: '../bad id',
      store: 'S',
      processor: 'P',
      reason: 'not readable',
      headers: [['a', 'b']],
    });
    expect(errors().some((line) => line.includes('../bad id') && line.includes('not readable'))).toBe(true);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { deadLettered: 1, delivered: 1 } });
  });

  it('go to the fail store if there is one', async () => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    bench.store.poison('bad', 'raw');
    await bench.put('b');
    await forwarder({ 'message.processor.failMessagesStore': 'F' });
    await until(() => bench.endpoint.ids.length === 1);
    expect(failed.entries[0]?.message).toMatchObject({
      id: 'bad',
      body: { kind: 'binary', bytes: Buffer.from('raw') },
      history: [{ cause: 'not readable', attempts: 0 }],
    });
    expect(existsSync(area())).toBe(false);
  });

  it('are those too that decode but cannot be restored', async () => {
    await bench.store.put({ ...storedMessage('a'), body: { ...storedMessage('a').body, soapHeader: '<broken' } });
    await bench.put('b');
    await forwarder();
    await advanceUntil(() => bench.endpoint.ids.length === 1);
    expect(bench.endpoint.ids).toEqual(['b']);
    expect(readFileSync(join(area(), 'a.body'), 'utf8')).toBe('<order id="a"/>');
  });
});
