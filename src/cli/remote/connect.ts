import { readFile } from 'node:fs/promises';
import { type CommandIo, environmentOf, UsageError } from '../io.ts';
import { hidden } from '../show/prompt.ts';
import { ManagementClient } from './client.ts';
import { keptLogin } from './logins.ts';

const DEFAULT_URL = 'http://127.0.0.1:9164';

/** The flags of {@link CONNECTION}. */
export interface ConnectionFlags {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly user?: string | undefined;
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/**
 * A client as flags and environment say. Credentials: `--token`, `--user`, MINI_SYNAPSE_TOKEN, MINI_SYNAPSE_USER, what `login` has
 * kept; else none, which is enough for a server on this machine without users.
 * @throws UsageError
 */
export async function connect(flags: ConnectionFlags, io: CommandIo): Promise<ManagementClient> {
  const base = serverUrl(flags, io);
  return clientFor(base, flags, await authorization(flags, base, io));
}

/** @throws UsageError when the CA file cannot be read */
export async function clientFor(base: URL, flags: ConnectionFlags, authorization?: string): Promise<ManagementClient> {
  return new ManagementClient({ base, authorization, ca: await certificates(flags.ca), insecure: flags.insecure });
}

/** @throws UsageError */
export function serverUrl(flags: ConnectionFlags, io: CommandIo): URL {
  const written = flags.url ?? (environmentOf(io).MINI_SYNAPSE_URL || DEFAULT_URL);
  const url = URL.parse(written);
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  throw new UsageError(`--url ${written}: expected something like ${DEFAULT_URL}`);
}

async function authorization(flags: ConnectionFlags, base: URL, io: CommandIo): Promise<string | undefined> {
  const environment = environmentOf(io);
  if (flags.token !== undefined) return `Bearer ${flags.token}`;
  if (flags.user !== undefined) return basic(flags.user, await passwordOf(flags.user, io));
  if (environment.MINI_SYNAPSE_TOKEN) return `Bearer ${environment.MINI_SYNAPSE_TOKEN}`;
  const user = environment.MINI_SYNAPSE_USER;
  if (user) return basic(user, await passwordOf(user, io));
  const login = await keptLogin(environment, base.origin);
  return login && `Bearer ${login.token}`;
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** MINI_SYNAPSE_PASSWORD, or what is typed. @throws UsageError without either */
export async function passwordOf(user: string, io: CommandIo): Promise<string> {
  const given = environmentOf(io).MINI_SYNAPSE_PASSWORD;
  if (given) return given;
  const typed = await hidden(`Password of ${user}: `, io);
  if (typed === undefined)
    throw new UsageError('the password is missing: MINI_SYNAPSE_PASSWORD, or a terminal to ask on');
  return typed;
}

async function certificates(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`--ca ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
