import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/config/config.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function withToml(toml: string, flags = {}) {
  const config = join(folder, 'deployment.toml');
  writeFileSync(config, toml);
  return readConfiguration({ config, ...flags });
}

describe('the configuration', () => {
  it('has the ports of the contract without any file', () => {
    expect(readConfiguration()).toMatchObject({
      httpPort: 8280,
      httpsPort: 8243,
      managementPort: 9164,
      host: '127.0.0.1',
      watch: true,
      globalTimeoutMs: 120_000,
      storeDeadlineMs: 10_000,
      limits: { maxBodyBytes: 16 * 1024 * 1024, maxXmlNodes: 2_000_000, maxParts: 1_000_000 },
    });
  });

  it("reads MI's names, shifts ports by the offset, and lets flags win", () => {
    const configuration = withToml(
      `[server]
       offset = 10
       hot_deployment = false
       [transport.http]
       listener.port = 8280
       [mediation]
       "synapse.global_timeout_interval" = 5000
       [some.other.section]
       ignored = true`,
      { managementPort: 0 },
    );
    expect(configuration).toMatchObject({
      httpPort: 8290,
      httpsPort: 8253,
      managementPort: 0,
      watch: false,
      globalTimeoutMs: 5000,
    });
  });

  it('tells of what has no effect here, as MI has many more keys', () => {
    const { unknown } = withToml(
      `[server]
       hostname = "localhost"
       offset = 1
       [user_store]
       type = "read_only_ldap"
       [transport.http]
       listener.enable = true
       sender.port = 1
       [[datasource]]
       id = "Db"
       url = "jdbc:sqlite:x"
       pool_options.maxActive = 5
       [keystore.tls]
       file_name = "wso2carbon.jks"
       [management_api.jwt_token_security_handler]
       enable = true
       [mediation]
       flow.statistics.enable = true`,
    );
    expect(unknown?.replace(/^.*: /, '').split(', ')).toEqual([
      'server.hostname',
      'user_store',
      'transport.http.listener.enable',
      'transport.http.sender',
      'datasource.pool_options',
      'keystore.tls',
      'management_api.jwt_token_security_handler',
      'mediation.flow',
    ]);
    expect(
      withToml('[server]\noffset = 1\n[mediation]\n"synapse.global_timeout_interval" = 5').unknown,
    ).toBeUndefined();
  });

  it('takes what MI has and nearly is the name of something that is read here', () => {
    const { unknown } = withToml(
      `[transport.https]
       listener.class = "org.example.Listener"
       [transport.tcp]
       listener.enable = true
       [management_api.cors]
       enabled = true`,
    );
    expect(unknown?.replace(/^.*: /, '').split(', ')).toEqual([
      'transport.https',
      'transport.tcp',
      'management_api.cors',
    ]);
  });

  it('takes names with dots without quotes and truth values as texts, as files of MI have them', () => {
    const { globalTimeoutMs, watch, unknown } = withToml(
      `[server]
       hot_deployment = "false"
       [mediation]
       synapse.global_timeout_interval = "7000"
       synapse.core_threads = 20`,
    );
    expect({ globalTimeoutMs, watch }).toEqual({ globalTimeoutMs: 7000, watch: false });
    expect(unknown?.replace(/^.*: /, '')).toBe('mediation.synapse.core_threads');
    expect(() => withToml('[server]\nhot_deployment = "no"')).toThrow(/is "no", expected true or false/);
    expect(() => withToml('[mediation]\nsynapse.global_timeout_intervall = 5')).toThrow(
      /deployment\.toml:2: unknown key 'mediation\.synapse\.global_timeout_intervall', did you mean/,
    );
  });

  it.each([
    [
      '[management_api]\nbind_adress = "::1"',
      /deployment\.toml:2: unknown key 'management_api\.bind_adress', did you mean 'bind_address'/,
    ],
    ['[server]\nofset = 1', /unknown key 'server\.ofset', did you mean 'offset'/],
    ['[transport.http]\nlistener.prot = 1', /unknown key 'transport\.http\.listener\.prot', did you mean 'port'/],
    ['[transport.htpp]\nlistener.port = 1', /unknown key 'transport\.htpp', did you mean 'http'/],
    ['[mini_synaps]\ndata = "d"', /unknown key 'mini_synaps', did you mean 'mini_synapse'/],
    ['[observability]\nsampling = 1', /unknown key 'observability\.sampling', expected one of: .*tracing/],
    [
      '[[datasource]]\nid = "a"\nurl = "b"\npasword = "c"',
      /unknown key 'datasource\.pasword', did you mean 'password'/,
    ],
  ])('refuses a misspelt key of any table: %j', (toml, message) => {
    expect(() => withToml(toml)).toThrow(message);
  });

  it('maps provider URLs to STOMP URLs and takes paths relative to the file', () => {
    const configuration = withToml(
      `[mini_synapse]
       data = "state"
       [[mini_synapse.jms]]
       provider_url = "tcp://localhost:61616"
       stomp_url = "stomp://127.0.0.1:45001"`,
    );
    expect(configuration.stompUrls.get('tcp://localhost:61616')).toBe('stomp://127.0.0.1:45001');
    expect(configuration.data).toBe(join(folder, 'state'));
  });

  it.each([
    ['[mini_synapse]\nmax_body_byte = 1', /unknown key 'mini_synapse\.max_body_byte', did you mean 'max_body_bytes'/],
    [
      '[transport.http]\nlistener.port = 70000',
      /'transport\.http\.listener\.port' is 70000, expected an integer from 0 to 65535/,
    ],
    ['[server]\noffset = ', /deployment\.toml:2:10/],
    ['[mini_synapse.tls]\nkey = "k.pem"', /needs both 'key' and 'certificate'/],
  ])('refuses %j naming file, key and expectation', (toml, message) => {
    expect(() => withToml(toml)).toThrow(message);
  });

  it('maps classes to modules, relative to the file', () => {
    const { extensions } = withToml(
      `[[mini_synapse.extension]]
       class = "com.acme.MyStore"
       module = "./extensions/my-store.ts"
       [[mini_synapse.extension]]
       class = "com.acme.Other"
       module = "/opt/other.mjs"
       deadline_ms = 500`,
    );
    expect([...extensions.values()]).toEqual([
      { className: 'com.acme.MyStore', file: join(folder, 'extensions/my-store.ts'), deadlineMs: 30_000 },
      { className: 'com.acme.Other', file: '/opt/other.mjs', deadlineMs: 500 },
    ]);
  });

  it.each([
    ['class = "a.B"', /\[\[mini_synapse\.extension\]\] needs 'class' and 'module'/],
    ['class = "a.B"\nmodul = "b.ts"', /unknown key 'mini_synapse\.extension\[0\]\.modul', did you mean 'module'/],
    ['class = "a.B"\nmodule = "B.java"', /the module of class 'a\.B' is "B\.java", expected a file that ends in \.js/],
    ['class = "a.B"\nmodule = "b.ts"\ndeadline_ms = 0', /deadline_ms' is 0, expected an integer from 1 to 600000/],
    [
      'class = "a.B"\nmodule = "b.ts"\n[[mini_synapse.extension]]\nclass = "a.B"\nmodule = "c.ts"',
      /class 'a\.B' is mapped to two modules/,
    ],
  ])('refuses the mapping %j', (entry, message) => {
    expect(() => withToml(`[[mini_synapse.extension]]\n${entry}`)).toThrow(message);
  });

  it('refuses a named file that is not there', () => {
    expect(() => readConfiguration({ config: join(folder, 'none.toml') })).toThrow(/none\.toml cannot be read/);
  });
});

describe('the cluster', () => {
  it('is not there unless it is asked for', () => {
    expect(readConfiguration().cluster).toBeUndefined();
    expect(withToml('[mini_synapse.cluster]\nnode_id = "a"').cluster).toBeUndefined();
  });

  it("has a name for the node, also MI's, and the reference's times", () => {
    expect(withToml('[mini_synapse.cluster]\nenabled = true\n[cluster_config]\nnode_id = "node-1"').cluster).toEqual({
      node: 'node-1',
      group: 'default',
      leaseMs: 15_000,
    });
    const unnamed = withToml('[mini_synapse.cluster]\nenabled = true\ngroup = "g"\nlease_ms = 3000', { data: folder });
    expect(unnamed.cluster).toMatchObject({ group: 'g', leaseMs: 3000 });
    expect(unnamed.cluster?.node).toMatch(/-[0-9a-f]{8}$/);
  });

  it('refuses leases that are too long, and misspelt keys', () => {
    const wrong = (lines: string) => () => withToml(`[mini_synapse.cluster]\nenabled = true\n${lines}`);
    expect(wrong('lease_ms = 60000')).toThrow(/lease_ms' is 60000, expected an integer from 3000 to 30000/);
    expect(wrong('nodeid = "a"')).toThrow(/unknown key 'mini_synapse.cluster.nodeid', did you mean 'node_id'/);
  });
});
