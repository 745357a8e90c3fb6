import {
  explainQuartzError,
  parseQuartzExpression,
  QuartzNeverFiresError,
  type QuartzOptions,
  QuartzSyntaxError,
  TimeZone,
  UnknownTimeZoneError,
} from '../scheduling/index.ts';
import { integerFlag, parseFlags, wordFlag } from './arguments.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { CRON } from './table/server.ts';

const USAGE = `${CRON.name} ${CRON.usage} [--timezone ZONE] [--count 5] [--from ISO-TIME] [--dst default|quartz]`;
const DEFAULT_COUNT = 5;
const GREATEST_COUNT = 1_000;

/**
 * `mini-synapse cron "<expression>"`: the next runs of a Quartz expression with zone and offset (OP-86), or what is wrong
 * with it.
 *
 * @returns 0, or 1 if the expression is wrong or has no run any more
 * @throws UsageError
 */
export async function cron(args: string[], io: CommandIo): Promise<number> {
  const { expression, options, count, from } = readArguments(args);
  const zone = TimeZone.of(options.timeZone);
  try {
    const runs = parseQuartzExpression(expression, options).upcoming(from, count);
    if (runs.length === 0) {
      throw new QuartzNeverFiresError(expression);
    }
    const end = runs.length < count ? 'no further run\n' : '';
    io.stdout.write(`${runs.map((run) => `${zone.describe(run)} ${zone.name}\n`).join('')}${end}`);
    return EXIT.fine;
  } catch (error) {
    if (error instanceof QuartzSyntaxError) {
      io.stderr.write(`${explainQuartzError(error)}\n`);
    } else if (error instanceof QuartzNeverFiresError) {
      io.stderr.write(`${error.message}\n`);
    } else {
      throw error;
    }
    return EXIT.wrong;
  }
}

function readArguments(args: string[]) {
  const { values, positionals } = parseFlags(args, CRON.options);
  const [expression, ...others] = positionals;
  if (expression === undefined || others.length > 0) {
    const hint =
      others.length > 0 ? 'put the expression in quotes, or the shell fills in file names for *' : 'expected';
    throw new UsageError(`${hint}: ${USAGE}`);
  }
  const options: QuartzOptions = {
    timeZone: values.timezone,
    dst: wordFlag('dst', values.dst, ['default', 'quartz']),
  };
  const count = integerFlag('count', values.count, 1, GREATEST_COUNT) ?? DEFAULT_COUNT;
  return { expression, options, count, from: startFlag(values.from, zoneFlag(values.timezone)) };
}

function zoneFlag(name: string | undefined): TimeZone {
  try {
    return TimeZone.of(name);
  } catch (cause) {
    if (cause instanceof UnknownTimeZoneError) {
      throw new UsageError(`--timezone: ${cause.message}`, { cause });
    }
    throw cause;
  }
}

/** Without an offset the time is one on the clocks of `zone`. */
function startFlag(written: string | undefined, zone: TimeZone): number {
  if (written === undefined) {
    return Date.now();
  }
  const [, date, time = '00:00', offset] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(written) ?? [];
  const parsed = Date.parse(`${date}T${time}${offset ?? 'Z'}`);
  if (Number.isNaN(parsed)) {
    throw new UsageError(`--from ${written}: expected a time like 2026-03-28T01:30 or 2026-03-28T01:30:00+01:00`);
  }
  return offset === undefined ? zone.firstInstant(parsed) : parsed;
}
