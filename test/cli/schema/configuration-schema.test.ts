import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commentedConfiguration } from '../../../src/cli/commented-configuration.ts';
import { configurationSchema } from '../../../src/cli/schema/configuration-schema.ts';
import { readConfiguration } from '../../../src/config/config.ts';
import { OPTIONS, type Option } from '../../../src/config/options.ts';
import { ConfigurationError } from '../../../src/config/toml-reader.ts';

const schema = configurationSchema();
const validate = new Ajv2020({ strict: false }).compile(schema);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-schema-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the server says of a configuration. */
function serverTakes(toml: string): boolean {
  const config = join(folder, 'deployment.toml');
  writeFileSync(config, toml);
  try {
    readConfiguration({ config }, {});
    return true;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return false;
  }
}

const quoted = (path: readonly string[]) => path.map((part) => JSON.stringify(part)).join('.');

/** `"a"."b" = value`. */
function setting(path: readonly string[], value: unknown): string {
  return `${quoted(path)} = ${JSON.stringify(value)}\n`;
}

const options = Object.entries(OPTIONS) as Array<[string, Option]>;
const pathOf = ([key, { path }]: [string, Option]) => path ?? key.split('.');

function valuesOf({ type, words = [], minimum, maximum }: Option): unknown[] {
  const wrong = ['no-such-word', true, -1, 1.5, [], ['a'], [1], type === 'integer' ? String(maximum) : '7'];
  if (type === 'integer') return [...wrong, minimum, maximum, (maximum ?? 0) + 1, (minimum ?? 0) - 1];
  return [...wrong, ...words, false, 'text', ['a', 'b']];
}

describe('the schema of deployment.toml (OP-127)', () => {
  it('has every setting, with its description', () => {
    for (const option of options) {
      let found: unknown = schema;
      for (const part of pathOf(option)) found = (found as { properties: Record<string, unknown> }).properties[part];
      expect(found, option[0]).toMatchObject({ description: expect.stringContaining(option[1].description) });
    }
  });

  it.each(options.map((option) => [option[0], option] as const))('%s: takes what the server takes', (key, option) => {
    // Not loopback wants users, too; an endpoint is a URL; one half of TLS wants the other; a missing file is no matter of types.
    const beyond = /bind_address|otlp\.endpoint|tls\.(?:key|certificate)|file_properties/.test(key);
    for (const value of valuesOf(option[1])) {
      if (beyond && typeof value === 'string') continue;
      const toml = setting(pathOf(option), value);
      expect(validate(parse(toml)), toml).toBe(serverTakes(toml));
    }
  });

  const HASH = `"${'a'.repeat(64)}"`;
  it.each([
    ['[mini_synapse]\nartefacts = "x"', false],
    ['[mini_synapse.cluster]\nnode = "x"', false],
    ['[management]\ntsl = true', false],
    ['[console]\nbody = "viewer"', false],
    ['[server]\nother = 1', true],
    ['[transport.http]\nsocket_timeout = 180000', true],
    ['[[management.users]]\nname = "olga"\nrole = "operator"\npassword = "x"', true],
    ['[[management.users]]\nname = "olga"\nrole = "boss"\npassword = "x"', false],
    ['[[management.users]]\nname = "olga"', false],
    ['[[management.users]]\nname = "olga"\npassword = "x"\npassword_secret = "y"', false],
    ['[[management.users]]\nname = "ol ga"\npassword = "x"', false],
    [`[[management.tokens]]\nname = "robot"\ntoken_hash = ${HASH}`, true],
    ['[[management.tokens]]\nname = "robot"\ntoken = "short"', false],
    ['[[management.tokens]]\nname = "robot"\ntoken_hash = "short"', false],
    ['[[internal_apis.users]]\nuser.name = "olga"\nuser.password = "x"\nuser.is_admin = true', true],
    ['[[internal_apis.users]]\nuser.name = "olga"', false],
    ['[[datasource]]\nid = "a"\nurl = "jdbc:sqlite:a.db"', true],
    ['[[datasource]]\nid = "a"', false],
    ['[[mini_synapse.jms]]\nprovider_url = "tcp://b:1"\nstomp_url = "stomp://b:2"', true],
    ['[[mini_synapse.jms]]\nprovider_url = "tcp://b:1"', false],
    ['[[mini_synapse.extension]]\nclass = "a.B"\nmodule = "./b.ts"\ndeadline_ms = 5', true],
    ['[[mini_synapse.extension]]\nclass = "a.B"\nmodule = "./b.txt"', false],
    ['[[mini_synapse.extension]]\nclass = "a.B"\nmodule = "./b.ts"\ndeadline_ms = 0', false],
    ['[[mini_synapse.extension]]\nclass = "a.B"\nmodule = "./b.ts"\nother = 5', false],
    ['[mini_synapse.configs]\na = "x"\nb = 1\nc = true', true],
    ['[mini_synapse.configs]\na = ["x"]', false],
    ['[[mini_synapse.security.keystore]]\nfile = "a.jks"\npassword = "x"', true],
    ['[[mini_synapse.security.keystore]]\nfile = "a.jks"', false],
    ['[[mini_synapse.security.user]]\nname = "a"\npassword = "x"\nroles = "r"', true],
    ['[[mini_synapse.security.user]]\nname = "a"', false],
    ['[keystore.primary]\nfile_name = "a.jks"\npassword = "x"', true],
    ['[keystore.primary]\nfile_name = "a.jks"', false],
    ['[truststore]\nfile_name = "a.jks"\npassword = "x"', true],
    ['[[alerts.webhook]]\nurl = "https://a.b/c"\nevents = []', false],
    ['[[alerts.webhook]]\nurl = "https://a.b/c"\nheader = "X-Key"\nheader_secret = "k"', true],
    ['[[alerts.webhook]]\nurl = "https://a.b/c"\nheader = "X-Key"', false],
    ['[[alerts.webhook]]\nurl = "ftp://a.b/c"', false],
    ['[[alerts.webhook]]\nname = "x"', false],
  ])('%j: %s, by the schema and by the server', (toml, takes) => {
    expect({ schema: validate(parse(toml)), server: serverTakes(toml) }).toEqual({ schema: takes, server: takes });
  });

  it('takes what init writes, with every comment taken away', () => {
    const written = commentedConfiguration()
      .split('\n')
      .map((line) => line.replace(/^# ("[^"]*"|[\w-]+) = /, '$1 = '))
      .filter((line) => !line.endsWith('= ""') && !/"\.\.\."|scrypt/.test(line))
      .filter((line) => !/^(?:name = "alice"|role|id = |url = )/.test(line))
      .join('\n');
    expect(written).toContain('\nport = 9164\n');
    validate(parse(written));
    expect(validate.errors).toBeNull();
  });
});
