import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/endpoints/endpoint.ts';
import { MediationError } from '../../src/message/errors.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import { sampling } from '../../src/processors/sampling.ts';
import type { HttpRequest } from '../../src/transport/http-sender.ts';
import { endpoint, FakeSender, response } from '../mediation/harness.ts';
import { advance, advanceUntil, Bench, fakeTime, refused, sequenceOf, storedMessage } from './harness.ts';

/* Groups of endpoints as the target of a message processor (REQ-16): a message is delivered when any child took it. */

let bench: Bench;
let sender: FakeSender;
let down: Set<string>;
/** Statuses by host; else 202. */
let statuses: Record<string, number>;

const SUSPENSION = '<suspendOnFailure><initialDuration>2000</initialDuration></suspendOnFailure>';
const child = (name: string) =>
  `<endpoint name="${name}"><address uri="http://${name}/s">${SUSPENSION}</address></endpoint>`;
const AB = child('a') + child('b');

beforeEach(() => {
  fakeTime();
  bench = new Bench();
  sender = new FakeSender();
  down = new Set();
  statuses = {};
  sender.answer = (request) => {
    const host = hostOf(request);
    if (down.has(host)) throw refused();
    return response(statuses[host] ?? 202, '');
  };
  Object.assign(bench.configuration.services, { http: sender, globalTimeoutMs: 5000 });
});

afterEach(async () => {
  await bench.close();
});

function hostOf({ url }: HttpRequest): string {
  return new URL(url).hostname;
}

const hosts = () => sender.requests.map(hostOf).join('');
const group = (xml: string): Endpoint => endpoint(`<endpoint name="E">${xml}</endpoint>`);

async function start(target: Endpoint, parameters: Record<string, string> = {}) {
  bench.configuration.set('endpoint', 'E', target);
  return bench.start(forwarding, { interval: '10', 'client.retry.interval': '500', ...parameters });
}

const delivered = (count: number) => advanceUntil(() => bench.store.done.length === count, `${count} deliveries`);

describe('a forwarding processor with a group as its target', () => {
  it('takes a message for delivered in one attempt when any child of a failover group takes it', async () => {
    down.add('a');
    const processor = await start(group(`<failover>${AB}</failover>`));
    await bench.put('m1', 'm2');
    await delivered(2);
    expect(hosts()).toBe('abb');
    expect(processor.status().counters).toMatchObject({ delivered: 2, failed: 0, retried: 0 });
    const attempts = sender.requests.map(({ headers }) => headers.find(([name]) => name === 'X-Delivery-Attempt')?.[1]);
    expect(attempts).toEqual(['1', '1', '1']);
    expect(bench.lines('error')).toEqual([]);
  });

  it('goes on to the next child after a status that fails an attempt, too', async () => {
    statuses.a = 503;
    const processor = await start(group(`<failover>${AB}</failover>`));
    await bench.put('m1');
    await delivered(1);
    expect(hosts()).toBe('ab');
    expect(processor.status().counters).toMatchObject({ delivered: 1, failed: 0 });
  });

  it('counts one failed attempt when no child took it, and waits for the first child without burning attempts', async () => {
    down.add('a').add('b');
    const processor = await start(group(`<failover>${AB}</failover>`), { 'max.delivery.attempts': '2' });
    await bench.put('m1');
    await advance(1500);
    expect(hosts()).toBe('ab');
    expect(processor.status().counters).toMatchObject({ delivered: 0, failed: 1 });
    expect(processor.status().state).toBe('ACTIVE');
    down.delete('b');
    await delivered(1);
    expect(hosts().slice(2)).toMatch(/^a?b$/);
    expect(processor.status().counters).toMatchObject({ delivered: 1, failed: 1 });
  });

  it('gives the message as it was stored to every child', async () => {
    down.add('a');
    const mark = '<property name="X-Of-A" value="1" scope="transport"/>';
    await start(group(`<failover>${child('a').replace('</endpoint>', `${mark}</endpoint>`)}${child('b')}</failover>`));
    await bench.put('m1');
    await delivered(1);
    const [first, second] = sender.requests;
    expect(first?.headers).toContainEqual(['X-Of-A', '1']);
    expect(second?.headers.some(([name]) => name === 'X-Of-A')).toBe(false);
    expect(Buffer.from(second?.body ?? []).toString()).toBe('<order id="m1"/>');
  });

  it('spreads messages over the children of a load-balance group', async () => {
    await start(group(`<loadbalance>${AB}${child('c')}</loadbalance>`));
    await bench.put('m1', 'm2', 'm3', 'm4');
    await delivered(4);
    expect(hosts()).toBe('abca');
  });

  it('waits for all recipients of a list, and is content with one that took the message', async () => {
    down.add('b');
    await start(group(`<recipientlist>${AB}${child('c')}</recipientlist>`));
    await bench.put('m1');
    await delivered(1);
    expect(hosts()).toBe('abc');
    expect(bench.lines('warn')).toContain(
      'RecipientListEndpoint: Endpoint [E] Detect a Failure in a child endpoint : Endpoint [b]',
    );
  });

  it('moves on through the terminal action when nobody ever takes it', async () => {
    down.add('a').add('b');
    const options = { 'max.delivery.attempts': '1', 'max.delivery.drop': 'Enabled' };
    const processor = await start(group(`<failover>${AB}</failover>`), options);
    await bench.put('m1');
    await advanceUntil(() => processor.status().counters.dropped === 1, 'the drop');
    expect(hosts()).toBe('ab');
  });

  it('finds the endpoint behind a key, and waits while there is none', async () => {
    const processor = await start(group(`<failover><endpoint key="Late"/></failover>`), {
      'max.delivery.attempts': '1',
    });
    await bench.put('m1');
    await advance(3000);
    expect(processor.status()).toMatchObject({ state: 'ACTIVE', counters: { delivered: 0, failed: 0 } });
    bench.configuration.set('endpoint', 'Late', endpoint(child('a')));
    await delivered(1);
    expect(hosts()).toBe('a');
  });

  it('takes a message whose endpoint cannot be told for a failed attempt, not for a broken processor', async () => {
    const options = { 'max.delivery.attempts': '1', 'max.delivery.drop': 'Enabled' };
    const target = group('<failover><endpoint key="{//broken}"/></failover>');
    const processor = await start(target, options);
    await bench.store.put(storedMessage('bad', { OUT_ONLY: 'true' }, '<broken'));
    await advanceUntil(() => processor.status().counters.dropped === 1, 'the drop');
    expect(processor.status().state).toBe('ACTIVE');
    expect(hosts()).toBe('');
  });

  it('cuts off a child, and does not try another one, when it is stopped for good', async () => {
    const stopping = Promise.withResolvers<void>();
    sender.answer = ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(new MediationError('Send aborted', { code: 101509 })));
        stopping.resolve();
      });
    const processor = await start(group(`<failover>${AB}</failover>`));
    await bench.put('m1');
    let asked = false;
    void stopping.promise.then(() => {
      asked = true;
    });
    await advanceUntil(() => asked, 'the send');
    let stopped = false;
    void processor.stop({ undeploy: false }).then(() => {
      stopped = true;
    });
    await advanceUntil(() => stopped, 'the stop');
    expect(hosts()).toBe('a');
    expect(bench.store.ids).toEqual(['m1']);
  });
});

describe('a sampling processor', () => {
  it('sends through a group as any sequence does', async () => {
    down.add('a');
    const target = group(`<failover>${AB}</failover>`);
    const outcomes: unknown[] = [];
    bench.configuration.set(
      'sequence',
      'Send',
      sequenceOf('Send', async (message) => {
        outcomes.push(String((await target.send(message)).axis2.get('HTTP_SC')));
      }),
    );
    await bench.start(sampling, { interval: '10', sequence: 'Send' }, { targetEndpoint: undefined });
    await bench.put('m1');
    await advanceUntil(() => outcomes.length === 1, 'the send');
    expect(outcomes).toEqual(['202']);
    expect(hosts()).toBe('ab');
  });
});
