import { describe, expect, it } from 'vitest';
import { explainQuartzError, parseQuartzExpression, QuartzSyntaxError } from '../../src/scheduling/index.ts';
import { readQuartzFields } from '../../src/scheduling/quartz-grammar.ts';

function errorOf(expression: string): QuartzSyntaxError {
  try {
    parseQuartzExpression(expression);
  } catch (error) {
    if (error instanceof QuartzSyntaxError) return error;
    throw error;
  }
  throw new Error(`accepted: ${expression}`);
}

describe('the position of a fault (OP-85)', () => {
  it.each([
    ['60 * * * * ?', 0, 'seconds', '60'],
    ['0 5,75 * * * ?', 4, 'minutes', '5,75'],
    ['0  0\t24 * * ?', 5, 'hours', '24'],
    ['  0 0 12 1 jux ?', 11, 'month', 'jux'],
    ['0 0 12 ? * MON-FOO', 15, 'day-of-week', 'MON-FOO'],
    ['0 0 12 1 1 ? 2030-2020', 13, 'year', '2030-2020'],
    ['0 0 12 * * *', 11, 'day-of-week', '*'],
    ['0 0 12 * * MON', 7, 'day-of-month', '*'],
    ['0 0 12 ? * 2#1,3#2', 16, 'day-of-week', '2#1,3#2'],
  ])('%s', (expression, position, field, fieldText) => {
    expect(errorOf(expression)).toMatchObject({ expression, position, field, fieldText });
  });

  it('is the end where fields are missing', () => {
    const error = errorOf('0 0 12');
    expect(error).toMatchObject({ message: 'Unexpected end of expression.', position: 6, fieldText: '' });
    expect(error.field).toBeUndefined();
  });
});

describe('the proposed fix (OP-85)', () => {
  it.each([
    ['0 0 12 * * *', '0 0 12 * * ?'],
    ['0 0 12 ? * ?', '0 0 12 * * ?'],
    ['0 0 12 * * MON-FRI', '0 0 12 ? * MON-FRI'],
    ['0 0 12 L * *', '0 0 12 L * ?'],
    ['*/5 * * * *', '0 */5 * * * ?'],
    ['30 6 * * 1-5', '0 30 6 ? * 2-6'],
    ['30 6 * * 0,7', '0 30 6 ? * 1,1'],
    ['0 6 * * MON', '0 0 6 ? * MON'],
    ['0 30 12 * *', '0 30 12 * * ?'],
    ['@daily', '0 0 0 * * ?'],
    ['0 0 24 * * ?', '0 0 0 * * ?'],
    ['0 0 24 * * *', '0 0 0 * * ?'],
    ['0 0-60 8 * * ?', '0 0-59 8 * * ?'],
    ['0 */60 * * * ?', '0 0 * * * ?'],
    ['0 0 12 ? * 0', '0 0 12 ? * 1'],
    ['0 0 12 ? * 0-4/2', '0 0 12 ? * 1-5/2'],
    ['0 0 12 ? * MOM', '0 0 12 ? * MON'],
    ['0 0 12 1 MAI ?', undefined],
    ['0 ? 12 1 JAN ?', '0 * 12 1 JAN ?'],
    ['0 0 12 1 * MON', undefined],
    ['0 0 12 32 * ?', undefined],
    ['', undefined],
  ])('of %s is %s', (expression, fixed) => {
    const { fix } = errorOf(expression);
    expect(fix?.expression).toBe(fixed);
    if (fix !== undefined) expect(() => parseQuartzExpression(fix.expression)).not.toThrow();
  });

  it('is part of the explanation, below a caret', () => {
    expect(explainQuartzError(errorOf('0 0 12\t* * *')).split('\n')).toEqual([
      "Support for specifying both a day-of-week AND a day-of-month parameter is not implemented. (day-of-week '*')",
      '  0 0 12 * * *',
      '             ^',
      "exactly one of day-of-month and day-of-week must be '?': write '0 0 12 * * ?'",
    ]);
  });

  it('keeps the fault without it as the cause', () => {
    const error = errorOf('0 0 12 * * *');
    expect(error.cause).toMatchObject({ message: error.message, fix: undefined });
  });
});

describe('what Quartz accepts and then fails on', () => {
  it.each([
    'L 0 12 * * ?',
    '0 0 , * * ?',
    '0 0 12 1 L ?',
    '0 0 12 1 1 ? L',
    '99 * * * * ?',
    '0 0 12 98 * MON',
    '0 0 12 0W * ?',
  ])('is refused: %s', (expression) => {
    expect(errorOf(expression)).toBeInstanceOf(QuartzSyntaxError);
  });

  it.each(['0 0 12 ? * 0#1', '0 0 12 ? * 9#1', '0 0 12 ? * 98'])('is refused: %s', (expression) => {
    expect(errorOf(expression).message).toBe('Day-of-Week values must be between 1 and 7');
  });
});

describe('the sets of numbers', () => {
  it('wraps descending ranges around', () => {
    const fields = readQuartzFields('50-10/10 0 22-2 ? NOV-FEB FRI-MON', 2126);
    expect([...fields.seconds]).toEqual([50, 0, 10]);
    expect([...fields.hours]).toEqual([22, 23, 0, 1, 2]);
    expect([...fields.months]).toEqual([11, 12, 1, 2]);
    expect(fields.days).toEqual({ kind: 'weekdays', weekdays: new Set([6, 7, 1, 2]) });
  });

  it('ends open years at the last year', () => {
    expect([...readQuartzFields('0 0 0 1 1 ? 2120/2', 2126).years]).toEqual([2120, 2122, 2124, 2126]);
    expect(readQuartzFields('0 0 0 1 1 ? 1970-2147483647', 2126).years.size).toBe(157);
    expect(readQuartzFields('0 0 0 1 1 ? 2500-2600', 2126).years.size).toBe(0);
  });
});
