/** What somebody may do: look; steer; steer and look after users. Each includes those before. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. */
export interface Caller {
  /** `local` for those that need no login, `anonymous` for those that gave no credentials where none are needed. */
  readonly name: string;
  readonly role: Role | 'none';
  /** The address it comes from. */
  readonly from: string;
  /** How it was recognised. */
  readonly by: 'loopback' | 'basic' | 'token' | 'session' | 'nothing';
  /** Aborted when what it was recognised by is not valid any more; undefined: it always is. */
  readonly end?: (() => AbortSignal | undefined) | undefined;
}

/** May a caller do what needs this role? */
export function mayAct(caller: Pick<Caller, 'role'>, role: Role): boolean {
  return caller.role !== 'none' && ROLES.indexOf(caller.role) >= ROLES.indexOf(role);
}
