import { parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT, environmentOf } from './io.ts';
import { RefusedError } from './remote/client.ts';
import { basic, clientFor, passwordOf, serverUrl } from './remote/connect.ts';
import { keepLogin, keptLogin } from './remote/logins.ts';
import { printable } from './show/terminal.ts';
import { LOGIN, LOGOUT } from './table/looking.ts';

/** The server's tokens are valid so long, ms; a minute less, so that none is used that has just expired. */
const LIFETIME_MS = 3_540_000;

interface Session {
  readonly user: string;
  readonly role: string;
}

/** `mini-synapse login`: keeps a token in a file that only its owner can read. */
export async function login(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, LOGIN.options);
  takeArguments(positionals, [], LOGIN);
  const environment = environmentOf(io);
  const base = serverUrl(values, io);
  let token = values.token;
  let expiresAt: string | undefined;
  if (token === undefined) {
    const user = values.user ?? (environment.MINI_SYNAPSE_USER || 'admin');
    const client = await clientFor(base, values, basic(user, await passwordOf(user, io)));
    try {
      ({ AccessToken: token } = await client.get<{ readonly AccessToken: string }>('/management/login'));
    } catch (error) {
      if (!(error instanceof RefusedError) || error.status !== 401) throw error;
      throw new RefusedError(`the user '${user}' or the password is wrong`, 401, {});
    }
    expiresAt = new Date(Date.now() + LIFETIME_MS).toISOString();
  }
  const client = await clientFor(base, values, `Bearer ${token}`);
  const { user, role } = await client.get<Session>('/management/session');
  const file = await keepLogin(environment, base.origin, {
    token,
    user,
    ...(expiresAt !== undefined && { expiresAt }),
  });
  io.stdout.write(`Logged in at ${base.origin} as ${printable(user)} (${printable(role)}); kept in ${file}\n`);
  return EXIT.fine;
}

/** `mini-synapse logout`. */
export async function logout(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, LOGOUT.options);
  takeArguments(positionals, [], LOGOUT);
  const environment = environmentOf(io);
  const base = serverUrl(values, io);
  const kept = await keptLogin(environment, base.origin);
  // Forgotten in any case, also when the server is gone.
  await keepLogin(environment, base.origin, undefined);
  if (kept?.expiresAt !== undefined) {
    const client = await clientFor(base, values, `Bearer ${kept.token}`);
    await client.get('/management/logout').catch((error: unknown) => {
      if (!(error instanceof RefusedError)) throw error;
    });
  }
  io.stdout.write(kept ? `Logged out from ${base.origin}\n` : `There was no login for ${base.origin}\n`);
  return EXIT.fine;
}
