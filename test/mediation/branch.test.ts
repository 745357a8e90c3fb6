import { describe, expect, it } from 'vitest';
import { Branch } from '../../src/mediation/branch.ts';
import { FlowTracker } from '../../src/mediation/flow.ts';
import { MediationError } from '../../src/message/errors.ts';
import { FakeExchange, message } from './harness.ts';

function deferred() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, resolve };
}

async function ended(all: Promise<void>): Promise<boolean> {
  let over = false;
  void all.then(() => {
    over = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return over;
}

describe('a branch', () => {
  it('has ended when its flow and all that it started have', async () => {
    const exchange = new FakeExchange();
    const parent = message({ exchange });
    const branch = new Branch(parent, 'part');
    const copy = parent.copy();
    const [flow, work] = [deferred(), deferred()];
    const { all } = branch.run(copy, () => {
      copy.exchange?.track(work.promise);
      return flow.promise;
    });
    flow.resolve();
    expect(await ended(all)).toBe(false);
    work.resolve();
    expect(await ended(all)).toBe(true);
    expect(exchange.tracked).toEqual([]);
  });

  it('leaves a group to the client where it is a part, and waits for it where it is a branch', async () => {
    for (const role of ['part', 'branch'] as const) {
      const exchange = new FakeExchange();
      const parent = message({ exchange });
      const branch = new Branch(parent, role);
      const copy = parent.copy();
      const group = deferred();
      const { all } = branch.run(copy, () => copy.exchange?.track(group.promise, 'group'));
      expect(await ended(all)).toBe(role === 'part');
      expect(exchange.tracked).toEqual(role === 'part' ? [group.promise] : []);
      group.resolve();
      await all;
    }
  });

  it('hands work to the client that comes when it has ended', async () => {
    const exchange = new FakeExchange();
    const parent = message({ exchange });
    const branch = new Branch(parent, 'part');
    const copy = parent.copy();
    await branch.run(copy, () => {}).all;
    const late = deferred();
    copy.exchange?.track(late.promise);
    expect(exchange.tracked).toEqual([late.promise]);
    late.resolve();
  });

  it('knows why it failed; of a part the client is told', async () => {
    for (const role of ['part', 'branch'] as const) {
      const exchange = new FakeExchange();
      const parent = message({ exchange });
      const branch = new Branch(parent, role);
      await branch.run(parent.copy(), () => {
        throw new MediationError('broken', { code: 7 });
      }).all;
      expect(branch.failure).toMatchObject({ message: 'broken', code: 7 });
      expect(exchange.failures).toHaveLength(role === 'part' ? 1 : 0);
    }
  });

  it('passes answers on', () => {
    const exchange = new FakeExchange();
    const parent = message({ exchange });
    const branch = new Branch(parent, 'branch');
    branch.take();
    branch.respond(parent);
    expect([exchange.taken, exchange.responses, branch.answered]).toEqual([true, [parent], true]);
    expect(new Branch(message(), 'part').answered).toBe(false);
  });
});

describe('what waits for messages', () => {
  function waiting() {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { given: 0, done: promise, giveUp: resolve };
  }

  it('is not work until the server stops; then it is given up, and waited for', async () => {
    const flows = new FlowTracker();
    flows.wait(waiting());
    expect(await flows.idle(1000)).toBe(true);
    flows.endWaiting(10);
    expect(await flows.idle(5000)).toBe(true);
    flows.wait(waiting());
    expect(await flows.idle(5000)).toBe(true);
  });

  it('is forgotten when it has ended by itself', async () => {
    const flows = new FlowTracker();
    const one = { done: new Promise<void>(() => {}), giveUp: () => expect.unreachable() };
    flows.wait(one)();
    flows.endWaiting(0);
    expect(await flows.idle(1000)).toBe(true);
  });
});
