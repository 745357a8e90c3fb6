import {
  integer,
  javaBoolean,
  milliseconds,
  nonEmptyText,
  type TypeOptions,
  text,
  type ValueContext,
  ValueError,
  type ValueType,
  valueType,
} from '../grammar/attributes.ts';
import { quartzValueError } from '../grammar/quartz.ts';
import type { ReferenceKind } from '../grammar/reader.ts';
import { parseQuartzSchedule, type QuartzExpression, TimeZone, UnknownTimeZoneError } from '../scheduling/index.ts';
import { parseStatusCodes, type StatusCodes } from './status-codes.ts';

/** More workers in one process help nobody. */
const MAX_WORKERS = 1000;
const DEFAULT_INTERVAL_MS = 1000;

/** When the workers take messages (spec stores 4.1, 4.3). */
export const SCHEDULE_PARAMETERS = {
  interval: integer({
    default: DEFAULT_INTERVAL_MS,
    doc: 'The minimum between the starts of two new deliveries of one worker, ms; with a cron expression, between the messages of one run. 0: none.',
  }),
  cronExpression: quartz(
    'A Quartz expression: messages are taken at its runs only. Without it a message is delivered when it arrives.',
  ),
  'x.timezone': timeZone(
    'The time zone of the cron expression, for example Europe/Berlin; default: that of the process.',
  ),
  'x.cron.dst': clockChanges('What happens when clocks change: `quartz` skips and repeats runs as the reference does.'),
  'member.count': integer({ minimum: 1, maximum: MAX_WORKERS, default: 1, doc: 'The number of workers.' }),
  'is.active': javaBoolean({
    default: true,
    doc: 'Whether it starts active, as long as no activation or deactivation is recorded.',
  }),
  'x.reactivate.after': milliseconds({
    doc: 'Activates the processor again so long after it deactivated itself, ms. Default: an operator does.',
  }),
  'x.activate.sequence': reference(
    'sequence',
    'Runs after the processor was activated, by an operator or by x.reactivate.after, with an empty message (OP-24).',
  ),
  'quartz.conf': unused(
    'Apache: a Quartz properties file. A missed run is made up for at most once, so there is nothing to set.',
  ),
} as const;

/** How long an unreachable store is waited for (spec stores 4.5). */
export const STORE_PARAMETERS = {
  'max.store.connection.attempts': integer({
    default: -1,
    doc: 'Looks at an unreachable store before the processor deactivates itself; 0 or less: it waits for ever.',
  }),
  'store.connection.retry.interval': milliseconds({ default: 1000, doc: 'Between two such looks, ms.' }),
} as const;

/** What happens after a failed attempt (spec stores 4.1, 4.9; both spellings of REQ-02). */
export const RETRY_PARAMETERS = {
  'client.retry.interval': milliseconds({ doc: 'The pause after a failed attempt, ms; default 1000.' }),
  'retry.interval': alias('client.retry.interval', milliseconds({ doc: '' })),
  'max.delivery.attempts': integer({ doc: 'Attempts per message; 0 or less: without end.' }),
  'max.deliver.attempts': alias('max.delivery.attempts', integer({ doc: '' })),
  'max.delivery.drop': enabledWord('`Enabled`: discards the message after the last attempt. Wins over the fail store.'),
  'max.deliver.drop': alias('max.delivery.drop', javaBoolean({ doc: '' })),
  'message.processor.failMessagesStore': reference(
    'messageStore',
    'The message store that takes messages after the last attempt, with the reason.',
  ),
} as const;

/** How pauses after failed attempts grow (OP-28, REQ-57). Any of them switches it on. */
export const BACKOFF_PARAMETERS = {
  'x.backoff.initial': milliseconds({ doc: 'The first pause after a failure, ms; default: client.retry.interval.' }),
  'x.backoff.factor': decimal({ minimum: 1, maximum: 100, doc: 'By how much every further pause grows; default 2.' }),
  'x.backoff.max': longestBackOff('The longest pause, also of those that Retry-After asks for, ms; default 300000.'),
  'x.backoff.jitter': decimal({
    minimum: 0,
    maximum: 1,
    doc: 'The share of a pause that is left to chance, up and down, from 0 to 1; default 0.1.',
  }),
} as const;

/** Not asked for by name: shown, or looked at by every processor, or accepted for the sake of old artifacts (spec stores 4.1). */
export const COMPUTED_PARAMETERS = {
  throttle: unread('Computed: whether the interval is below one second.'),
  'throttle.interval': unread('Computed: the interval, when there is a cron expression.'),
  'cron.expression': unread('Computed: the cron expression.'),
  'bind.processor.server': unread('Never had an effect.'),
  pinnedServers: unread('The servers that it works on, by `[server] name`; default: every one.'),
} as const;

/** What every kind of processor has. */
export const COMMON_PARAMETERS = {
  ...SCHEDULE_PARAMETERS,
  ...STORE_PARAMETERS,
  ...RETRY_PARAMETERS,
  ...COMPUTED_PARAMETERS,
} as const;

/** Sequences that run beside the deliveries (spec stores 4.1). */
export const SEQUENCE_PARAMETERS = {
  'message.processor.fault.sequence': reference('sequence', 'Runs after each failed attempt.'),
  'message.processor.deactivate.sequence': reference('sequence', 'Runs after the processor deactivated itself.'),
} as const;

/** The name of another artifact; a dangling one is warned about at deployment. Blank counts as absent. */
export function reference(kind: ReferenceKind, doc: string) {
  return valueType<string, { doc: string }>(
    `the name of a ${kind}`,
    (value, { element, reader }) => {
      if (value !== '') reader.refer(kind, value, element);
      return value;
    },
    { doc },
  );
}

/** The name of another artifact that must be given. */
export function requiredReference(kind: ReferenceKind, doc: string) {
  const name = nonEmptyText({ doc });
  return valueType<string, { doc: string; required: true }>(
    `the name of a ${kind}`,
    (value, context) => {
      const given = name.parse(value, context);
      context.reader.refer(kind, given, context.element);
      return given;
    },
    { doc, required: true },
  );
}

/** A comma list of HTTP statuses and classes such as `4xx` (REQ-46). */
export function statusCodes(doc: string) {
  return valueType<StatusCodes, { doc: string }>(
    'a comma list of HTTP status codes',
    (value, { element, name, reader }) =>
      parseStatusCodes(value, (entry) =>
        reader.warning(element, `parameter '${name}': '${entry}' is no HTTP status code and is ignored`, {
          expected: 'codes such as 404 or classes such as 4xx, separated by commas',
        }),
      ),
    { doc },
  );
}

/** A number with decimals in the usual notation. */
function decimal({ minimum, maximum, doc }: { minimum: number; maximum: number; doc: string }) {
  const expected = `a number from ${minimum} to ${maximum}`;
  return valueType<number, { doc: string }>(
    expected,
    (value) => {
      const number = /^\d{1,9}(\.\d{1,9})?$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= minimum && number <= maximum)) throw new ValueError(`'${value}' is not a valid number`, expected);
      return number;
    },
    { doc },
  );
}

function longestBackOff(doc: string) {
  const type = integer({ minimum: 1, doc });
  return valueType<number, { doc: string }>(
    type.expected,
    (value, context) => {
      const longest = type.parse(value, context);
      const initial = Number(sibling(context, 'x.backoff.initial') ?? 0);
      if (initial > longest)
        throw new ValueError(`'${value}' is less than x.backoff.initial`, `a number from ${initial}`);
      return longest;
    },
    { doc },
  );
}

/** The name of an HTTP header. */
export function headerName<const O extends TypeOptions<string>>(options: O) {
  const expected = 'the name of an HTTP header';
  return valueType<string, O>(
    expected,
    (value) => {
      if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value))
        throw new ValueError(`'${value}' is not a header name`, expected);
      return value;
    },
    options,
  );
}

/** The number of messages that may be in the hands of one worker's sequence runs (spec stores 5.2). */
export function concurrency(doc: string) {
  return valueType<number, { doc: string; default: number }>(
    `an integer from 1 to ${MAX_WORKERS}`,
    (value, { element, reader }) => {
      const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
      if (number >= 1 && number <= MAX_WORKERS) return number;
      reader.warning(element, 'Invalid value for concurrency switching back to default value', {
        expected: `an integer from 1 to ${MAX_WORKERS}, not '${value}'`,
      });
      return 1;
    },
    { doc, default: 1 },
  );
}

/** Read and put aside without a word. */
export function unread(doc: string) {
  return text({ doc });
}

/** The other code base's spelling of a parameter. */
function alias<T>(native: string, type: ValueType<T>) {
  return valueType<T, { doc: string }>(
    type.expected,
    (value, context) => {
      if (sibling(context, native) !== undefined) {
        context.reader.warning(
          context.element,
          `'${native}' and '${context.name}' mean the same; the spelling of the compatibility profile is used`,
          { expected: 'one of the two' },
        );
      }
      return type.parse(value, context);
    },
    { doc: `Another spelling of ${native}.` },
  );
}

/** Only the exact word counts (spec stores 4.1). */
function enabledWord(doc: string) {
  return valueType<boolean, { doc: string }>(
    'Enabled or Disabled',
    (value, { element, name, reader }) => {
      if (value !== 'Enabled' && value !== 'Disabled' && value !== '') {
        reader.warning(element, `'${value}' is read as Disabled for '${name}'`, { expected: 'Enabled or Disabled' });
      }
      return value === 'Enabled';
    },
    { doc },
  );
}

/** Accepted, but what it asks for does not happen. */
function unused(doc: string) {
  return valueType<string, { doc: string }>(
    'text',
    (value, { element, name, reader }) => {
      reader.warning(element, `parameter '${name}' is ignored`, {});
      return value;
    },
    { doc },
  );
}

function quartz(doc: string) {
  const expected = 'a Quartz cron expression such as 0 0/5 * * * ?';
  return valueType<QuartzExpression, { doc: string }>(
    expected,
    (value, context) => {
      const zone = sibling(context, 'x.timezone');
      const dst = sibling(context, 'x.cron.dst') === 'quartz' ? 'quartz' : 'default';
      try {
        return parseQuartzSchedule(value, { dst, ...(zone !== undefined && isTimeZone(zone) && { timeZone: zone }) });
      } catch (cause) {
        throw quartzValueError(value, cause, expected);
      }
    },
    { doc },
  );
}

function timeZone(doc: string) {
  return valueType<string, { doc: string }>(
    'a time zone such as Europe/Berlin or UTC',
    (value) => {
      try {
        TimeZone.of(value);
        return value;
      } catch (cause) {
        if (!(cause instanceof UnknownTimeZoneError)) throw cause;
        throw new ValueError(
          `'${value}' is not a known time zone`,
          'a name such as Europe/Berlin or UTC',
          cause.nearest,
          { cause },
        );
      }
    },
    { doc },
  );
}

function isTimeZone(name: string): boolean {
  try {
    TimeZone.of(name);
    return true;
  } catch {
    return false;
  }
}

function clockChanges(doc: string) {
  const expected = 'one of: default, quartz';
  return valueType<'default' | 'quartz', { doc: string }>(
    expected,
    (value) => {
      if (value !== 'default' && value !== 'quartz') throw new ValueError(`'${value}' is not allowed`, expected);
      return value;
    },
    { doc },
  );
}

/** The trimmed text of another parameter of the same artifact. */
function sibling({ element }: ValueContext, name: string): string | undefined {
  const parameters = element.parent?.childrenNamed('parameter') ?? [];
  return parameters.findLast((parameter) => parameter.attribute('name')?.trim() === name)?.text.trim();
}
