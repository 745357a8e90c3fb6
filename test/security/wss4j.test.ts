import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type PolicyParts, policyXml, rampart } from './policies.ts';
import { engineWith, FIXTURES, opened, USERS } from './two-sides.ts';

/** When the messages of Apache WSS4J 2.4.3 were made. */
const NOW = Date.parse('2026-11-22T05:20:00Z');
const USER: PolicyParts = { binding: 'transport', signed: '', encrypted: '' };

describe('messages that WSS4J has secured', () => {
  it.each<[string, PolicyParts]>([
    ['asym', {}],
    ['gcm', { suite: 'Basic256GCM' }],
    ['uttext', { ...USER, usernameToken: {} }],
    ['utdigest', { ...USER, usernameToken: { hash: true } }],
  ])('%s', async (file, parts) => {
    const text = readFileSync(`${FIXTURES}wss4j/${file}.xml`, 'utf8');
    const bob = {
      engine: engineWith(USERS, () => NOW),
      policy: policyXml({ ...parts, rampart: rampart('bob', 'useReqSigCert', 'bob.jks') }),
    };
    const { text: plain } = await opened(bob, text, { secureTransport: true });
    expect(plain).toContain('IBM &amp; Söhne');
    expect(plain).not.toContain('wsse:Security');
    await expect(opened(bob, text, { secureTransport: true })).rejects.toThrow('has come before');
  });
});
