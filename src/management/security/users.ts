import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeWholeFile } from '../whole-file.ts';
import type { Role } from './caller.ts';
import { hashPassword, isPasswordHash, verifyPassword } from './passwords.ts';

const MAX_USERS = 1_000;

export interface User {
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string;
  /** Users of the configuration are changed there. */
  readonly configured: boolean;
}

/** The file with users cannot be read or understood. */
export class UsersFileError extends Error {
  override readonly name = 'UsersFileError';
}

/** Who may log in: users of the configuration, and those that were made at run time and are kept in a file of the data folder. */
export class Users {
  readonly #file: string;
  readonly #byName = new Map<string, User>();
  /** Two at once could end in the wrong order. */
  #saving: Promise<void> = Promise.resolve();

  private constructor(file: string) {
    this.#file = file;
  }

  /** @throws UsersFileError */
  static async open(configured: readonly User[], file: string): Promise<Users> {
    const users = new Users(file);
    for (const user of await readUsers(file)) users.#byName.set(user.name, user);
    // The configuration wins.
    for (const user of configured) users.#byName.set(user.name, user);
    return users;
  }

  get size(): number {
    return this.#byName.size;
  }

  find(name: string): User | undefined {
    return this.#byName.get(name);
  }

  list(): User[] {
    return [...this.#byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** The user with this password. Takes as long for a name that nobody has. */
  async verified(name: string, password: string): Promise<User | undefined> {
    const user = this.#byName.get(name);
    return (await verifyPassword(password, user?.passwordHash)) ? user : undefined;
  }

  /**
   * Makes or changes a user.
   * @param before called when all is ready, right before the user is there or another one; what it throws prevents that
   * @throws RangeError when there are too many, or the password is empty or too long
   */
  async put(user: { name: string; role: Role; password: string | undefined }, before = () => {}): Promise<User> {
    const hash = user.password === undefined ? undefined : await hashPassword(user.password);
    // Meanwhile others may have changed it.
    before();
    const former = this.#byName.get(user.name);
    if (!former && this.#byName.size >= MAX_USERS) throw new RangeError(`There are ${MAX_USERS} users already`);
    const passwordHash = hash ?? former?.passwordHash;
    if (passwordHash === undefined) throw new RangeError('A new user needs a password');
    const next = { name: user.name, role: user.role, passwordHash, configured: false };
    this.#byName.set(user.name, next);
    await this.#save();
    return next;
  }

  async remove(name: string): Promise<void> {
    this.#byName.delete(name);
    await this.#save();
  }

  /** What is there when its turn comes. */
  #save(): Promise<void> {
    const saved = this.#saving.then(() => this.#write());
    // Whoever asked for it is told; the next one is tried all the same.
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  async #write(): Promise<void> {
    const kept = this.list().filter(({ configured }) => !configured);
    const users = kept.map(({ name, role, passwordHash }) => ({ name, role, passwordHash }));
    await mkdir(dirname(this.#file), { recursive: true });
    await writeWholeFile(this.#file, JSON.stringify({ users }, undefined, 2), { private: true });
  }
}

async function readUsers(file: string): Promise<User[]> {
  try {
    const { users } = JSON.parse(await readFile(file, 'utf8')) as { users: User[] };
    return users.map(({ name, role, passwordHash }) => {
      if (!isPasswordHash(passwordHash)) throw new TypeError(`the password of '${name}' is no hash`);
      return { name, role, passwordHash, configured: false };
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new UsersFileError(`The users in ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
