import { parseFlags, takeArguments, wordFlag } from './arguments.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { confirmed, newPassword } from './show/prompt.ts';
import { printable } from './show/terminal.ts';
import { SESSION_REVOKE, USER_ADD, USER_PASSWORD, USER_REMOVE, USER_ROLE } from './table/administering.ts';

const ROLES = ['viewer', 'operator', 'admin'] as const;
const USERS = '/management/users';

/** `mini-synapse user add NAME`. */
export async function userAdd(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, USER_ADD.options);
  const [userId] = takeArguments(positionals, ['NAME'], USER_ADD);
  const role = wordFlag('role', values.role, ROLES) ?? 'viewer';
  const client = await connect(values, io);
  const password = await newPassword(io, `Password of ${printable(userId)}: `);
  return told((await client.send('POST', USERS, { body: { userId, password, role } })).body, values, io);
}

/** `mini-synapse user password NAME`. */
export async function userPassword(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, USER_PASSWORD.options);
  const [userId] = takeArguments(positionals, ['NAME'], USER_PASSWORD);
  const client = await connect(values, io);
  const password = await newPassword(io, `New password of ${printable(userId)}: `);
  return told((await client.send('PATCH', pathOf(userId), { body: { newPassword: password } })).body, values, io);
}

/** `mini-synapse user role NAME ROLE`. */
export async function userRole(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, USER_ROLE.options);
  const [userId, written] = takeArguments(positionals, ['NAME', 'ROLE'], USER_ROLE);
  const role = wordFlag('role', written, ROLES);
  const client = await connect(values, io);
  return told((await client.send('PATCH', pathOf(userId), { body: { role } })).body, values, io);
}

/** `mini-synapse user remove NAME...`. */
export async function userRemove(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, USER_REMOVE.options);
  if (positionals.length === 0) throw new UsageError(`NAME is missing; expected: ${USER_REMOVE.name} NAME...`);
  const client = await connect(values, io);
  await confirmed(`Remove ${positionals.length === 1 ? 'user' : 'users'} ${positionals.join(', ')}?`, values.yes, io);
  const bodies: unknown[] = [];
  for (const userId of positionals) {
    const { body } = await client.send('DELETE', pathOf(userId));
    bodies.push(body);
    if (!values.json) told(body, values, io);
  }
  return values.json ? json(bodies.length === 1 ? bodies[0] : bodies, io) : EXIT.fine;
}

/** `mini-synapse session revoke ID...`. */
export async function sessionRevoke(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, SESSION_REVOKE.options);
  if (positionals.length === 0) throw new UsageError(`ID is missing; expected: ${SESSION_REVOKE.name} ID...`);
  const client = await connect(values, io);
  const bodies: unknown[] = [];
  for (const id of positionals) {
    const { body } = await client.send('DELETE', `/management/sessions/${encodeURIComponent(id)}`);
    bodies.push(body);
    if (!values.json) io.stdout.write(`${printable(`${id}: revoked`)}\n`);
  }
  return values.json ? json(bodies.length === 1 ? bodies[0] : bodies, io) : EXIT.fine;
}

function pathOf(userId: string): string {
  return `${USERS}/${encodeURIComponent(userId)}`;
}

function told(body: unknown, flags: { readonly json?: boolean | undefined }, io: CommandIo): number {
  if (flags.json) return json(body, io);
  const { userId, status } = body as { readonly userId: string; readonly status: string };
  io.stdout.write(`${printable(`${userId}: ${status.toLowerCase()}`)}\n`);
  return EXIT.fine;
}
