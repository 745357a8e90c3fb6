import { isIPv4 } from 'node:net';
import { ROLES, type Role } from '../management/security/caller.ts';
import { isPasswordHash } from '../management/security/passwords.ts';
import type { ConfiguredToken, ConfiguredUser, SecuritySettings } from '../management/security/settings.ts';
import type { Settings } from './settings.ts';
import { ConfigurationError, type TomlReader } from './toml-reader.ts';

/** What `[management]` says beside host and port, which stand in MI's `[management_api]`. */
export interface ManagementSettings extends SecuritySettings {
  /** HTTPS with the certificate of the HTTPS listener. */
  readonly tls: boolean;
  /** The server is only ready while these message stores are (OP-74). */
  readonly requiredStores: readonly string[];
  /** A faulty artifact makes it unready (OP-74). */
  readonly strictHealth: boolean;
  /** The least role that is shown what messages contain (OP-81). */
  readonly bodies: 'viewer' | 'operator';
}

const MIN_TOKEN_LENGTH = 16;

/**
 * Reads `[management]`, `[[management.users]]`, `[[management.tokens]]`, and MI's `[[internal_apis.users]]`.
 * @throws ConfigurationError also where the API would be reached from other machines without TLS and credentials (OP-80)
 */
export function readManagement(toml: TomlReader, settings: Settings): ManagementSettings {
  const host = settings.get('management_api.bind_address');
  const own = toml.table('management');
  own.refuseUnknown(['tls', 'users', 'tokens', 'required_stores', 'strict_health']);
  toml.table('console').refuseUnknown(['bodies']);
  const users = [...own.tables('users').map(readUser), ...toml.tables('internal_apis.users').map(readReferenceUser)];
  const tokens = own.tables('tokens').map(readToken);
  refuseTwice(toml, 'management.users', users);
  const management = {
    tls: settings.get('management.tls'),
    requiredStores: settings.get('management.required_stores'),
    strictHealth: settings.get('management.strict_health'),
    bodies: settings.get('console.bodies'),
    users,
    tokens,
  };
  if (!isLoopback(host)) refuseExposure(toml, host, management);
  return management;
}

/** Is an address of this machine that others cannot reach? */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

function refuseExposure(toml: TomlReader, host: string, { tls, users, tokens }: ManagementSettings): void {
  const missing = [
    ...(users.length + tokens.length === 0 ? ['[[management.users]] or [[management.tokens]]'] : []),
    ...(tls ? [] : ['tls = true in [management]']),
  ];
  if (missing.length === 0) return;
  throw new ConfigurationError(
    `${toml.file}: the management API would be open to other machines on ${host}; it needs ${missing.join(' and ')}, or bind_address = "127.0.0.1" in [management_api]`,
  );
}

function readUser(entry: TomlReader): ConfiguredUser {
  entry.refuseUnknown(['name', 'role', 'password_hash', 'password', 'password_secret']);
  const name = required(entry, 'name');
  const passwordHash = entry.text('password_hash');
  const password = entry.text('password');
  const passwordSecret = entry.text('password_secret');
  exactlyOne(entry, name, { password_hash: passwordHash, password, password_secret: passwordSecret });
  if (passwordHash !== undefined && !isPasswordHash(passwordHash))
    throw wrong(entry, `the password_hash of '${name}' is none; mini-synapse hash-password makes one`);
  return { name, role: roleOf(entry), passwordHash, password, passwordSecret };
}

/** `user.name`, `user.password`, `user.is_admin`: who is no admin may look and steer, as there. */
function readReferenceUser(entry: TomlReader): ConfiguredUser {
  const name = entry.text('user.name');
  const password = entry.text('user.password');
  if (!name || !password) throw wrong(entry, "needs 'user.name' and 'user.password'");
  const role = entry.boolean('user.is_admin') ? 'admin' : 'operator';
  return { name, role, password, passwordHash: undefined, passwordSecret: undefined };
}

function readToken(entry: TomlReader): ConfiguredToken {
  entry.refuseUnknown(['name', 'role', 'token', 'token_hash', 'token_secret']);
  const name = required(entry, 'name');
  const token = entry.text('token');
  const tokenHash = entry.text('token_hash');
  const tokenSecret = entry.text('token_secret');
  exactlyOne(entry, name, { token, token_hash: tokenHash, token_secret: tokenSecret });
  if (tokenHash !== undefined && !/^[\da-f]{64}$/i.test(tokenHash))
    throw wrong(entry, `the token_hash of '${name}' is no SHA-256 in hexadecimal`);
  if (token !== undefined && token.length < MIN_TOKEN_LENGTH)
    throw wrong(entry, `the token of '${name}' is shorter than ${MIN_TOKEN_LENGTH} characters`);
  return { name, role: roleOf(entry), token, tokenHash, tokenSecret };
}

function roleOf(entry: TomlReader): Role {
  return entry.oneOf('role', ROLES) ?? 'viewer';
}

function required(entry: TomlReader, key: string): string {
  const text = entry.text(key)?.trim();
  if (!text || /[:\s]/.test(text)) throw wrong(entry, `needs '${key}', without blanks and colons`);
  return text;
}

function exactlyOne(entry: TomlReader, name: string, values: Readonly<Record<string, string | undefined>>): void {
  if (Object.values(values).filter((value) => value !== undefined && value !== '').length === 1) return;
  throw wrong(entry, `'${name}' needs one of: ${Object.keys(values).join(', ')}`);
}

function refuseTwice(toml: TomlReader, table: string, entries: readonly { readonly name: string }[]): void {
  const names = entries.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ConfigurationError(`${toml.file}: [[${table}]] has '${twice}' twice`);
}

function wrong(entry: TomlReader, text: string): ConfigurationError {
  return new ConfigurationError(`${entry.file}: ${entry.tablePath}: ${text}`);
}
