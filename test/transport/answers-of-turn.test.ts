import { describe, expect, it } from 'vitest';
import { AnswersOfTurn } from '../../src/transport/answers-of-turn.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('answers', () => {
  it('are written together at the end of the turn, in order, and later ones with the next', async () => {
    const answers = new AnswersOfTurn();
    const written: string[] = [];
    answers.add(() => {
      written.push('first');
      answers.add(() => written.push('of the next turn'));
    });
    await Promise.resolve();
    answers.add(() => written.push('second'));
    expect(written).toEqual([]);
    await nextTurn();
    expect(written).toEqual(['first', 'second']);
    await nextTurn();
    expect(written).toEqual(['first', 'second', 'of the next turn']);
  });
});
