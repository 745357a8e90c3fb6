import { describe, expect, it } from 'vitest';
import { FirstOnes } from '../../../src/stores/dedup/first-ones.ts';

const LONG_MS = 60_000;

describe('messages with one key at the same time', () => {
  it('wait for the one that is being stored', async () => {
    const ones = new FirstOnes();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const never = () => Promise.reject(new Error('it must not be tried'));
    const first = ones.put('k', 'm1', LONG_MS, () => promise);
    const others = [ones.put('k', 'm2', LONG_MS, never), ones.put('k', 'm3', LONG_MS, never)];
    expect(await ones.put('other', 'm4', LONG_MS, async () => undefined)).toBeUndefined();
    resolve(undefined);
    expect(await first).toBeUndefined();
    expect(await Promise.all(others)).toEqual(['m1', 'm1']);
  });

  it('are tried one after the other, in their order, as long as they fail', async () => {
    const ones = new FirstOnes();
    const tried: string[] = [];
    let atOnce = 0;
    const attempt = (id: string, works: boolean) => async () => {
      tried.push(id);
      atOnce += 1;
      expect(atOnce).toBe(1);
      await new Promise((next) => setImmediate(next));
      atOnce -= 1;
      if (!works) throw new Error(`${id} failed`);
      return undefined;
    };
    const works = [false, false, true, true, false];
    const puts = works.map((good, index) => ones.put('k', `m${index}`, LONG_MS, attempt(`m${index}`, good)));
    const outcomes = await Promise.allSettled(puts);
    expect(tried).toEqual(['m0', 'm1', 'm2']);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(outcomes.slice(2).map((outcome) => outcome.status === 'fulfilled' && outcome.value)).toEqual([
      undefined,
      'm2',
      'm2',
    ]);
  });

  it('take over what the first one has found', async () => {
    const ones = new FirstOnes();
    const puts = ['m1', 'm2'].map((id) => ones.put('k', id, LONG_MS, async () => 'm0'));
    expect(await Promise.all(puts)).toEqual(['m0', 'm0']);
  });

  it('do not wait for ever', async () => {
    const ones = new FirstOnes();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const first = ones.put('k', 'm1', LONG_MS, () => promise);
    await expect(ones.put('k', 'm2', 5, async () => undefined)).rejects.toThrow('with the same id');
    resolve(undefined);
    expect(await first).toBeUndefined();
    expect(await ones.put('k', 'm3', 5, async () => undefined)).toBeUndefined();
  });
});
