import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Lease } from '../../src/coordination/lease.ts';
import { LEASE_MS, type Node, World } from './world.ts';

async function stopAll(world: World): Promise<void> {
  const stopping = Promise.all(world.nodes.map((node) => node.stop()));
  for (const node of world.nodes) node.thaw();
  await world.pass(60_000);
  await stopping;
}

function only(nodes: readonly Node[]): Node {
  const [node, ...more] = nodes;
  if (!node || more.length > 0) throw new Error(`${nodes.length} nodes have it`);
  return node;
}

describe('a lease', () => {
  it('is with one of several nodes, and stays there', async () => {
    const world = new World();
    for (const name of ['a', 'b', 'c']) world.add(name).start();
    await world.pass(1_000);
    const holder = only(world.holders());
    await world.pass(10 * LEASE_MS);
    expect(world.holders()).toEqual([holder]);
    expect(world.medium.grants).toBe(1);
    for (const node of world.nodes) {
      expect(node.lease.status()).toMatchObject({ state: 'RUNNING', holder: holder.name, here: node === holder });
    }
    expect(world.problems).toEqual([]);
    await stopAll(world);
  });

  it('goes to another node at once when it is given back', async () => {
    const world = new World();
    const [a, b] = [world.add('a'), world.add('b')];
    a.start();
    await world.pass(100);
    b.start();
    await world.pass(1_000);
    const stopping = a.stop();
    await world.pass(2_500);
    await stopping;
    expect(world.holders()).toEqual([b]);
    expect(a.lease.status()).toMatchObject({ here: false });
    await stopAll(world);
  });

  it('goes to another node within its time when its holder is gone', async () => {
    const world = new World();
    const [a, b] = [world.add('a'), world.add('b')];
    a.start();
    await world.pass(100);
    b.start();
    await world.pass(20_000);
    a.freeze();
    await world.pass(LEASE_MS + 2_100);
    expect(world.holders()).toEqual([b]);
    expect(world.problems).toEqual([]);
    await stopAll(world);
  });

  it('is over for a node that was stopped, from its first look at the clock on', async () => {
    const world = new World();
    const [a, b] = [world.add('a'), world.add('b')];
    a.start();
    await world.pass(100);
    b.start();
    await world.pass(3_000);
    a.freeze();
    await world.pass(2 * LEASE_MS);
    const before = a.delivered.length;
    a.thaw();
    await world.pass(3_000);
    expect(a.delivered.length).toBe(before);
    expect(world.holders()).toEqual([b]);
    expect(world.problems).toEqual([]);
    await stopAll(world);
  });

  it('ends on time when the medium does not answer any more, and comes back with it', async () => {
    const world = new World();
    const a = world.add('a');
    a.start();
    await world.pass(6_000);
    world.medium.reachable = false;
    await world.pass(LEASE_MS);
    expect(world.holders()).toEqual([]);
    expect(a.lease.status()).toMatchObject({ here: false, lastError: 'no answer' });
    const before = a.delivered.length;
    await world.pass(60_000);
    expect(a.delivered.length).toBe(before);
    world.medium.reachable = true;
    await world.pass(3_000);
    expect(world.holders()).toEqual([a]);
    expect(a.tenures).toBe(2);
    expect(world.problems).toEqual([]);
    await stopAll(world);
  });

  it('counts from the question, not from a late answer', async () => {
    const world = new World();
    const a = world.add('a');
    a.start();
    await world.pass(100);
    // Asked after 4 s, done after 7.9 s, answered after 11.8 s: that is good until 16 s, and the medium waits until 22.9 s.
    world.medium.latencyMs = 3_900;
    await world.pass(11_950);
    expect(a.lease.status().here).toBe(true);
    world.medium.reachable = false;
    await world.pass(60_000);
    expect(a.lease.status().here).toBe(false);
    expect(Math.max(...a.delivered)).toBeLessThan(world.medium.expiresAt);
    expect(world.problems).toEqual([]);
    await stopAll(world);
  });

  it('is not asked for again before those who worked under it have stopped', async () => {
    const world = new World();
    const a = world.add('a');
    a.stopsInMs = 20_000;
    a.start();
    await world.pass(1_000);
    world.medium.owner = 'somebody';
    world.medium.token += 1;
    world.medium.expiresAt = 0;
    await world.pass(10_000);
    expect(world.holders()).toEqual([]);
    expect(a.tenures).toBe(1);
    await world.pass(25_000);
    expect(a.tenures).toBe(2);
    await stopAll(world);
  });

  it('is shared by all who want it here, and given back with the last one', async () => {
    const world = new World();
    const medium = world.medium.for(world.add('a'));
    const { lease } = only(world.nodes);
    expect(medium.where).toBe('the world');
    const halts = [new AbortController(), new AbortController()];
    let inside = 0;
    const done = halts.map(({ signal }) =>
      lease.during(signal, async () => {
        inside += 1;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        inside -= 1;
      }),
    );
    await world.pass(1_000);
    expect([inside, world.medium.grants]).toEqual([2, 1]);
    halts[0]?.abort();
    await world.pass(1_000);
    expect([inside, lease.status().here]).toEqual([1, true]);
    halts[1]?.abort();
    await world.pass(1_000);
    await Promise.all(done);
    expect([inside, lease.status().here, world.medium.expiresAt]).toEqual([0, false, 0]);
  });

  it('hands on what the work throws, and is given back', async () => {
    const world = new World();
    const a = world.add('a');
    const failed = a.lease.during(new AbortController().signal, async () => {
      throw new Error('broken');
    });
    const caught = expect(failed).rejects.toThrow('broken');
    await world.pass(1_000);
    await caught;
    expect(world.medium.expiresAt).toBe(0);
  });

  it('is everybody’s own where there are no others', async () => {
    const lease = new Lease({ task: 'MSMP_P_0', node: 'a', medium: () => 'local' });
    const halt = new AbortController();
    let held = false;
    await lease.during(halt.signal, async (tenure) => {
      held = tenure.holds();
      expect(lease.status()).toMatchObject({ state: 'LOCAL', here: true });
      halt.abort();
    });
    expect(held).toBe(true);
  });
});

/** What can happen to nodes and to what lies between them. */
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 9_000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('freeze' as const), node: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('thaw' as const), node: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), node: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unreachable' as const), value: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deaf' as const), value: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('latency' as const), ms: fc.integer({ min: 0, max: 8_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('slow' as const),
      node: fc.nat(2),
      ms: fc.integer({ min: 0, max: 30_000 }),
    }),
  },
);
type Happening = typeof happening extends fc.Arbitrary<infer H> ? H : never;

async function happens(world: World, event: Happening, stopping: Promise<void>[]): Promise<void> {
  const node = 'node' in event ? world.nodes[event.node] : undefined;
  switch (event.kind) {
    case 'time':
      return world.pass(event.ms);
    case 'freeze':
      return node?.freeze();
    case 'thaw':
      node?.thaw();
      return world.check();
    case 'restart':
      if (!node || node.frozen) return;
      stopping.push(node.stop());
      return node.start();
    case 'unreachable':
      world.medium.reachable = !event.value;
      return;
    case 'deaf':
      world.medium.deaf = event.value;
      return;
    case 'latency':
      world.medium.latencyMs = event.ms;
      return;
    case 'slow':
      if (node) node.stopsInMs = event.ms;
  }
}

describe('leases under anything that may happen', () => {
  it('are with one node at a time, which delivers only while the medium keeps it for that node; and somebody has it in the end', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (events) => {
        const world = new World();
        for (const name of ['a', 'b', 'c']) world.add(name).start();
        const stopping: Promise<void>[] = [];
        for (const event of events) await happens(world, event, stopping);
        Object.assign(world.medium, { reachable: true, deaf: false, latencyMs: 5 });
        for (const node of world.nodes) Object.assign(node, { frozen: false, stopsInMs: 50 });
        // The longest stop that may be under way, a lease, and some questions.
        await world.pass(30_000 + 2 * LEASE_MS + 10_000);
        expect(world.problems).toEqual([]);
        expect(world.holders()).toHaveLength(1);
        await stopAll(world);
        await Promise.all(stopping);
        expect(world.problems).toEqual([]);
        expect(world.medium.expiresAt).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('does not keep a worker that has ended while another one wants the task again', async () => {
    const { promise: givenBack, resolve: giveBack } = Promise.withResolvers<void>();
    let release: () => Promise<void> = () => givenBack;
    const lease = new Lease({
      task: 'MSMP_P_0',
      node: 'a',
      medium: () => ({
        where: 'here',
        states: undefined,
        acquire: async () => ({
          granted: true,
          askedAt: performance.now(),
          validMs: 60_000,
          lost: new AbortController().signal,
          renew: async () => true,
          release: () => release(),
        }),
      }),
    });
    const untilHalted =
      (halt: AbortSignal) =>
      async ({ over }: { over: AbortSignal }) => {
        const either = AbortSignal.any([halt, over]);
        if (!either.aborted) await new Promise((resolve) => either.addEventListener('abort', resolve));
      };
    const first = new AbortController();
    let hasEnded = false;
    const ending = lease.during(first.signal, untilHalted(first.signal)).then(() => {
      hasEnded = true;
    });
    await vi.waitFor(() => expect(lease.status().here).toBe(true));
    first.abort();
    await vi.waitFor(() => expect(lease.status().here).toBe(false));
    expect(hasEnded).toBe(false);
    const second = new AbortController();
    const again = lease.during(second.signal, untilHalted(second.signal));
    release = async () => undefined;
    giveBack();
    await vi.waitFor(() => expect(lease.status().here).toBe(true));
    await vi.waitFor(() => expect(hasEnded).toBe(true));
    second.abort();
    await Promise.all([ending, again]);
    expect(lease.status().here).toBe(false);
  });
});
