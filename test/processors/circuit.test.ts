import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODES, MediationError } from '../../src/message/errors.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import {
  advance,
  advanceUntil,
  Bench,
  FakeStore,
  fakeTime,
  type Reaction,
  refused,
  sequenceOf,
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

const start = (parameters: Record<string, string> = {}) =>
  bench.start(forwarding, { 'x.circuit': 'true', interval: '0', ...parameters });
const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${String(index).padStart(2, '0')}`);
const broken = (errorCause: string) =>
  new MediationError(errorCause, { code: ERROR_CODES.connectionFailed, errorCause });

describe('x.circuit (OP-25)', () => {
  it('a back end that is down for 10 minutes: no deactivation, nothing in the fail store, order kept', async () => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    bench.endpoint.react = () => refused();
    await bench.put(...ids(20));
    const processor = await start({ 'max.delivery.attempts': '2', 'message.processor.failMessagesStore': 'F' });
    const down = Date.now();
    await advance(600_000, 500);
    expect(new Set(bench.endpoint.ids)).toEqual(new Set(['m00']));
    expect(processor.status()).toMatchObject({
      state: 'CIRCUIT_OPEN',
      since: down,
      reason: 'the back end is out of reach: Connection refused',
      current: { id: 'm00' },
    });
    expect(processor.status().nextActionAt).toBeGreaterThanOrEqual(Date.now());
    expect(bench.endpoint.calls.length).toBeLessThanOrEqual(601);
    // One line says it, not one for every probe.
    expect(bench.lines('warn').filter((line) => line.includes('out of reach'))).toHaveLength(1);
    const calls = bench.endpoint.calls.length;
    bench.endpoint.react = () => 202;
    await advanceUntil(() => bench.store.done.length === 20);
    expect(bench.endpoint.ids.slice(calls)).toEqual(ids(20));
    expect(failed.ids).toEqual([]);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { delivered: 20, moved: 0 } });
    expect(bench.lines('info').some((line) => line.includes('The back end answers again'))).toBe(true);
  });

  it.each<[string, Reaction, 'opens' | 'counts']>([
    ['a refused connection', broken('refused'), 'opens'],
    ['an unknown host', broken('dns'), 'opens'],
    ['a broken TLS handshake', broken('tls'), 'opens'],
    ['no connection in time', broken('connect-timeout'), 'opens'],
    ['no answer in time', broken('read-timeout'), 'opens'],
    ['a group whose children are all down', new MediationError('none', { code: 303000, cause: refused() }), 'opens'],
    ['502', 502, 'opens'],
    ['503', 503, 'opens'],
    ['504', 504, 'opens'],
    ['429 with Retry-After', { status: 429, headers: [['Retry-After', '1']] }, 'opens'],
    ['500 with Retry-After', { status: 500, headers: [['Retry-After', '1']] }, 'opens'],
    ['429', 429, 'counts'],
    ['400', 400, 'counts'],
    ['404', 404, 'counts'],
    ['500', 500, 'counts'],
    ['a connection that ends in the middle', broken('closed-waiting'), 'counts'],
    ['an answer that is no HTTP', broken('protocol'), 'counts'],
    ['an error of nobody knows whom', new Error('what'), 'counts'],
  ])('%s', async (_what, reaction, effect) => {
    bench.endpoint.react = () => reaction;
    await bench.put('a');
    const processor = await start({ 'max.delivery.attempts': '1' });
    await advanceUntil(() => processor.status().counters.failed > 0);
    await advance(200);
    expect(processor.status().state).toBe(effect === 'opens' ? 'CIRCUIT_OPEN' : 'DEACTIVATED');
  });

  it('without it, all of them count, as in the reference', async () => {
    bench.endpoint.react = () => 503;
    await bench.put('a');
    const processor = await bench.start(forwarding, {});
    await advance(3500);
    expect(processor.status()).toMatchObject({ state: 'DEACTIVATED', reason: expect.stringMatching(/^4 failed/) });
  });

  it('a bad message behind the outage is found by its own attempts; the back end sees every attempt counted', async () => {
    const seen: number[] = [];
    bench.endpoint.react = ({ attempt }) => {
      seen.push(attempt);
      return attempt <= 3 ? 503 : 400;
    };
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    await bench.put('a');
    await start({ 'max.delivery.attempts': '2', 'message.processor.failMessagesStore': 'F' });
    await advanceUntil(() => failed.ids.length === 1);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(failed.entries[0]?.message?.history).toMatchObject([{ attempts: 5, status: 400 }]);
  });

  it('runs the fault sequence for every attempt that failed (REQ-20)', async () => {
    let faults = 0;
    bench.configuration.set(
      'sequence',
      'fault',
      sequenceOf('fault', () => {
        faults += 1;
      }),
    );
    bench.endpoint.react = ({ attempt }) => (attempt < 4 ? refused() : 202);
    await bench.put('a');
    await start({ 'message.processor.fault.sequence': 'fault' });
    await advanceUntil(() => bench.store.done.length === 1);
    expect(faults).toBe(3);
  });

  it('half open, one of all workers tries, and then all of them go on', async () => {
    bench.endpoint.react = () => refused();
    await bench.put(...ids(12));
    const processor = await start({ 'x.concurrency': '4', 'client.retry.interval': '1000' });
    await advance(100);
    expect(bench.endpoint.calls).toHaveLength(4);
    await advance(5000, 100);
    expect(bench.endpoint.calls.length).toBeLessThanOrEqual(9);
    let answer: (status: number) => void = () => undefined;
    bench.endpoint.react = () => new Promise<number>((resolve) => (answer = resolve));
    const calls = bench.endpoint.calls.length;
    await advance(5000, 100);
    expect(bench.endpoint.calls).toHaveLength(calls + 1);
    bench.endpoint.react = () => 202;
    answer(202);
    await until(() => bench.store.done.length === 12);
    expect(processor.status().state).toBe('ACTIVE');
  });

  it('waits as long as Retry-After asks for, seconds or a date, but not for ever (OP-28)', async () => {
    const headers = [
      ['Retry-After', '7'],
      ['Retry-After', () => new Date(Date.now() + 9000).toUTCString()],
      ['Retry-After', '999999'],
    ] as const;
    bench.endpoint.react = ({ attempt }): Reaction => {
      const [name, value] = headers[attempt - 1] ?? [];
      if (name === undefined || value === undefined) return 202;
      return { status: 503, headers: [[name, typeof value === 'string' ? value : value()]] };
    };
    await bench.put('a');
    await start();
    await advanceUntil(() => bench.store.done.length === 1, 'the delivery', 700_000);
    const at = bench.endpoint.calls.map((call) => call.at);
    const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(waits[0]).toBeGreaterThanOrEqual(7000);
    expect(waits[0]).toBeLessThan(7500);
    // HTTP dates have whole seconds.
    expect(waits[1]).toBeGreaterThan(7500);
    expect(waits[1]).toBeLessThan(9500);
    expect(waits[2]).toBeGreaterThanOrEqual(300_000);
    expect(waits[2]).toBeLessThan(301_000);
  });

  it('is interrupted by a deactivation, and the message goes back (OP-22)', async () => {
    bench.endpoint.react = () => ({ status: 503, headers: [['Retry-After', '250']] });
    await bench.put('a');
    const processor = await start();
    await advanceUntil(() => processor.status().state === 'CIRCUIT_OPEN');
    await processor.deactivate('operator');
    await until(() => bench.store.ids.length === 1);
    expect(processor.status()).toMatchObject({ state: 'PAUSED' });
    expect(bench.endpoint.calls).toHaveLength(1);
  });

  it('burns nothing on an endpoint that is suspended meanwhile, and stays open', async () => {
    bench.endpoint.react = ({ attempt }) => {
      if (attempt > 1) return 202;
      bench.endpoint.suspendedUntil = Date.now() + 30_000;
      return refused();
    };
    await bench.put('a');
    const processor = await start({ 'max.delivery.attempts': '1' });
    await advance(20_000, 200);
    expect(processor.status().state).toBe('CIRCUIT_OPEN');
    expect(bench.endpoint.calls).toHaveLength(1);
    await advanceUntil(() => bench.store.done.length === 1);
  });
});

describe('x.backoff (OP-28, REQ-57)', () => {
  const waits = () => bench.endpoint.calls.slice(1).map(({ at }, index) => at - (bench.endpoint.calls[index]?.at ?? 0));

  it.each(['true', 'false'])('grows to its bound and begins anew after a delivery, x.circuit=%s', async (circuit) => {
    bench.endpoint.react = ({ attempt }) => (attempt < 7 ? refused() : 202);
    await bench.put('a', 'b');
    await start({
      'x.circuit': circuit,
      'max.delivery.attempts': '-1',
      'x.backoff.initial': '100',
      'x.backoff.factor': '3',
      'x.backoff.max': '2000',
      'x.backoff.jitter': '0',
    });
    await advanceUntil(() => bench.store.done.length === 2);
    const measured = waits();
    for (const [index, expected] of [100, 300, 900, 2000, 2000, 2000, 0, 100, 300].entries()) {
      expect(measured[index]).toBeGreaterThanOrEqual(expected);
      expect(measured[index]).toBeLessThan(expected + 100);
    }
  });

  it('honours Retry-After within its bound, which the reference does not', async () => {
    bench.endpoint.react = ({ attempt }) =>
      attempt < 3 ? { status: 503, headers: [['Retry-After', attempt === 1 ? '5' : '60']] } : 202;
    await bench.put('a');
    await start({ 'x.circuit': 'false', 'x.backoff.max': '20000', 'x.backoff.initial': '10', 'x.backoff.jitter': '0' });
    await advanceUntil(() => bench.store.done.length === 1);
    expect(waits().map((ms) => Math.round(ms / 1000))).toEqual([5, 20]);
  });

  it('without it a Retry-After changes nothing', async () => {
    bench.endpoint.react = ({ attempt }) => (attempt < 2 ? { status: 503, headers: [['Retry-After', '50']] } : 202);
    await bench.put('a');
    await bench.start(forwarding, {});
    await advance(1500);
    expect(bench.store.done).toEqual(['a']);
  });
});

describe('three outcomes (OP-27)', () => {
  const deliver = async (parameters: Record<string, string>) => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    const statuses = Array.from({ length: 500 }, (_, index) => index + 100);
    bench.endpoint.react = ({ id }) => Number(id);
    await bench.put(...statuses.map(String));
    const processor = await bench.start(forwarding, {
      interval: '0',
      'client.retry.interval': '0',
      'max.delivery.attempts': '2',
      'message.processor.failMessagesStore': 'F',
      ...parameters,
    });
    await advanceUntil(() => bench.store.done.length === 500, 'the end');
    const calls = new Map<number, number>();
    for (const { id } of bench.endpoint.calls) calls.set(Number(id), (calls.get(Number(id)) ?? 0) + 1);
    const failures = new Set(failed.ids.map(Number));
    const outcome = (status: number) =>
      !failures.has(status) ? 'delivered' : calls.get(status) === 1 ? 'dead' : 'retried';
    return { processor, outcome, statuses };
  };

  it('the more exact list wins, over all statuses', async () => {
    const { outcome, statuses } = await deliver({
      'x.dead.status.codes': '4xx, 501, 299',
      'x.retry.status.codes': '408, 429, 202',
      'non.retry.status.codes': '404, 5xx',
    });
    const expected = (status: number) => {
      if ([408, 429, 202].includes(status)) return 'retried';
      if (status === 501 || status === 299) return 'dead';
      if (status === 404 || (status >= 200 && status < 300)) return 'delivered';
      if (status >= 400 && status < 500) return 'dead';
      return status >= 500 ? 'delivered' : 'retried';
    };
    const wrong = statuses.filter((status) => outcome(status) !== expected(status));
    expect(wrong).toEqual([]);
  });

  it('of equals the one wins that gives up less', async () => {
    const { outcome } = await deliver({
      'x.dead.status.codes': '409,410,5xx',
      'x.retry.status.codes': '409,5xx',
      'non.retry.status.codes': '410,5xx',
    });
    expect([409, 410, 555].map(outcome)).toEqual(['retried', 'dead', 'retried']);
  });

  it('a dead message runs the fault sequence once, carries its reason, and holds nobody up', async () => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    let faults = 0;
    bench.configuration.set(
      'sequence',
      'fault',
      sequenceOf('fault', () => {
        faults += 1;
      }),
    );
    bench.endpoint.react = ({ id }) => (id === 'a' ? 422 : 202);
    await bench.put('a', 'b');
    await bench.start(forwarding, {
      interval: '0',
      'client.retry.interval': '60000',
      'x.dead.status.codes': '422',
      'message.processor.failMessagesStore': 'F',
      'message.processor.fault.sequence': 'fault',
    });
    await until(() => bench.store.done.length === 2);
    expect(faults).toBe(1);
    expect(failed.entries[0]?.message?.history).toMatchObject([{ cause: 'HTTP status 422', status: 422, attempts: 1 }]);
  });

  it('without a fail store a dead message is put aside; the processor goes on', async () => {
    bench.endpoint.react = ({ id }) => (id === 'a' ? 422 : 202);
    await bench.put('a', 'b');
    const processor = await bench.start(forwarding, { interval: '0', 'x.dead.status.codes': '4xx' });
    await until(() => bench.store.done.length === 2);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { deadLettered: 1, delivered: 1 } });
  });

  it('a dead answer suspends no endpoint: the back end has done its work', async () => {
    bench.endpoint.react = () => 422;
    await bench.put('a');
    await bench.start(forwarding, { 'x.dead.status.codes': '422' });
    await until(() => bench.store.done.length === 1);
    const { failsWith } = bench.endpoint.calls[0]?.options ?? {};
    expect([422, 503].map((status) => failsWith?.(status))).toEqual([false, true]);
  });

  it('a dead status is dead with x.circuit too, even 503', async () => {
    bench.endpoint.react = () => 503;
    await bench.put('a');
    const processor = await start({ 'x.dead.status.codes': '503' });
    await until(() => processor.status().counters.deadLettered === 1);
    expect(processor.status().state).toBe('ACTIVE');
  });
});

describe('the fail store takes messages of every kind of failure (OP-26)', () => {
  const soapFault =
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Server</faultcode><faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>';

  it.each<[string, Reaction, Record<string, string>, string | RegExp]>([
    ['no connection', refused(), {}, 'Connection refused'],
    ['no answer in time', broken('read-timeout'), {}, 'read-timeout'],
    ['a broken answer', broken('protocol'), {}, 'protocol'],
    ['a client error', 403, {}, /403/],
    ['a server error', 500, {}, /500/],
    ['a redirection', 302, {}, /302/],
    ['no status', { status: undefined }, {}, /no HTTP status/],
    ['a SOAP fault', { status: 200, body: soapFault }, { FORCE_ERROR_ON_SOAP_FAULT: 'true' }, /SOAP fault/],
    ['a reply sequence that fails', { status: 200, body: '<ok/>' }, { OUT_ONLY: 'false' }, /reply sequence \[reply\]/],
  ])('%s', async (_what, reaction, properties, cause) => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    bench.configuration.set(
      'sequence',
      'reply',
      sequenceOf('reply', () => {
        throw new MediationError('broken');
      }),
    );
    bench.endpoint.react = ({ id }) => (id === 'a' ? reaction : 202);
    await bench.store.put(storedMessage('a', { OUT_ONLY: 'true', ...properties }));
    await bench.put('b');
    const processor = await bench.start(forwarding, {
      interval: '0',
      'max.delivery.attempts': '2',
      'message.processor.failMessagesStore': 'F',
      'message.processor.reply.sequence': 'reply',
    });
    await advanceUntil(() => bench.store.done.length === 2);
    expect(failed.ids).toEqual(['a']);
    const [record, ...others] = failed.entries[0]?.message?.history ?? [];
    expect(others).toEqual([]);
    expect(record).toMatchObject({ processor: 'P', sourceStore: 'S', endpoint: 'E', attempts: 2 });
    expect(record?.cause).toMatch(cause);
    expect(Buffer.from(failed.entries[0]?.message?.body.bytes ?? []).toString()).toBe('<order id="a"/>');
    expect(processor.status().state).toBe('ACTIVE');
  });
});
