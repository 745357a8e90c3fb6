import { describe, expect, test } from 'vitest';
import { whenThere } from '../../src/mediation/eventually.ts';

describe('what is there', () => {
  test('is gone on with at once', () => {
    expect(whenThere(2, (value) => value + 1)).toBe(3);
    expect(() => whenThere(2, () => expect.fail('now'))).toThrow('now');
  });

  test('or later, when it has to be waited for', async () => {
    const later = whenThere(Promise.resolve(2), (value) => value + 1);
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(3);
    await expect(whenThere(Promise.reject(new Error('never there')), () => 1)).rejects.toThrow('never there');
    await expect(whenThere(1, () => Promise.reject(new Error('no way on')))).rejects.toThrow('no way on');
  });
});
