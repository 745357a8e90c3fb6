import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConfigurationFlags, readConfiguration } from '../../src/config/config.ts';
import { OPTIONS, type OptionKey, variableOf } from '../../src/config/options.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(toml: string, environment: Record<string, string> = {}, flags: ConfigurationFlags = {}) {
  const config = join(folder, 'deployment.toml');
  writeFileSync(config, toml);
  return readConfiguration({ config, ...flags }, environment);
}

const effective = (key: string, ...how: Parameters<typeof read>) =>
  read(...how).effective.find((one) => one.key === key);

describe('where a setting comes from', () => {
  const KEY = 'transport.http.listener.port';
  const TOML = '# ports\n[transport.http]\nlistener.port = 8281\n';
  const VARIABLE = { MINI_SYNAPSE_TRANSPORT_HTTP_LISTENER_PORT: '8282' };

  it('is told: flags over the environment over the file over defaults', () => {
    expect(effective(KEY, '')).toMatchObject({ value: 8280, origin: 'default', default: 8280 });
    expect(effective(KEY, TOML)).toMatchObject({
      value: 8281,
      origin: 'file',
      where: join(folder, 'deployment.toml:3'),
    });
    expect(effective(KEY, TOML, VARIABLE)).toMatchObject({
      value: 8282,
      origin: 'environment',
      where: 'MINI_SYNAPSE_TRANSPORT_HTTP_LISTENER_PORT',
    });
    expect(effective(KEY, TOML, VARIABLE, { httpPort: 8283 })).toMatchObject({
      value: 8283,
      origin: 'flag',
      where: '--http-port',
    });
    expect(read(TOML, VARIABLE).httpPort).toBe(8282);
  });

  it('counts the offset in, but not for flags', () => {
    const toml = '[server]\noffset = 10\n';
    expect(effective(KEY, toml)).toMatchObject({ value: 8290, origin: 'default' });
    expect(effective(KEY, toml, {}, { httpPort: 1 })).toMatchObject({ value: 1 });
  });

  it('is found in dotted keys and tables', () => {
    const toml = '[mini_synapse.log]\nlevel = "warn"\n[mediation]\n"synapse.global_timeout_interval" = 7\n';
    expect(effective('mini_synapse.log.level', toml)?.where).toMatch(/:2$/);
    expect(effective('mediation.synapse.global_timeout_interval', toml)).toMatchObject({ value: 7, origin: 'file' });
    expect(effective('mediation.synapse.global_timeout_interval', toml)?.where).toMatch(/:4$/);
    expect(
      effective('mediation.synapse.global_timeout_interval', '[synapse]\ncompat.profile = "apache"\n')?.value,
    ).toBe(86_400_000);
  });

  it.each([
    [{ MINI_SYNAPSE_TRANSPORT_HTTP_LISTENER_PORT: '70000' }, /LISTENER_PORT is "70000", expected an integer from 0/],
    [{ MINI_SYNAPSE_KEEP_STATE: 'yes' }, /MINI_SYNAPSE_KEEP_STATE is "yes", expected true or false/],
    [{ MINI_SYNAPSE_LOG_LEVEL: 'loud' }, /expected one of: fatal, error/],
  ])('%j is a mistake', (environment, text) => expect(() => read('', environment)).toThrow(text));

  it('a wrong value is one even where something else wins', () => {
    expect(() => read('[transport.http]\nlistener.port = "x"\n', VARIABLE, { httpPort: 1 })).toThrow(/listener.port/);
  });
});

it('secrets are masked, also in tables', () => {
  const toml = `[[datasource]]\nid = "d"\nurl = "jdbc:mysql://u:topsecret@h/x"\npassword = "topsecret"\nother_passwords = ["topsecret", ["topsecret"]]\n
[[management.users]]\nname = "a"\npassword = "topsecret"\n[mini_synapse.configs]\ndb_password = "topsecret"\napi_token_secret = "topsecret"\npassword_secret = "topsecret"\nclient_secrets = "topsecret"\nplace = "here"\n[mini_synapse]\nsecrets = "folder"\n`;
  const { effective: settings } = read(toml);
  expect(JSON.stringify(settings)).not.toContain('topsecret');
  expect(settings.find(({ key }) => key === 'mini_synapse.configs')?.value).toContain('here');
  expect(settings.find(({ key }) => key === 'mini_synapse.secrets')?.value).toContain('folder');
});

it('the name of a secret is none', () => {
  const secrets = join(folder, 'secrets');
  const toml = '[[management.users]]\nname = "a"\npassword_secret = "named"\n';
  expect(effective('management.users', toml)?.value).toBe('[{"name":"a","password_secret":"named"}]');
  expect(effective('mini_synapse.secrets', `[mini_synapse]\nsecrets = "${secrets}"\n`)?.value).toBe(secrets);
});

it('every option has a variable of its own, a description and a value of its type', () => {
  const keys = Object.keys(OPTIONS) as OptionKey[];
  expect(new Set(keys.map(variableOf)).size).toBe(keys.length);
  for (const { key, description } of read('').effective) {
    expect(description, key).not.toBe('');
    expect(keys).toContain(key);
  }
});
