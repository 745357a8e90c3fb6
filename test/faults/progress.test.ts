import { expect, it } from 'vitest';
import { Progress } from './progress.ts';

it('tells what moves from what stands still', () => {
  const progress = new Progress();
  expect(progress.tell(0)).toBe('nothing was counted');
  for (let second = 0; second <= 60; second += 1) {
    progress.note({ accepted: second * 3, Spare: second < 20 ? 100 - second : 80 }, second * 1_000);
  }
  expect(progress.tell(60_000)).toBe(
    'moving: accepted from 150 to 180 in 10.0 s; standing still: Spare at 80 for 40.0 s',
  );
});

it('takes figures that come one by one, and many a second', () => {
  const progress = new Progress();
  for (let at = 0; at <= 30_000; at += 5) {
    progress.note({ accepted: at }, at);
    if (at % 1_000 === 0) progress.note({ Spare: 7 }, at);
  }
  expect(progress.tell(30_000)).toMatch(
    /^moving: accepted from 20000 to 30000 in 10\.0 s; standing still: Spare at 7 for 30\.0 s$/,
  );
  expect(progress.tell(90_000)).toBe('standing still: accepted at 30000 for 60.0 s, Spare at 7 for 90.0 s');
});
