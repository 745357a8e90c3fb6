import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TaskStates, Wanted } from '../../src/coordination/lease-medium.ts';
import { SharedState } from '../../src/coordination/shared-state.ts';

class Table implements TaskStates {
  wanted: Wanted | undefined;
  broken = false;
  /** Who reads waits for this. */
  gate: Promise<void> = Promise.resolve();
  readonly written: string[] = [];

  async read(): Promise<Wanted | undefined> {
    if (this.broken) throw new Error('broken');
    const seen = this.wanted;
    await this.gate;
    return seen;
  }

  async write(tasks: readonly string[], wanted: Wanted): Promise<void> {
    if (this.broken) throw new Error('broken');
    this.written.push(`${tasks.join('+')} ${wanted}`);
    this.wanted = wanted;
  }

  async remove(): Promise<void> {
    if (this.broken) throw new Error('broken');
    this.wanted = undefined;
  }
}

class Processor {
  state: Wanted;
  readonly shared: SharedState;

  constructor(table: Table | undefined, state: Wanted) {
    this.state = state;
    this.shared = new SharedState({
      tasks: ['MSMP_P_0', 'MSMP_P_1'],
      states: () => table,
      current: () => this.state,
      apply: async (wanted) => {
        this.state = wanted;
      },
    });
    this.shared.start();
  }

  decide(wanted: Wanted): void {
    this.state = wanted;
    this.shared.announce(wanted);
  }
}

describe('the state of a processor on all nodes', () => {
  let table: Table;
  beforeEach(() => {
    vi.useFakeTimers();
    table = new Table();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is what the first node has, when nobody has said anything yet', async () => {
    const first = new Processor(table, 'inactive');
    await vi.advanceTimersByTimeAsync(10);
    const second = new Processor(table, 'active');
    await vi.advanceTimersByTimeAsync(10);
    expect([table.wanted, second.state]).toEqual(['inactive', 'inactive']);
    expect(table.written).toEqual(['MSMP_P_0+MSMP_P_1 inactive']);
    await Promise.all([first, second].map(({ shared }) => shared.stop({ undeploy: false })));
  });

  it('is what was decided last, on whatever node, within two seconds', async () => {
    const nodes = [new Processor(table, 'active'), new Processor(table, 'active')] as const;
    await vi.advanceTimersByTimeAsync(500);
    nodes[1].decide('inactive');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(nodes.map(({ state }) => state)).toEqual(['inactive', 'inactive']);
    nodes[0].decide('active');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(nodes.map(({ state }) => state)).toEqual(['active', 'active']);
    await Promise.all(nodes.map(({ shared }) => shared.stop({ undeploy: false })));
  });

  it('is told when the medium can be reached again', async () => {
    const nodes = [new Processor(table, 'active'), new Processor(table, 'active')] as const;
    await vi.advanceTimersByTimeAsync(500);
    table.broken = true;
    nodes[0].decide('inactive');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(nodes.map(({ state }) => state)).toEqual(['inactive', 'active']);
    table.broken = false;
    await vi.advanceTimersByTimeAsync(4_000);
    expect(nodes.map(({ state }) => state)).toEqual(['inactive', 'inactive']);
    await Promise.all(nodes.map(({ shared }) => shared.stop({ undeploy: false })));
  });

  it('is not undone by what was read before it was decided', async () => {
    const node = new Processor(table, 'active');
    await vi.advanceTimersByTimeAsync(100);
    table.wanted = 'active';
    const gate = Promise.withResolvers<void>();
    table.gate = gate.promise;
    await vi.advanceTimersByTimeAsync(2_000);
    node.decide('inactive');
    gate.resolve();
    await vi.advanceTimersByTimeAsync(2_100);
    expect([node.state, table.wanted]).toEqual(['inactive', 'inactive']);
    await node.shared.stop({ undeploy: false });
  });

  it('is told before the node goes, and gone with the artifact', async () => {
    const node = new Processor(table, 'active');
    await vi.advanceTimersByTimeAsync(100);
    node.decide('inactive');
    await node.shared.stop({ undeploy: false });
    expect(table.wanted).toBe('inactive');
    await new Processor(table, 'active').shared.stop({ undeploy: true });
    expect(table.wanted).toBeUndefined();
  });

  it('is everybody’s own where the medium keeps none', async () => {
    const node = new Processor(undefined, 'active');
    node.decide('inactive');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(node.state).toBe('inactive');
    await node.shared.stop({ undeploy: true });
  });
});
