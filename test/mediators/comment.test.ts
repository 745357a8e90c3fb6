import { expect, it } from 'vitest';
import { message, problemLines, sequence } from '../mediation/harness.ts';

it('a comment does nothing, whatever it says', () => {
  const xml = '<comment>text <anything at="all"/></comment>';
  expect(problemLines(xml)).toEqual([]);
  const request = message({ body: '<a/>' });
  expect(sequence(xml).mediate(request)).toBe(true);
  expect(request.payload.kind).toBe('unread');
});
