import type { ShownRecord } from '../logging/shown-record.ts';
import type { ManagedServer } from './managed-server.ts';
import { ManagementError } from './management-error.ts';
import { type Caller, mayAct } from './security/caller.ts';

/** Whose lines say what their authors want of a message, its body included. */
const LOGGERS: ReadonlySet<string> = new Set(['LogMediator', 'ScriptMessageContext']);
/** Stands in place of what is not shown. */
export const HIDDEN = '(shown to operators only)';

/** Is the caller shown what messages contain (OP-81)? */
export function seesBodies(caller: Pick<Caller, 'role'>, { options }: Pick<ManagedServer, 'options'>): boolean {
  return mayAct(caller, options.management.bodies);
}

/** To look for a part of a body is to look into it. @throws ManagementError 403, without a body as for every role that does not suffice */
export function permitBodies(caller: Pick<Caller, 'role'>, server: Pick<ManagedServer, 'options'>): void {
  if (!seesBodies(caller, server)) throw new ManagementError(403, '');
}

/** A line of the log for those who are not shown what messages contain. */
export function withoutContent(record: ShownRecord): ShownRecord {
  return LOGGERS.has(record.logger) ? { ...record, message: HIDDEN } : record;
}
