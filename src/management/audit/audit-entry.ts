import type { Caller } from '../security/caller.ts';

/** What was done, by whom and with what result (OP-66). */
export interface AuditEntry {
  /** ISO 8601. */
  readonly time: string;
  readonly who: string;
  readonly role: string;
  /** The address that the request came from. */
  readonly from: string;
  /** The reference's words where it has them: `enabled`, `disabled`, `created`, `deleted`. */
  readonly action: string;
  /** The kind of thing, as `message_processor`. */
  readonly type: string;
  readonly name: string;
  readonly detail: string;
  /** How many things it was done to. */
  readonly count: number;
  /** `done`, or `refused` or `failed` with the status; of work on many messages its state, and how many failed. */
  readonly result: string;
}

/** What a caller has done just now. */
export function entryBy(
  { name, role, from }: Caller,
  what: Omit<AuditEntry, 'time' | 'who' | 'role' | 'from'>,
): AuditEntry {
  return { time: new Date().toISOString(), who: name, role, from, ...what };
}
