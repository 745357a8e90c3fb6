import { describe, expect, it } from 'vitest';
import { FlowTracker, runFlow } from '../../src/mediation/flow.ts';
import { FakeExchange, message } from './harness.ts';

describe('the flows without a client', () => {
  it('are waited for, also those that begin meanwhile', async () => {
    const flows = new FlowTracker();
    const ends: Array<() => void> = [];
    const begin = () => flows.track(new Promise<void>((resolve) => ends.push(resolve)));
    begin();
    let idle = false;
    const waiting = flows.idle(60_000).then((reached) => {
      idle = true;
      return reached;
    });
    begin();
    ends[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(idle).toBe(false);
    ends[1]?.();
    expect(await waiting).toBe(true);
    expect(flows.size).toBe(0);
  });

  it('are given up at the deadline', async () => {
    const flows = new FlowTracker();
    flows.track(new Promise(() => {}));
    expect(await flows.idle(20)).toBe(false);
    expect(flows.size).toBe(1);
  });

  it('that end with an error, against the rule, do not end the process', async () => {
    const flows = new FlowTracker();
    flows.track(Promise.reject(new Error('a mistake of ours')));
    expect(await flows.idle(1000)).toBe(true);
  });

  it('are idle when there is none', async () => {
    expect(await new FlowTracker().idle(0)).toBe(true);
  });
});

it('a part of a flow that waits for nothing costs no promise', () => {
  expect(runFlow(message({}), () => true)).toBeUndefined();
  expect(runFlow(message({}), async () => true)).toBeInstanceOf(Promise);
});

it('a part of a flow that fails, at once or later, runs the fault stack and does not reject', async () => {
  for (const part of [
    () => {
      throw new Error('at once');
    },
    async () => {
      throw new Error('later');
    },
  ]) {
    const exchange = new FakeExchange();
    await runFlow(message({ exchange }), part);
    expect(exchange.failures).toHaveLength(1);
  }
});
