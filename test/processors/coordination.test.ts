import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Grant, LeaseMedium, Refusal } from '../../src/coordination/lease-medium.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import type { ProcessorServices } from '../../src/processors/index.ts';
import { sampling } from '../../src/processors/sampling.ts';
import { advance, Bench, fakeTime, sequenceOf, settled } from './harness.ts';

const CLUSTER = { node: 'a', group: 'default', leaseMs: 15_000 };
const VALID_MS = 12_000;

/** A medium that answers as the test says. */
class ScriptedMedium implements LeaseMedium {
  readonly where = 'the test';
  readonly states = undefined;
  free = true;
  renews = true;
  released: string[] = [];
  asked: string[] = [];
  #lost = new AbortController();

  lose(): void {
    this.#lost.abort();
    this.#lost = new AbortController();
  }

  async acquire(task: string): Promise<Grant | Refusal> {
    this.asked.push(task);
    if (!this.free) return { granted: false, holder: 'b', retryMs: 1_000 };
    return {
      granted: true,
      askedAt: performance.now(),
      validMs: VALID_MS,
      lost: this.#lost.signal,
      renew: async () => {
        if (!this.renews) throw new Error('no answer');
        return true;
      },
      release: async () => void this.released.push(task),
    };
  }
}

describe('a processor in a cluster', () => {
  let bench: Bench;
  let medium: ScriptedMedium;

  beforeEach(() => {
    fakeTime();
    medium = new ScriptedMedium();
  });
  afterEach(() => bench.close());

  function begin(services: Partial<ProcessorServices> = {}): void {
    bench = new Bench({ cluster: CLUSTER, serverName: 'here', ...services });
    Object.assign(bench.store, { leases: () => medium });
  }

  it('delivers while it has its task, and gives it back when it is deactivated', async () => {
    begin();
    await bench.put('m1');
    const processor = await bench.start(forwarding, { interval: '0' });
    await settled();
    expect(bench.endpoint.ids).toEqual(['m1']);
    expect(processor.status().cluster).toEqual({
      node: 'a',
      tasks: [{ task: 'MSMP_P_0', state: 'RUNNING', holder: 'a', here: true, where: 'the test', lastError: undefined }],
    });
    await processor.deactivate('test');
    await settled();
    expect(medium.released).toEqual(['MSMP_P_0']);
    expect(bench.store.openConsumers).toBe(0);
  });

  it('makes a step only while it has its task, and gives it back', async () => {
    begin();
    await bench.put('m1', 'm2');
    const processor = await bench.start(forwarding, { interval: '0', 'is.active': 'false' });
    expect(await processor.step('alice')).toMatchObject({ outcome: 'delivered', messageId: 'm1' });
    expect(medium.released).toEqual(['MSMP_P_0']);
    medium.free = false;
    const step = processor.step('alice');
    await advance(11_000, 100);
    expect(await step).toMatchObject({ outcome: 'none' });
    expect(bench.endpoint.ids).toEqual(['m1']);
    expect(bench.store.openConsumers).toBe(0);
  });

  it('waits without a consumer while another node has the task', async () => {
    begin();
    medium.free = false;
    await bench.put('m1');
    const processor = await bench.start(forwarding, { interval: '0' });
    await advance(5_000, 100);
    expect(bench.endpoint.ids).toEqual([]);
    expect(bench.store.consumersMade).toBe(0);
    expect(processor.status()).toMatchObject({
      state: 'ACTIVE',
      workers: [{ activity: 'waiting-lease' }],
      cluster: { tasks: [{ state: 'RUNNING', holder: 'b', here: false }] },
    });
    medium.free = true;
    await advance(1_100, 100);
    expect(bench.endpoint.ids).toEqual(['m1']);
  });

  it('has one task for each member, shared by the workers of a member', async () => {
    begin();
    bench.endpoint.react = () => new Promise(() => undefined);
    await bench.put('m1', 'm2', 'm3', 'm4', 'm5');
    await bench.start(forwarding, { interval: '0', 'member.count': '2', 'x.concurrency': '2' });
    await settled();
    expect(medium.asked).toEqual(['MSMP_P_0', 'MSMP_P_1']);
    expect(bench.endpoint.inFlight).toBe(4);
  });

  it('stops, and cuts off what is in flight, when the lease cannot be renewed', async () => {
    begin();
    medium.renews = false;
    await bench.put('m1');
    bench.endpoint.react = () => new Promise(() => undefined);
    await bench.start(forwarding, { interval: '0' });
    await advance(VALID_MS - 500, 100);
    expect(bench.endpoint.inFlight).toBe(1);
    medium.free = false;
    await advance(600, 100);
    expect(bench.endpoint.inFlight).toBe(0);
    expect(bench.store.ids).toEqual(['m1']);
    expect(bench.store.openConsumers).toBe(0);
    expect(bench.lines('warn').join()).toContain('This node [a] has lost the task [MSMP_P_0] and stops it: no answer');
  });

  it('delivers nothing with what it received before it was stopped for longer than the lease', async () => {
    begin();
    await bench.start(forwarding, { interval: '0' });
    await settled();
    medium.free = false;
    // As after SIGCONT: the clock has gone on, no timer has fired yet, and then a message comes in.
    const now = performance.now.bind(performance);
    performance.now = () => now() + 60_000;
    try {
      await bench.put('m1');
      await settled();
    } finally {
      performance.now = now;
    }
    expect(bench.endpoint.ids).toEqual([]);
    expect(bench.store.ids).toEqual(['m1']);
    expect(bench.store.openConsumers).toBe(0);
  });

  it('makes no further attempt under a lease that expired meanwhile', async () => {
    begin();
    const now = performance.now.bind(performance);
    bench.endpoint.react = () => {
      performance.now = () => now() + 60_000;
      medium.free = false;
      return 500;
    };
    await bench.put('m1');
    await bench.start(forwarding, { interval: '0', 'client.retry.interval': '10' });
    try {
      await advance(200);
    } finally {
      performance.now = now;
    }
    expect(bench.endpoint.calls).toHaveLength(1);
    expect(bench.store.ids).toEqual(['m1']);
  });

  it('does not lose what it has acknowledged before', async () => {
    begin();
    const seen: string[] = [];
    bench.configuration.set(
      'sequence',
      'seq',
      sequenceOf('seq', ({ messageId }) => void seen.push(messageId)),
    );
    bench.store.fault = () => {
      // Between the acknowledgement and the delivery.
      medium.lose();
      return undefined;
    };
    await bench.start(sampling, { sequence: 'seq', interval: '0', 'ack.mode': 'before' });
    await bench.store.put((await import('./harness.ts')).storedMessage('m1'));
    await settled();
    expect(seen).toEqual(['m1']);
  });

  it('works as ever on a store that no other node can have', async () => {
    bench = new Bench({ cluster: CLUSTER });
    await bench.put('m1');
    const processor = await bench.start(forwarding, { interval: '0' });
    await settled();
    expect(bench.endpoint.ids).toEqual(['m1']);
    expect(processor.status().cluster?.tasks).toMatchObject([{ state: 'LOCAL', here: true }]);
  });

  it('asks nobody when the server belongs to no cluster', async () => {
    begin({ cluster: undefined });
    await bench.put('m1');
    const processor = await bench.start(forwarding, { interval: '0' });
    await settled();
    expect([bench.endpoint.ids, medium.asked, processor.status().cluster]).toEqual([['m1'], [], undefined]);
  });
});

describe('a processor that is pinned to servers', () => {
  let bench: Bench;
  beforeEach(() => {
    fakeTime();
    bench = new Bench({ serverName: 'here' });
  });
  afterEach(() => bench.close());

  it('works on those', async () => {
    await bench.put('m1');
    await bench.start(forwarding, { interval: '0', pinnedServers: 'there, here' });
    await settled();
    expect(bench.endpoint.ids).toEqual(['m1']);
  });

  it('does not work on others, and cannot be activated there', async () => {
    await bench.put('m1');
    const processor = await bench.start(forwarding, { interval: '0', pinnedServers: 'there' });
    await settled();
    const reason = "it is pinned to the servers 'there', and this is 'here'";
    expect(processor.status()).toMatchObject({ state: 'PAUSED', reason });
    expect(await processor.activate('test')).toBe('PAUSED');
    await settled();
    expect(bench.endpoint.ids).toEqual([]);
    expect(bench.lines('error').join()).toContain(`[P] cannot be activated here: ${reason}`);
  });
});
