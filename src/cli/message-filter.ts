import { integerFlag } from './arguments.ts';
import { UsageError } from './io.ts';
import { timeOf } from './show/quantities.ts';

/** The flags of {@link MESSAGE_FILTER}. */
export interface FilterFlags {
  readonly id?: string | undefined;
  readonly text?: string | undefined;
  readonly header?: string | undefined;
  readonly cause?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly status?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** As the management API wants them. @throws UsageError */
export function filterQuery(flags: FilterFlags): Record<string, string | number> {
  const { id, text, header, cause, endpoint } = flags;
  const wanted = {
    id,
    text,
    header,
    cause,
    endpoint,
    status: integerFlag('status', flags.status, 100, 599),
    from: timeFlag('since', flags.since),
    to: timeFlag('until', flags.until),
  };
  const given = Object.entries(wanted).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  return Object.fromEntries(given);
}

export function isFiltered(flags: FilterFlags): boolean {
  const { id, text, header, cause, endpoint, status, since, until } = flags;
  return [id, text, header, cause, endpoint, status, since, until].some((value) => value !== undefined);
}

/** A time as people write it, as ISO 8601. @throws UsageError */
export function timeFlag(name: string, written: string | undefined): string | undefined {
  if (written === undefined) return undefined;
  const time = timeOf(written);
  if (time !== undefined) return time;
  throw new UsageError(`--${name} ${written}: expected a time like 2026-01-31T12:00:00Z, or 15m, 2h, 3d`);
}
