import type { KeyStoreSettings, SecuritySettings, UserSettings } from '../security/settings.ts';
import { ConfigurationError, type TomlReader } from './toml-reader.ts';

/**
 * Keys and users for WS-Security: MI's `[keystore.primary]` and `[truststore]`, and `[[mini_synapse.security.keystore]]` and
 * `[[mini_synapse.security.user]]` of ours. Passwords may be written as `$secret{alias}`.
 * @throws ConfigurationError
 */
export function readSecurity(toml: TomlReader): SecuritySettings {
  toml.table('mini_synapse.security').refuseUnknown(['keystore', 'user']);
  const primary = readKeyStore(toml.table('keystore.primary'), 'file_name', 'keystore.primary');
  const others = toml.tables('mini_synapse.security.keystore').map((entry) => {
    entry.refuseUnknown(['file', 'password', 'alias', 'key_password']);
    const store = readKeyStore(entry, 'file', '[mini_synapse.security.keystore]');
    if (store) return store;
    throw new ConfigurationError(`${toml.file}: [[mini_synapse.security.keystore]] needs 'file'`);
  });
  return {
    keyStores: primary ? [primary, ...others] : others,
    trustStore: readKeyStore(toml.table('truststore'), 'file_name', 'truststore'),
    users: readUsers(toml),
  };
}

/** Undefined when it names no file. */
function readKeyStore(table: TomlReader, fileKey: string, name: string): KeyStoreSettings | undefined {
  const file = table.path(fileKey);
  if (file === undefined) return undefined;
  const password = table.text('password');
  if (password === undefined) throw new ConfigurationError(`${table.file}: [${name}] has a file and no 'password'`);
  return { file, password, alias: table.text('alias'), keyPassword: table.text('key_password') };
}

function readUsers(toml: TomlReader): Map<string, UserSettings> {
  const users = new Map<string, UserSettings>();
  for (const entry of toml.tables('mini_synapse.security.user')) {
    entry.refuseUnknown(['name', 'password', 'roles']);
    const name = entry.text('name')?.trim();
    const password = entry.text('password');
    if (!name || !password) {
      throw new ConfigurationError(`${toml.file}: [[mini_synapse.security.user]] needs 'name' and 'password'`);
    }
    if (users.has(name)) throw new ConfigurationError(`${toml.file}: the security user '${name}' is given twice`);
    users.set(name, { password, roles: (entry.text('roles') ?? '').split(/[\s,]+/).filter((role) => role !== '') });
  }
  return users;
}
