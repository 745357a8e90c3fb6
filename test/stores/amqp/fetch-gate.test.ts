import { describe, expect, it } from 'vitest';
import { FetchGate } from '../../../src/stores/amqp/fetch-gate.ts';

const FOR_EVER = new AbortController().signal;
const turns = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

/** A fetch that waits for a message until it is interrupted. */
function waiting(gate: FetchGate, log: string[], name: string): Promise<string | undefined> {
  return gate.fetch(FOR_EVER, async (interrupted) => {
    log.push(`${name} begins`);
    await new Promise<void>((resolve) => {
      if (interrupted.aborted) resolve();
      interrupted.addEventListener('abort', () => resolve());
    });
    log.push(`${name} is interrupted`);
    return name;
  });
}

describe('the gate of a queue', () => {
  it('lets consumers fetch together', async () => {
    const gate = new FetchGate();
    let both = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const fetch = () =>
      gate.fetch(FOR_EVER, async () => {
        both += 1;
        if (both === 2) resolve();
        await promise;
      });
    await Promise.all([fetch(), fetch()]);
    expect(both).toBe(2);
  });

  it('a look interrupts those that wait, is alone, and lets them go on', async () => {
    const gate = new FetchGate();
    const log: string[] = [];
    const first = waiting(gate, log, 'one');
    const looking = gate.look(FOR_EVER);
    expect(await first).toBe('one');
    const end = await looking;
    log.push('look');
    const second = waiting(gate, log, 'two');
    await turns();
    expect(log).toEqual(['one begins', 'one is interrupted', 'look']);
    end();
    end();
    await turns();
    expect(log.at(-1)).toBe('two begins');
    (await gate.look(FOR_EVER))();
    expect(await second).toBe('two');
  });

  it('looks come one after the other', async () => {
    const gate = new FetchGate();
    const first = await gate.look(FOR_EVER);
    let second: (() => void) | undefined;
    const looking = gate.look(FOR_EVER).then((end) => {
      second = end;
    });
    await turns();
    expect(second).toBeUndefined();
    first();
    await looking;
    second?.();
    expect(await gate.fetch(FOR_EVER, async () => 'fetched')).toBe('fetched');
  });

  it('a look that is given up leaves its place to the next one', async () => {
    const gate = new FetchGate();
    const first = await gate.look(FOR_EVER);
    const stop = new AbortController();
    const given = gate.look(stop.signal);
    const third = gate.look(FOR_EVER);
    stop.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    let begun = false;
    void third.then(() => {
      begun = true;
    });
    await turns();
    expect(begun).toBe(false);
    first();
    (await third)();
    expect(await gate.fetch(FOR_EVER, async () => 1)).toBe(1);
  });

  it('who does not want to fetch any more does not wait', async () => {
    const gate = new FetchGate();
    const end = await gate.look(FOR_EVER);
    const stop = new AbortController();
    const fetching = gate.fetch(stop.signal, async () => 1);
    stop.abort();
    expect(await fetching).toBeUndefined();
    end();
  });
});
