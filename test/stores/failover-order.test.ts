import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { closeLogging } from '../../src/logging/index.ts';
import { FailoverOrder } from '../../src/stores/failover-order.ts';
import type { MessageStore, StoreDepth } from '../../src/stores/message-store.ts';
import { logged } from '../mediation/harness.ts';
import { chance, FailoverSimulation, outOfOrder, turns } from './failover-order-simulation.ts';

beforeEach(() => {
  // Nothing counts as a repetition of what another test has logged.
  closeLogging();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

interface Run {
  readonly seed: number;
  readonly producers: number;
  readonly each: number;
  readonly outages: number;
}

const runs = fc.record({
  seed: fc.nat(),
  producers: fc.integer({ min: 1, max: 5 }),
  each: fc.integer({ min: 1, max: 20 }),
  outages: fc.integer({ min: 0, max: 6 }),
});

async function simulate(
  { seed, producers, each, outages }: Run,
  options: {
    order?: boolean;
    disturbed?: 'first' | 'both';
    prepare?: (simulation: FailoverSimulation) => void;
  } = {},
): Promise<FailoverSimulation> {
  const simulation = new FailoverSimulation(chance(seed), options.order);
  options.prepare?.(simulation);
  const { first, second } = simulation;
  const disturbed = options.disturbed === 'both' ? [first, second] : [first];
  const others = [simulation.move(), simulation.tick()];
  await Promise.all([
    simulation.disturb(disturbed, outages),
    ...Array.from({ length: producers }, (_, index) => simulation.produce(`P${index}`, each)),
  ]);
  await simulation.drained();
  simulation.end();
  await Promise.all(others);
  return simulation;
}

const lost = ({ confirmed, first, second }: FailoverSimulation) =>
  confirmed.filter((text) => !first.messages.includes(text) && !second.messages.includes(text));

describe('x.failover.order', () => {
  it('keeps the order of every producer and loses nothing, whenever the store goes and comes', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const simulation = await simulate(run);
        expect(lost(simulation)).toEqual([]);
        expect(outOfOrder(simulation.first.everything)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('does so with a failover store that cannot count', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const simulation = await simulate(run, {
          prepare: ({ second }) => {
            second.counts = 'not';
          },
        });
        expect(lost(simulation)).toEqual([]);
        expect(outOfOrder(simulation.first.everything)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('has an end to the detour where nobody can count, whoever moves the messages', async () => {
    const estimates = fc.record({
      counts: fc.constantFrom('not' as const, 'too high' as const),
      movedElsewhere: fc.boolean(),
      ghosts: fc.integer({ min: 0, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(runs, estimates, async (run, { counts, movedElsewhere, ghosts }) => {
        const simulation = await simulate(run, {
          prepare: (prepared) => {
            prepared.second.counts = counts;
            prepared.movedElsewhere = movedElsewhere;
          },
        });
        const { first, second } = simulation;
        // What has left the failover store without a word.
        for (let ghost = 0; ghost < ghosts; ghost += 1) {
          first.reachable = false;
          await simulation.send(`G-${ghost}`);
          first.reachable = true;
          first.messages.push(...second.messages.splice(0));
        }
        vi.advanceTimersByTime(30_001);
        await simulation.send('Z-0');
        await simulation.send('Z-1');
        expect(first.messages.slice(-2)).toEqual(['Z-0', 'Z-1']);
        expect(lost(simulation)).toEqual([]);
        if (!movedElsewhere) expect(outOfOrder(first.everything)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['moved at once', false],
    ['moved later', true],
  ])('keeps the order of the next outage, too, when it was given up once: %s', async (_, halted) => {
    const simulation = new FailoverSimulation(chance(11));
    const { first, second } = simulation;
    second.counts = 'not';
    first.reachable = false;
    await simulation.produce('P', 3);
    first.reachable = true;
    vi.advanceTimersByTime(30_001);
    const records = await logged(() => simulation.send('Q-0'));
    expect(records.map(({ message }) => message)).toEqual([
      'Store [first]: the failover store [second] cannot be counted exactly, and nothing was moved from here for 30 s; ' +
        'messages go to the store again, past those that may wait there',
    ]);
    const others = [simulation.move(), simulation.tick()];
    await simulation.drained();
    await simulation.send('Q-1');
    simulation.halted = halted;
    first.reachable = false;
    await simulation.produce('R', 3);
    first.reachable = true;
    // What is overdue is looked at.
    vi.advanceTimersByTime(3_000);
    await simulation.produce('S', 1);
    simulation.halted = false;
    await simulation.drained();
    simulation.end();
    await Promise.all(others);
    // What went into the failover store came first.
    const [last, next] = [first.everything.indexOf('R-2'), first.everything.indexOf('S-0')];
    expect(next).toBeGreaterThan(last);
    expect(lost(simulation)).toEqual([]);
  });

  it('has no end as long as messages are certainly there', async () => {
    const simulation = new FailoverSimulation(chance(12));
    const { first, second } = simulation;
    second.messages.push('P-0');
    for (let minute = 0; minute < 10; minute += 1) {
      await simulation.send(`P-${minute + 1}`);
      vi.advanceTimersByTime(60_000);
    }
    expect(first.messages).toEqual([]);
    expect(second.messages).toHaveLength(11);
  });

  it('does so with a small failover store, which refuses what does not fit', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const simulation = await simulate(run, {
          prepare: ({ second }) => {
            second.maxMessages = 3;
          },
        });
        expect(lost(simulation)).toEqual([]);
        expect(outOfOrder(simulation.first.everything)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('loses nothing and stores everything when both stores go and come', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const simulation = await simulate(run, { disturbed: 'both' });
        expect(lost(simulation)).toEqual([]);
        expect(new Set(simulation.first.messages).size).toBe(run.producers * run.each);
      }),
      { numRuns: 40 },
    );
  });

  it('is not kept without it, which the simulation finds', async () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    let found = 0;
    for (const seed of seeds) {
      const simulation = await simulate({ seed, producers: 3, each: 20, outages: 4 }, { order: false });
      expect(lost(simulation)).toEqual([]);
      found += outOfOrder(simulation.first.everything).length;
    }
    expect(found).toBeGreaterThan(0);
  });

  it.each([
    ['moved here', false, 8],
    ['moved by another node', true, 3],
  ])('goes back to the store under traffic that does not stop: %s', async (_, movedElsewhere, count) => {
    const simulation = new FailoverSimulation(chance(7));
    const { first, second } = simulation;
    simulation.movedElsewhere = movedElsewhere;
    first.reachable = false;
    await simulation.produce('P', 30);
    const others = [simulation.move(), simulation.tick()];
    const sent = { count: 0 };
    let back = false;
    const clients = Array.from({ length: count }, async (_, client) => {
      for (; !back; sent.count += 1) await simulation.send(`Q${client}-${sent.count}`);
    });
    first.reachable = true;
    while (!back) {
      await turns(1);
      // What comes now does not go to the failover store any more.
      const before = sent.count;
      if (second.messages.length > 0) continue;
      while (second.messages.length === 0 && sent.count < before + 50) await turns(1);
      back = second.messages.length === 0;
    }
    await Promise.all(clients);
    simulation.end();
    await Promise.all(others);
    expect(lost(simulation)).toEqual([]);
    expect(outOfOrder(first.everything)).toEqual([]);
  });
});

describe('what waits in the failover store when the runtime starts', () => {
  it('goes first', async () => {
    const simulation = new FailoverSimulation(chance(1));
    const { first, second } = simulation;
    second.messages.push('P-0', 'P-1');
    const records = await logged(() => simulation.send('P-2'));
    expect(second.messages).toEqual(['P-0', 'P-1', 'P-2']);
    expect(records.map(({ message }) => message)).toEqual([
      'Store [first]: messages go to the failover store [second] until that is empty, so that their order is kept',
      'Message [urn:uuid:1] store in the failover message store [second]',
    ]);
    const others = [simulation.move(), simulation.tick()];
    await simulation.drained();
    const later = await logged(() => simulation.send('P-3'));
    simulation.end();
    await Promise.all(others);
    expect(first.everything).toEqual(['P-0', 'P-1', 'P-2', 'P-3']);
    expect(later.map(({ message }) => message)).toEqual([
      'Store [first]: the failover store [second] is empty; messages go to the store again',
    ]);
  });

  it('goes first, too, when the store comes back while it still counts as down', async () => {
    const simulation = new FailoverSimulation(chance(1));
    const { first, second } = simulation;
    second.messages.push('P-0', 'P-1');
    vi.spyOn(first, 'status').mockReturnValue({ state: 'DOWN' });
    await simulation.send('P-2');
    expect(first.messages).toEqual([]);
    expect(second.messages).toEqual(['P-0', 'P-1', 'P-2']);
  });

  it('is noticed to be gone when somebody else has taken it', async () => {
    const simulation = new FailoverSimulation(chance(2));
    const { first, second } = simulation;
    second.messages.push('other', 'others');
    await simulation.send('P-0');
    second.messages.length = 0;
    await simulation.send('P-1');
    expect(second.messages).toEqual(['P-1']);
    second.messages.length = 0;
    vi.advanceTimersByTime(2_001);
    await simulation.send('P-2');
    expect(first.messages).toEqual(['P-2']);
  });

  it('is passed, and that is said, when the failover store is out of reach', async () => {
    const simulation = new FailoverSimulation(chance(3));
    const { first, second } = simulation;
    second.messages.push('P-0');
    await simulation.send('P-1');
    second.reachable = false;
    const records = await logged(async () => {
      await simulation.send('P-2');
      await simulation.send('P-3');
    });
    expect(first.messages).toEqual(['P-2', 'P-3']);
    expect(records.map(({ message }) => message)).toEqual([
      'Store [first]: the failover store [second] is out of reach; messages go to the store, past those that may wait there',
    ]);
    second.reachable = true;
    await simulation.send('P-4');
    expect(second.messages).toEqual(['P-0', 'P-1', 'P-4']);
  });

  it('is passed when the failover store turns out to be gone only when something is put there', async () => {
    const simulation = new FailoverSimulation(chance(4));
    const { first, second } = simulation;
    second.messages.push('P-0');
    await simulation.send('P-1');
    second.reachable = false;
    second.noticed = false;
    const sending = simulation.send('P-2');
    await turns(1);
    second.noticed = true;
    expect(await sending).toBe(true);
    expect(first.messages).toEqual(['P-2']);
  });

  it('is not passed while the failover store is only being opened: the message is refused', async () => {
    const simulation = new FailoverSimulation(chance(5));
    const { first, second } = simulation;
    second.messages.push('P-0');
    vi.spyOn(second, 'status').mockReturnValue({ state: 'CONNECTING' });
    second.reachable = false;
    await simulation.send('P-1');
    expect(simulation.confirmed).not.toContain('P-1');
    expect(first.messages).toEqual([]);
    second.reachable = true;
    vi.mocked(second.status).mockRestore();
    await simulation.send('P-2');
    expect(second.messages).toEqual(['P-0', 'P-2']);
  });

  it('is not passed when the failover store is full: the message is refused', async () => {
    const simulation = new FailoverSimulation(chance(5));
    const { first, second } = simulation;
    second.messages.push('P-0');
    second.maxMessages = 1;
    expect(await simulation.send('P-1')).toBe(false);
    expect(first.messages).toEqual([]);
  });
});

describe('a look at the failover store', () => {
  function pair() {
    const depth = Promise.withResolvers<StoreDepth>();
    const looks = { count: 0 };
    const store = { status: () => ({ state: 'READY' }) } as unknown as MessageStore;
    const failover = {
      status: () => ({ state: 'READY' }),
      depth: () => {
        looks.count += 1;
        return depth.promise;
      },
    } as unknown as MessageStore;
    return { order: new FailoverOrder('first', 'second'), store, failover, depth, looks };
  }

  it('means nothing when a message set out meanwhile, even if it has arrived', async () => {
    const { order, store, failover, depth } = pair();
    const way = order.way(store, failover);
    await order.divert(async () => undefined);
    depth.resolve({ count: 0, estimated: false });
    expect(await way).toBe('failover');
  });

  it('is not begun while one is on its way', async () => {
    const { order, store, failover, depth, looks } = pair();
    const put = Promise.withResolvers<void>();
    const diverted = order.divert(() => put.promise);
    expect(await order.way(store, failover)).toBe('failover');
    expect(looks.count).toBe(0);
    put.resolve();
    await diverted;
    depth.resolve({ count: 0, estimated: false });
    expect(await order.way(store, failover)).toBe('store');
  });

  it('keeps nobody waiting for longer than half a second', async () => {
    const { order, store, failover } = pair();
    const way = order.way(store, failover);
    await vi.advanceTimersByTimeAsync(500);
    expect(await way).toBe('failover');
  });
});
