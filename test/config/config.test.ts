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
      limits: { maxBodyBytes: 16 * 1024 * 1024 },
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

  it('refuses a named file that is not there', () => {
    expect(() => readConfiguration({ config: join(folder, 'none.toml') })).toThrow(/none\.toml cannot be read/);
  });
});
