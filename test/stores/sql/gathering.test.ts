import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Gathering } from '../../../src/stores/sql/gathering.ts';

const MOST = 64;

describe('gathering a group', () => {
  test('who is alone does not wait, nor who comes first after a pause', async () => {
    const gathering = new Gathering();
    let looks = 0;
    const count = () => {
      looks += 1;
      return 1;
    };
    await gathering.whole(count, MOST);
    gathering.note(1, 0, 8);
    await gathering.whole(count, MOST);
    expect(looks).toBe(2);
  });

  test('waits for as many as the last commit found, and no longer', async () => {
    const gathering = new Gathering(60_000);
    gathering.note(3, 2, 120_000);
    let waiting = 1;
    const growing = (async () => {
      while (waiting < 9) {
        await nextTurn();
        waiting += 1;
      }
    })();
    await gathering.whole(() => waiting, MOST);
    const whole = waiting;
    await growing;
    expect(whole).toBeGreaterThanOrEqual(5);
    expect(whole).toBeLessThanOrEqual(6);
  });

  test('waits for nobody when this process was at work for most of the last commit', () => {
    const gathering = new Gathering();
    gathering.note(40, 24, 10_000, 0.9);
    expect(gathering.awaits(10, MOST)).toBe(true);
    gathering.note(40, 24, 10_000, 0.4);
    expect(gathering.awaits(10, MOST)).toBe(false);
  });

  test('takes no more than a group can have', async () => {
    const gathering = new Gathering();
    gathering.note(MOST, 500, 10_000);
    let looks = 0;
    await gathering.whole(() => {
      looks += 1;
      return MOST;
    }, MOST);
    expect(looks).toBe(1);
  });

  test('gives up when nobody comes', async () => {
    const gathering = new Gathering();
    gathering.note(10, 10, 10_000);
    let turns = 0;
    await gathering.whole(() => {
      turns += 1;
      return 2;
    }, MOST);
    expect(turns).toBeLessThan(10);
  });

  test('knows how long ago the last commit ended', () => {
    const gathering = new Gathering();
    expect(gathering.endedWithin(1e9)).toBe(false);
    gathering.note(1, 0, 1);
    expect(gathering.endedWithin(1e9)).toBe(true);
    expect(gathering.endedWithin(-1)).toBe(false);
  });
});
