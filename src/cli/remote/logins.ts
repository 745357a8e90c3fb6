import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `login` keeps for one server. */
export interface KeptLogin {
  readonly token: string;
  readonly user: string;
  /** ISO 8601; absent: it does not expire. */
  readonly expiresAt?: string;
}

/** `$XDG_CONFIG_HOME/mini-synapse/logins.json`, or `~/.config/…`. */
export function loginsFile(environment: Environment): string {
  const folder = environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config');
  return join(folder, 'mini-synapse', 'logins.json');
}

/** The login for a server; undefined when there is none or it has expired. */
export async function keptLogin(
  environment: Environment,
  origin: string,
  now = Date.now(),
): Promise<KeptLogin | undefined> {
  const login = (await readLogins(loginsFile(environment)))[origin];
  if (typeof login?.token !== 'string') return undefined;
  return login.expiresAt !== undefined && Date.parse(login.expiresAt) <= now ? undefined : login;
}

/** Keeps or, without a login, forgets it. The file is readable by its owner only (0600). Returns its name. */
export async function keepLogin(
  environment: Environment,
  origin: string,
  login: KeptLogin | undefined,
): Promise<string> {
  const file = loginsFile(environment);
  const { [origin]: _, ...others } = await readLogins(file);
  const logins = login ? { ...others, [origin]: login } : others;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(logins, undefined, 2)}\n`, { mode: 0o600 });
    await chmod(temporary, 0o600);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return file;
}

/** A file that is not there, or that somebody has broken, has no logins. */
async function readLogins(file: string): Promise<Record<string, KeptLogin>> {
  try {
    const found: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof found === 'object' && found !== null ? (found as Record<string, KeptLogin>) : {};
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
