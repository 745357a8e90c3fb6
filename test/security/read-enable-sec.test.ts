import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/config/config.ts';
import { ConfigElement } from '../../src/grammar/element.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { checkLocalPolicy } from '../../src/security/check-local-policy.ts';
import { readEndpointSecurity, readProxySecurity } from '../../src/security/read-enable-sec.ts';
import { policyXml } from './policies.ts';
import { parsed } from './two-sides.ts';

function reading<T>(text: string, read: (element: ConfigElement, reader: ArtifactReader) => T) {
  const reader = new ArtifactReader();
  const value = read(new ConfigElement(parsed(text), { file: 'a.xml', text }), reader);
  const problems = reader.diagnostics.map(
    ({ severity, message, position }) => `${position.line} ${severity}: ${message}`,
  );
  return { value, problems, references: reader.references.map(({ kind, name }) => `${kind} ${name}`) };
}
const endpoint = (inside: string) => reading(`<address uri="http://a">${inside}</address>`, readEndpointSecurity);
const proxy = (inside: string) => reading(`<proxy name="p">${inside}</proxy>`, readProxySecurity);

describe('<enableSec> of endpoints', () => {
  it('one policy for both directions, or one for each', () => {
    const both = endpoint('<enableSec policy="p"/>');
    expect([both.value?.outbound?.static, both.value?.inbound?.static]).toEqual(['p', 'p']);
    expect(both.references).toEqual(['localEntry p']);
    const each = endpoint('<enableSec policy="p" inboundPolicy="i" outboundPolicy="o"/>');
    expect([each.value?.outbound?.static, each.value?.inbound?.static]).toEqual(['o', 'i']);
    const one = endpoint('<enableSec outboundPolicy="o"/>');
    expect([one.value?.outbound?.static, one.value?.inbound]).toEqual(['o', undefined]);
    expect(endpoint('').value).toBeUndefined();
  });

  it('the key may be an expression', () => {
    const { value, references } = endpoint('<enableSec policy="{get-property(\'p\')}"/>');
    expect(value?.outbound?.expression?.source).toContain('get-property');
    expect(references).toEqual([]);
    expect(endpoint('<enableSec policy="{((}"/>').problems[0]).toContain('error:');
  });

  it('without a policy, or with something misspelt, it is warned about', () => {
    expect(endpoint('<enableSec/>').problems).toEqual([
      '1 warning: <enableSec> names no policy: messages are neither secured nor checked',
    ]);
    expect(endpoint('<enableSec policy="p" inPolicy="i"/>').problems).toEqual([
      expect.stringContaining("unknown attribute 'inPolicy'"),
    ]);
  });
});

describe('<enableSec/> of proxies', () => {
  it('policies for one direction or both', () => {
    expect(proxy('<enableSec/><policy key="k"/>').value).toEqual({ inbound: 'k', outbound: 'k' });
    expect(proxy('<policy key="i" type="in"/><policy key="o" type="out"/><enableSec/>').value).toEqual({
      inbound: 'i',
      outbound: 'o',
    });
    expect(proxy('<policy key="k"/>').value).toBeUndefined();
  });

  it('what would leave messages unsecured is said', () => {
    expect(proxy('<enableSec/>').problems).toEqual([
      '1 warning: <enableSec> without a <policy>: messages are neither secured nor checked',
    ]);
    expect(proxy('<enableSec/><policy/>').problems[0]).toBe('1 error: a policy needs a key');
    expect(proxy('<enableSec/><policy key="k" operationName="o"/>').problems[0]).toBe(
      '1 error: policies of single operations are not supported',
    );
  });
});

it('what a policy in a local entry cannot have is warned about where it stands', () => {
  const { problems } = reading(policyXml({ suite: 'Basic512', more: '\n<sp:SignedElements/>' }), checkLocalPolicy);
  expect(problems).toEqual([
    expect.stringMatching(
      /^\d+ warning: the security assertion <Basic512> is not supported: messages that this policy is for are refused$/,
    ),
    expect.stringMatching(/<SignedElements> is not supported/),
  ]);
  expect(reading(policyXml(), checkLocalPolicy).problems).toEqual([]);
  const throttling =
    '<wsp:Policy xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"><t:MediatorThrottleAssertion xmlns:t="urn:t"/></wsp:Policy>';
  expect(reading(throttling, checkLocalPolicy).problems).toEqual([]);
});

describe('deployment.toml', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-toml-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (toml: string) => {
    const config = join(folder, 'deployment.toml');
    writeFileSync(config, toml);
    return readConfiguration({ config }, {}).security;
  };

  it('key stores and users', () => {
    const security = read(`[keystore.primary]
file_name = "keys.jks"
password = "one"
alias = "me"
key_password = "$secret{key}"
[truststore]
file_name = "trust.p12"
password = "two"
[[mini_synapse.security.keystore]]
file = "other.pem"
password = ""
[[mini_synapse.security.user]]
name = "alice"
password = "$secret{alice}"
roles = "admin, clerk"
`);
    expect(security.keyStores).toEqual([
      { file: join(folder, 'keys.jks'), password: 'one', alias: 'me', keyPassword: '$secret{key}' },
      { file: join(folder, 'other.pem'), password: '', alias: undefined, keyPassword: undefined },
    ]);
    expect(security.trustStore).toMatchObject({ file: join(folder, 'trust.p12') });
    expect(security.users.get('alice')).toEqual({ password: '$secret{alice}', roles: ['admin', 'clerk'] });
  });

  it.each([
    ['[keystore.primary]\nfile_name = "a"', "[keystore.primary] has a file and no 'password'"],
    ['[[mini_synapse.security.keystore]]\npassword = "a"', "[[mini_synapse.security.keystore]] needs 'file'"],
    ['[[mini_synapse.security.user]]\nname = "a"', "[[mini_synapse.security.user]] needs 'name' and 'password'"],
    ['[mini_synapse.security]\nusers = 1', "unknown key 'mini_synapse.security.users'"],
  ])('%s', (toml, message) => {
    expect(() => read(toml)).toThrow(message);
  });
});
