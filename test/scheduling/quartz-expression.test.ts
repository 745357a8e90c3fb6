import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseQuartzExpression,
  parseQuartzSchedule,
  QuartzNeverFiresError,
  type QuartzOptions,
  QuartzSyntaxError,
  TimeZone,
  UnknownTimeZoneError,
} from '../../src/scheduling/index.ts';

/** The next runs as people read them, for example `Sun 03:00 -04:00`. */
function runs(text: string, options: QuartzOptions & { timeZone: string }, from: string, count: number): string[] {
  const zone = TimeZone.of(options.timeZone);
  const expression = parseQuartzExpression(text, options);
  return expression.upcoming(zone.firstInstant(Date.parse(`${from}Z`)), count).map((run) => {
    const [weekday, , time = '', offset] = zone.describe(run).split(' ');
    return `${weekday} ${time.endsWith(':00') ? time.slice(0, 5) : time} ${offset}`;
  });
}

const NEW_YORK = { timeZone: 'America/New_York' };

describe('clocks put forward, by default (OP-87)', () => {
  // 8 March 2026: 01:59:59 EST, then 03:00:00 EDT
  const start = '2026-03-08T00:50:00';
  it('runs a time in the gap once, at its end', () => {
    expect(runs('0 30 2 * * ?', NEW_YORK, start, 2)).toEqual(['Sun 03:00 -04:00', 'Mon 02:30 -04:00']);
    expect(runs('0 0 2 * * ?', NEW_YORK, start, 2)).toEqual(['Sun 03:00 -04:00', 'Mon 02:00 -04:00']);
  });

  it('runs several times in the gap once', () => {
    expect(runs('0 0/10 2 * * ?', NEW_YORK, start, 2)).toEqual(['Sun 03:00 -04:00', 'Mon 02:00 -04:00']);
    expect(runs('0 0 2,3 * * ?', NEW_YORK, start, 2)).toEqual(['Sun 03:00 -04:00', 'Mon 02:00 -04:00']);
  });

  it('moves only the missing one of a list of hours', () => {
    const expected = ['Sun 01:15 -05:00', 'Sun 03:00 -04:00', 'Sun 03:15 -04:00', 'Mon 01:15 -04:00'];
    expect(runs('0 15 1-3 * * ?', NEW_YORK, start, 4)).toEqual(expected);
  });

  it('lets an interval go on without a pause', () => {
    const expected = [
      'Sun 01:00 -05:00',
      'Sun 01:20 -05:00',
      'Sun 01:40 -05:00',
      'Sun 03:00 -04:00',
      'Sun 03:20 -04:00',
    ];
    expect(runs('0 0/20 * * * ?', NEW_YORK, start, 5)).toEqual(expected);
    expect(runs('0 0/20 0-23 * * ?', NEW_YORK, start, 5)).toEqual(expected);
  });

  it('counts a missing midnight to the day that has none', () => {
    // 6 September 2026 begins at 01:00 in Chile
    const chile = { timeZone: 'America/Santiago' };
    expect(runs('0 0 0 * * ?', chile, '2026-09-05T12:00:00', 2)).toEqual(['Sun 01:00 -03:00', 'Mon 00:00 -03:00']);
    expect(runs('0 0 0 ? * SUN', chile, '2026-09-05T12:00:00', 2)).toEqual(['Sun 01:00 -03:00', 'Sun 00:00 -03:00']);
  });

  it('knows gaps of half an hour', () => {
    // 4 October 2026: 01:59:59, then 02:30:00
    const lordHowe = { timeZone: 'Australia/Lord_Howe' };
    const start = '2026-10-04T01:30:00';
    expect(runs('0 15,45 2 * * ?', lordHowe, start, 3)).toEqual([
      'Sun 02:30 +11:00',
      'Sun 02:45 +11:00',
      'Mon 02:15 +11:00',
    ]);
    expect(runs('0 0/15 * * * ?', lordHowe, start, 3)).toEqual([
      'Sun 01:45 +10:30',
      'Sun 02:30 +11:00',
      'Sun 02:45 +11:00',
    ]);
  });
});

describe('clocks put back, by default (OP-87)', () => {
  // 1 November 2026: 01:59:59 EDT, then 01:00:00 EST
  const start = '2026-11-01T00:50:00';
  it('runs a repeated time once, in the first pass', () => {
    expect(runs('0 30 1 * * ?', NEW_YORK, start, 2)).toEqual(['Sun 01:30 -04:00', 'Mon 01:30 -05:00']);
    const expected = ['Sun 01:00 -04:00', 'Sun 01:20 -04:00', 'Sun 01:40 -04:00', 'Sun 02:00 -05:00'];
    expect(runs('0 0/20 1-3 * * ?', NEW_YORK, start, 4)).toEqual(expected);
  });

  it('does not run it again when asked in the second pass', () => {
    const expression = parseQuartzExpression('0 30,59 1,2 * * ?', NEW_YORK);
    const asked = Date.parse('2026-11-01T01:10:00-05:00');
    expect(expression.next(asked)).toBe(Date.parse('2026-11-01T02:30:00-05:00'));
  });

  it('runs an interval through both passes', () => {
    const first = ['Sun 01:00 -04:00', 'Sun 01:20 -04:00', 'Sun 01:40 -04:00'];
    const second = ['Sun 01:00 -05:00', 'Sun 01:20 -05:00', 'Sun 01:40 -05:00', 'Sun 02:00 -05:00'];
    expect(runs('0 0/20 * * * ?', NEW_YORK, start, 7)).toEqual([...first, ...second]);
    expect(runs('0 50 * * * ?', NEW_YORK, '2026-11-01T01:00:00', 2)).toEqual(['Sun 01:50 -04:00', 'Sun 01:50 -05:00']);
  });

  it('keeps its distance in real time', () => {
    const expression = parseQuartzExpression('0 0/10 * * * ?', NEW_YORK);
    for (const day of ['2026-03-08T00:00:00-05:00', '2026-11-01T00:00:00-04:00']) {
      const all = expression.upcoming(Date.parse(day), 60);
      expect(new Set(all.slice(1).map((run, index) => run - (all[index] ?? 0)))).toEqual(new Set([600_000]));
    }
  });
});

describe("dst 'quartz' (the table of 10.3) (OP-87)", () => {
  const quartz = { ...NEW_YORK, dst: 'quartz' } as const;
  it('skips the day of a time in the gap', () => {
    expect(runs('0 30 2 * * ?', quartz, '2026-03-08T00:00:00', 1)).toEqual(['Mon 02:30 -04:00']);
    expect(runs('0 15 1-3 * * ?', quartz, '2026-03-08T00:00:00', 2)).toEqual(['Sun 01:15 -05:00', 'Sun 03:15 -04:00']);
  });

  it('runs in the second pass only, and skips the first', () => {
    expect(runs('0 30 1 * * ?', quartz, '2026-11-01T00:00:00', 1)).toEqual(['Sun 01:30 -05:00']);
    expect(runs('0 30 1 * * ?', quartz, '2026-11-01T01:40:00', 1)).toEqual(['Mon 01:30 -05:00']);
    expect(runs('0 0/20 * * * ?', quartz, '2026-11-01T00:30:00', 2)).toEqual(['Sun 00:40 -04:00', 'Sun 01:00 -05:00']);
  });
});

describe('days', () => {
  it('skips months without the day of nW (REQ-62)', () => {
    const utc = { timeZone: 'UTC' };
    for (const dst of ['default', 'quartz'] as const) {
      const months = (text: string) =>
        parseQuartzExpression(text, { ...utc, dst })
          .upcoming(Date.UTC(2027, 0, 1), 7)
          .map((run) => new Date(run).toISOString().slice(0, 10));
      const months31 = [
        '2027-01-29',
        '2027-03-31',
        '2027-05-31',
        '2027-07-30',
        '2027-08-31',
        '2027-10-29',
        '2027-12-31',
      ];
      expect(months('0 0 12 31W * ?')).toEqual(months31);
      expect(months('0 0 12 L-30W * ?')[1]).toBe('2027-03-01');
      expect(months('0 0 12 29W 2 ?').slice(0, 2)).toEqual(['2028-02-29', '2032-02-27']);
    }
  });
});

describe('the end of a schedule', () => {
  it('is undefined', () => {
    const expression = parseQuartzExpression('0 0 12 1 1 ? 2027', { timeZone: 'UTC' });
    expect(expression.upcoming(Date.UTC(2026, 0), 5)).toEqual([Date.UTC(2027, 0, 1, 12)]);
    expect(expression.next(new Date(Date.UTC(2027, 0, 1, 12)))).toBeUndefined();
    expect(expression.next(Date.UTC(9000, 0))).toBeUndefined();
  });

  it.each(['0 0 0 30 2 ?', '0 0 0 31 4,6,9,11 ?', '0 0 12 1 1 ? 1999', '0 0 12 ? 2 MON#5 2027', '0 0 12 30W 2 ?'])(
    'refuses to schedule %s, which never fires',
    (text) => {
      expect(() => parseQuartzExpression(text)).not.toThrow();
      expect(() => parseQuartzSchedule(text)).toThrow(QuartzNeverFiresError);
      expect(() => parseQuartzSchedule(text, { dst: 'quartz' })).toThrow(/will never fire\.$/);
    },
  );

  it('schedules what fires one day', () => {
    expect(parseQuartzSchedule('0 0 0 29 2 ?').text).toBe('0 0 0 29 2 ?');
  });
});

describe('asking', () => {
  it('is strict: a run is not after itself, but after the millisecond before it', () => {
    const expression = parseQuartzExpression('0 0 12 * * ?', { timeZone: 'Asia/Kolkata' });
    const noon = Date.parse('2026-05-05T12:00:00+05:30');
    expect(expression.next(noon - 1)).toBe(noon);
    expect(expression.next(noon)).toBe(noon + 86_400_000);
    expect(expression.next(noon + 999)).toBe(noon + 86_400_000);
    expect([noon - 1, noon, noon + 999, noon + 1_000].map((at) => expression.matches(at))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('begins in 1970', () => {
    expect(parseQuartzExpression('0 0 0 1 1 ?', { timeZone: 'UTC' }).next(-8e15)).toBe(0);
  });

  it('refuses what is no time', () => {
    expect(() => parseQuartzExpression('0 0 12 * * ?').next(Number.NaN)).toThrow(RangeError);
  });

  it('uses the zone of the process unless told', () => {
    expect(parseQuartzExpression('0 0 12 * * ?').timeZone).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  });

  it('names the nearest zone', () => {
    expect(() => parseQuartzExpression('0 0 12 * * ?', { timeZone: 'Berlin' })).toThrow(UnknownTimeZoneError);
    expect(() => parseQuartzExpression('0 0 12 * * ?', { timeZone: 'Berlin' })).toThrow(
      "did you mean 'Europe/Berlin'?",
    );
  });
});

const ZONES = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Asia/Kathmandu',
  'Pacific/Chatham',
];
const times = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2032, 0) });

function field(low: number, high: number): fc.Arbitrary<string> {
  const value = fc.integer({ min: low, max: high });
  const step = fc.integer({ min: 1, max: Math.min(high, 59) });
  const element = fc.oneof(
    value.map(String),
    fc.tuple(value, value).map(([a, b]) => `${a}-${b}`),
    fc.tuple(value, value, step).map(([a, b, n]) => `${a}-${b}/${n}`),
    fc.tuple(value, step).map(([a, n]) => `${a}/${n}`),
    step.map((n) => `*/${n}`),
  );
  return fc.oneof(
    fc.constant('*'),
    fc.array(element, { minLength: 1, maxLength: 3 }).map((list) => list.join(',')),
  );
}

const days = fc.oneof(
  fc.tuple(field(1, 31), fc.constant('?')),
  fc.tuple(fc.constantFrom('L', 'LW', 'L-3', 'L-2W', '15W', '1W', '31W'), fc.constant('?')),
  fc.tuple(fc.constant('?'), field(1, 7)),
  fc.tuple(fc.constant('?'), fc.constantFrom('L', '6L', '2#1', '7#5', 'MON-FRI', 'SUNL')),
);
const valid = fc
  .tuple(field(0, 59), field(0, 59), field(0, 23), days, field(1, 12))
  .map(([second, minute, hour, [month, week], months]) => `${second} ${minute} ${hour} ${month} ${months} ${week}`);

describe('any expression', () => {
  it('has strictly ascending runs in whole seconds, whatever the zone and the rule', () => {
    fc.assert(
      fc.property(
        valid,
        fc.constantFrom(...ZONES),
        times,
        fc.constantFrom('default', 'quartz'),
        (text, timeZone, from, dst) => {
          const expression = parseQuartzExpression(text, { timeZone, dst });
          let before = from;
          for (const run of expression.upcoming(from, 8)) {
            expect(run).toBeGreaterThan(before);
            expect(run % 1_000).toBe(0);
            expect(expression.matches(run)).toBe(true);
            before = run;
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('skips nothing and invents nothing: the clock shows a matching time at its runs and at no instant between', () => {
    // away from clock changes, and at every hour also through them
    const shown = fc.tuple(fc.constantFrom('*/7', '0', '13,50-5'), field(0, 59), fc.constantFrom(...ZONES), times);
    fc.assert(
      fc.property(shown, ([seconds, minutes, timeZone, from]) => {
        const expression = parseQuartzExpression(`${seconds} ${minutes} * * * ?`, { timeZone });
        const next = expression.next(from) ?? Number.NaN;
        const plain = parseQuartzExpression(`${seconds} ${minutes} * * * ?`, { timeZone: 'UTC' });
        const zone = TimeZone.of(timeZone);
        // the same fields, read off the zone's clock by brute force
        let at = Math.floor(from / 1_000) * 1_000 + 1_000;
        while (at < next && !plain.matches(zone.reading(at))) at += 1_000;
        expect(at).toBe(next);
      }),
      { numRuns: 60 },
    );
  });

  it('runs each named time exactly once a day, clock changes included', () => {
    const changes = fc.constantFrom(
      ['America/New_York', '2026-03-07'],
      ['America/New_York', '2026-10-31'],
      ['Europe/Berlin', '2026-03-28'],
      ['Europe/Berlin', '2026-10-24'],
      ['Australia/Lord_Howe', '2026-10-03'],
      ['Australia/Lord_Howe', '2026-04-04'],
      ['America/Santiago', '2026-09-05'],
      ['America/Santiago', '2026-04-04'],
    );
    fc.assert(
      fc.property(
        changes,
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        ([timeZone = '', date], hour, minute) => {
          const start = TimeZone.of(timeZone).firstInstant(Date.parse(`${date}T00:00Z`)) - 1_000;
          const expression = parseQuartzExpression(`0 ${minute} ${hour} * * ?`, { timeZone });
          const dates = expression.upcoming(start, 4).map((run) => TimeZone.of(timeZone).describe(run).slice(4, 14));
          const expected = [0, 1, 2, 3].map((day) =>
            new Date(Date.parse(`${date}T00:00Z`) + day * 86_400_000).toISOString().slice(0, 10),
          );
          expect(dates).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('answers at once', () => {
    const slow = ['0 0 0 29 2 ?', '0 0 0 ? 2 SUN#5', '0 0 0 31 12 ? 2125', '59 59 23 L-27W 2 ?', '0 0 0 30 2 ?'];
    for (const dst of ['default', 'quartz'] as const) {
      for (const text of slow) {
        const expression = parseQuartzExpression(text, { timeZone: 'America/New_York', dst });
        expression.next(Date.UTC(2026, 0));
        const started = performance.now();
        for (let i = 0; i < 20; i++) expression.next(Date.UTC(2026, 0) + i * 1_000);
        // a hundred years of months at worst; a search by seconds or minutes would take minutes
        expect((performance.now() - started) / 20).toBeLessThan(100);
      }
    }
  });

  it('is read or refused with a QuartzSyntaxError inside the text, and a fix that can be read', () => {
    const soup = fc.string({ unit: fc.constantFrom(...'0123456789*?,-/LW# \tMONJFRISUALB@xé€\n'), maxLength: 40 });
    const spoilt = fc
      .tuple(valid, fc.nat(30), fc.string({ maxLength: 3 }))
      .map(([text, at, bit]) => text.slice(0, at) + bit + text.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(soup, spoilt, fc.string()), (text) => {
        try {
          parseQuartzExpression(text, { timeZone: 'UTC' }).next(0);
        } catch (error) {
          if (!(error instanceof QuartzSyntaxError)) throw error;
          expect(error.position).toBeGreaterThanOrEqual(0);
          expect(error.position).toBeLessThanOrEqual(text.length);
          if (error.fix !== undefined) parseQuartzExpression(error.fix.expression);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
