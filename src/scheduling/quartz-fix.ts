import { distance } from 'fastest-levenshtein';
import { type QuartzFix, QuartzSyntaxError } from './quartz-errors.ts';
import { MONTHS, WEEKDAYS } from './quartz-field.ts';
import { readQuartzFields, splitFields } from './quartz-grammar.ts';

/** A guess; it may have a further fault, for which the next one is made. */
interface Guess {
  readonly because: string;
  readonly fields: readonly string[];
}

const NICKNAMES: Readonly<Record<string, string>> = {
  '@YEARLY': '0 0 0 1 1 ?',
  '@ANNUALLY': '0 0 0 1 1 ?',
  '@MONTHLY': '0 0 0 1 * ?',
  '@WEEKLY': '0 0 0 ? * SUN',
  '@DAILY': '0 0 0 * * ?',
  '@MIDNIGHT': '0 0 0 * * ?',
  '@HOURLY': '0 0 * * * ?',
};
const MOST_FAULTS = 7;
const DAY_OF_MONTH = 3;
const DAY_OF_WEEK = 5;
const FIELD_NAMES = ['seconds', 'minutes', 'hours', 'day-of-month', 'month', 'day-of-week', 'year'];
/** By field, the number at which counting starts anew. */
const CYCLES = [60, 60, 24];

/**
 * The correction of a wrong expression, where a usual mistake is recognised: a Unix expression, both day fields given,
 * weekdays or hours counted otherwise, a misspelt name (OP-85). What is proposed parses.
 */
export function proposeQuartzFix(error: QuartzSyntaxError, lastYear: number): QuartzFix | undefined {
  for (const guess of firstGuesses(error)) {
    const expression = repaired(guess, lastYear);
    if (expression !== undefined) {
      return { because: guess.because, expression };
    }
  }
  return undefined;
}

/** Goes on guessing until nothing is wrong any more; undefined where it does not know further. */
function repaired(first: Guess, lastYear: number): string | undefined {
  let guess: Guess | undefined = first;
  for (let faults = 0; faults < MOST_FAULTS && guess !== undefined; faults++) {
    const expression = guess.fields.join(' ');
    const fault = faultOf(expression, lastYear);
    if (fault === undefined) {
      return expression;
    }
    guess = guessFor(fault);
  }
  return undefined;
}

function faultOf(expression: string, lastYear: number): QuartzSyntaxError | undefined {
  try {
    readQuartzFields(expression, lastYear);
    return undefined;
  } catch (error) {
    if (error instanceof QuartzSyntaxError) {
      return error;
    }
    throw error;
  }
}

/** With five fields, either the seconds or the day-of-week are missing: as in a crontab, or forgotten. */
function firstGuesses(fault: QuartzSyntaxError): Guess[] {
  const fields = splitFields(fault.expression).map((token) => token.text);
  if (fields.length === 5) {
    return [unixExpression(fields), { because: 'the sixth field, day-of-week, is missing', fields: [...fields, '?'] }];
  }
  const guess = guessFor(fault);
  return guess === undefined ? [] : [guess];
}

function guessFor(fault: QuartzSyntaxError): Guess | undefined {
  const fields = splitFields(fault.expression).map((token) => token.text);
  const nickname = NICKNAMES[fields[0] ?? ''];
  if (nickname !== undefined) {
    return { because: `Quartz has no ${fields[0]?.toLowerCase()}`, fields: nickname.split(' ') };
  }
  const index = FIELD_NAMES.indexOf(fault.field ?? '');
  if (index < 0) {
    return undefined;
  }
  return (
    bothDayFields(fields, fault) ??
    misplacedQuestionMark(fields, index, fault) ??
    otherCounting(fields, index) ??
    misspeltName(fields, index, fault)
  );
}

/** `m h dom mon dow`: no seconds, weekdays from 0, and both day fields given. */
function unixExpression(fields: readonly string[]): Guess {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  const days =
    dayOfWeek === '*' ? [dayOfMonth, '?'] : [dayOfMonth === '*' ? '?' : dayOfMonth, shiftWeekdays(dayOfWeek)];
  return {
    because: 'six fields are needed; if these five are minutes to weekday as in a Unix crontab',
    fields: ['0', minute, hour, days[0] ?? '', month, days[1] ?? ''],
  };
}

/** Unix weekdays, 0 or 7 = Sunday, to those of Quartz, 1 = Sunday. Steps and `#` arguments stay. */
function shiftWeekdays(field: string): string {
  return field.replace(/(?<![/#0-9])[0-7](?![0-9])/g, (digit) => String((Number(digit) % 7) + 1));
}

function bothDayFields(fields: readonly string[], fault: QuartzSyntaxError): Guess | undefined {
  const because = "exactly one of day-of-month and day-of-week must be '?'";
  if (fault.message.startsWith("'?' can only be specified for Day-of-Month -OR- Day-of-Week")) {
    return { because, fields: fields.with(DAY_OF_MONTH, '*') };
  }
  if (!fault.message.startsWith('Support for specifying both')) {
    return undefined;
  }
  const spare = [DAY_OF_WEEK, DAY_OF_MONTH].find((index) => fields[index] === '*');
  return spare === undefined ? undefined : { because, fields: fields.with(spare, '?') };
}

function misplacedQuestionMark(fields: readonly string[], index: number, fault: QuartzSyntaxError): Guess | undefined {
  return fields[index] === '?' && fault.message.startsWith("'?'")
    ? { because: "only day-of-month or day-of-week can be '?'", fields: fields.with(index, '*') }
    : undefined;
}

function otherCounting(fields: readonly string[], index: number): Guess | undefined {
  const text = fields[index] ?? '';
  if (index === DAY_OF_WEEK && /(?<![/#0-9])0(?![0-9])/.test(text)) {
    return { because: 'weekdays count from 1 = SUN to 7 = SAT', fields: fields.with(index, shiftWeekdays(text)) };
  }
  const cycle = CYCLES[index];
  if (cycle === undefined) {
    return undefined;
  }
  const fixed = text
    .split(',')
    .map((element) => withinCycle(element, cycle))
    .join(',');
  const because = `${FIELD_NAMES[index]} go from 0 to ${cycle - 1}`;
  return fixed === text ? undefined : { because, fields: fields.with(index, fixed) };
}

/** `60` is 0, `0-60` ends at 59, and every 60th is the first. */
function withinCycle(element: string, cycle: number): string {
  const [, start = ''] = new RegExp(`^(?:\\*?|([0-9]+))/${cycle}$`).exec(element) ?? [];
  if (element.endsWith(`/${cycle}`)) {
    return start === '' ? '0' : start;
  }
  return element === String(cycle) ? '0' : element.replace(new RegExp(`-${cycle}$`), `-${cycle - 1}`);
}

function misspeltName(fields: readonly string[], index: number, fault: QuartzSyntaxError): Guess | undefined {
  const [, kind, wrong] = /^Invalid (Month|Day-of-Week) value: '(...)'$/.exec(fault.message) ?? [];
  const names = kind === 'Month' ? MONTHS : WEEKDAYS;
  const near = wrong === undefined ? [] : names.filter((name) => distance(name, wrong) === 1);
  const [name] = near;
  if (wrong === undefined || name === undefined || near.length > 1) {
    return undefined;
  }
  return { because: `the name is ${name}`, fields: fields.with(index, (fields[index] ?? '').replace(wrong, name)) };
}
