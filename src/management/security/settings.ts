import type { Role } from './caller.ts';

/** A user as `[[management.users]]` says; one of the three ways to give the password. */
export interface ConfiguredUser {
  readonly name: string;
  readonly role: Role;
  /** As {@link hashPassword} makes it. */
  readonly passwordHash: string | undefined;
  readonly password: string | undefined;
  /** The alias of a secret that is the password. */
  readonly passwordSecret: string | undefined;
}

/** An access token as `[[management.tokens]]` says. */
export interface ConfiguredToken {
  readonly name: string;
  readonly role: Role;
  readonly token: string | undefined;
  /** SHA-256 of it, in hexadecimal. */
  readonly tokenHash: string | undefined;
  /** The alias of a secret that is the token. */
  readonly tokenSecret: string | undefined;
}

export interface SecuritySettings {
  readonly users: readonly ConfiguredUser[];
  readonly tokens: readonly ConfiguredToken[];
}
