import { QuartzCalendar } from './quartz-calendar.ts';
import { QuartzNeverFiresError, QuartzSyntaxError } from './quartz-errors.ts';
import { proposeQuartzFix } from './quartz-fix.ts';
import { readQuartzFields } from './quartz-grammar.ts';
import { nextAsQuartz } from './quartz-reference-search.ts';
import { TimeZone } from './time-zone.ts';

/**
 * What happens when clocks change (REQ-59, OP-87, 10.3).
 *
 * - `default`: a schedule that names hours runs once a day and time: a time in the spring gap at the first instant after
 *   it (several of them: once), a repeated one in the first pass. A schedule of every hour runs whenever a clock on the
 *   wall shows one of its times, so through both passes, and without a pause over the gap.
 * - `quartz`: as the reference: times in the gap are dropped, repeated ones run in the second pass only.
 */
export type ClockChangeRule = 'default' | 'quartz';

export interface QuartzOptions {
  /** IANA name; default: the zone of the process. */
  readonly timeZone?: string | undefined;
  readonly dst?: ClockChangeRule | undefined;
  /** The search ends a hundred years after this one; default: the year in which the expression is read. */
  readonly currentYear?: number | undefined;
}

const SECOND = 1_000;
const HORIZON_YEARS = 100;
/** Years begin at 1970: searches from before then need not look at the zones of the time. */
const EARLIEST = Date.UTC(1969, 11, 1);

/** A Quartz 2.3 cron expression in a time zone. Immutable; made by {@link parseQuartzExpression}. */
export class QuartzExpression {
  /** As it was written. */
  readonly text: string;
  readonly dst: ClockChangeRule;
  readonly #zone: TimeZone;
  readonly #calendar: QuartzCalendar;

  /** @internal */
  constructor(text: string, calendar: QuartzCalendar, zone: TimeZone, dst: ClockChangeRule) {
    this.text = text;
    this.dst = dst;
    this.#calendar = calendar;
    this.#zone = zone;
  }

  get timeZone(): string {
    return this.#zone.name;
  }

  /**
   * The next run strictly after `after`, in epoch milliseconds, always a whole second. Undefined if there is none up to
   * the end of the hundredth year from when the expression was read.
   *
   * @throws RangeError if `after` is not a valid time
   */
  next(after: Date | number): number | undefined {
    const given = Math.floor(Number(after) / SECOND) * SECOND;
    if (!Number.isFinite(given)) {
      throw new RangeError(`not a valid time: ${String(after)}`);
    }
    const from = Math.max(given, EARLIEST);
    if (from > Date.UTC(this.#calendar.lastYear + 1, 0, 2)) {
      return undefined;
    }
    if (this.dst === 'quartz') {
      return nextAsQuartz(this.#calendar, this.#zone, from);
    }
    return this.#calendar.everyHour ? this.#nextOfEveryHour(from) : this.#nextOfNamedHours(from);
  }

  /** Up to `count` runs after `from`. */
  upcoming(from: Date | number, count: number): number[] {
    const runs: number[] = [];
    let next = this.next(from);
    while (next !== undefined && runs.length < count) {
      runs.push(next);
      next = this.next(next);
    }
    return runs;
  }

  /** Whether a run is due in the second of `at`. */
  matches(at: Date | number): boolean {
    const second = Math.floor(Number(at) / SECOND) * SECOND;
    return this.next(second - SECOND) === second;
  }

  /** Each time once: readings go up with instants, but for the second pass of a repeated hour, which is left out. */
  #nextOfNamedHours(from: number): number | undefined {
    const zone = this.#zone;
    const reading = zone.reading(from);
    const around = zone.changeAround(reading);
    const secondPass = around !== undefined && from >= around.at;
    const next = this.#calendar.next(secondPass ? around.at + around.before - SECOND : reading);
    return next === undefined ? undefined : zone.firstInstant(next);
  }

  /** Every instant at which the clock shows a matching reading. */
  #nextOfEveryHour(from: number): number | undefined {
    const zone = this.#zone;
    const reading = zone.reading(from);
    let next = this.#calendar.next(reading);
    const around = zone.changeAround(reading);
    if (around !== undefined) {
      const end = around.at + around.before;
      if (from < around.at && (next === undefined || next >= end)) {
        // the first pass is over: the clock goes back to the beginning of the repeated hour
        next = this.#calendar.next(around.at + around.after - SECOND);
        from = around.at;
      }
      if (next !== undefined && next < end) {
        return next - (from < around.at ? around.before : around.after);
      }
    }
    return next === undefined ? undefined : this.#existing(next);
  }

  /** The instant of `reading`, in the first pass if there are two; if it is missing, that of the next which is not. */
  #existing(reading: number): number | undefined {
    const change = this.#zone.changeAround(reading);
    if (change === undefined || change.after < change.before) {
      return this.#zone.firstInstant(reading);
    }
    const behind = this.#calendar.next(change.at + change.after - SECOND);
    return behind === undefined ? undefined : this.#existing(behind);
  }
}

/**
 * Reads a Quartz 2.3 cron expression (stores-and-processors 10; OP-85, REQ-47).
 *
 * @throws QuartzSyntaxError with position and, where one is known, a fix
 * @throws UnknownTimeZoneError
 */
export function parseQuartzExpression(text: string, options: QuartzOptions = {}): QuartzExpression {
  const lastYear = (options.currentYear ?? new Date().getFullYear()) + HORIZON_YEARS;
  const zone = TimeZone.of(options.timeZone);
  try {
    const calendar = new QuartzCalendar(readQuartzFields(text, lastYear));
    return new QuartzExpression(text, calendar, zone, options.dst ?? 'default');
  } catch (error) {
    if (!(error instanceof QuartzSyntaxError)) {
      throw error;
    }
    const fix = proposeQuartzFix(error, lastYear);
    throw fix === undefined ? error : error.withFix(fix);
  }
}

/**
 * Reads an expression that is to be scheduled: as {@link parseQuartzExpression}, and it must have a run after `now`
 * (epoch milliseconds, default: the present).
 *
 * @throws QuartzNeverFiresError
 */
export function parseQuartzSchedule(text: string, options: QuartzOptions = {}, now = Date.now()): QuartzExpression {
  const expression = parseQuartzExpression(text, options);
  if (expression.next(now) === undefined) {
    throw new QuartzNeverFiresError(text);
  }
  return expression;
}
