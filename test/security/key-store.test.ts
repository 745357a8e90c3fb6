import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  issuerName,
  sameName,
  serialNumber,
  subjectKeyIdentifier,
  thumbprint,
} from '../../src/security/certificates.ts';
import { certificateEntry, keyEntry, readKeyStore } from '../../src/security/key-store.ts';
import { FIXTURES } from './two-sides.ts';

const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const written = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe('key stores', () => {
  it.each(['alice.jks', 'alice.p12'])('%s: keys and certificates', async (file) => {
    const store = await readKeyStore(`${FIXTURES}${file}`, 'password');
    const entry = keyEntry(store, 'ALICE');
    expect(store.keys).toHaveLength(1);
    expect(entry?.certificate.checkPrivateKey(entry.privateKey('password'))).toBe(true);
    expect(certificateEntry(store, 'bob')?.subject).toContain('CN=bob');
    expect(certificateEntry(store, 'alice')).toBe(entry?.certificate);
    expect(keyEntry(store, 'bob')).toBeUndefined();
  });

  it('what the file is called does not matter', async () => {
    const store = await readKeyStore(written('named.jks', readFileSync(`${FIXTURES}alice.p12`)), 'password');
    expect(keyEntry(store, 'alice')).toBeDefined();
  });

  it('PEM: a key finds its certificate', async () => {
    const jks = await readKeyStore(`${FIXTURES}alice.jks`, 'password');
    const [entry] = jks.keys;
    const [trusted] = jks.certificates;
    const pem = `${trusted?.certificate}\n${entry?.certificate}\n${entry?.privateKey('password').export({ type: 'pkcs8', format: 'pem' })}`;
    const store = await readKeyStore(written('both.pem', pem), '');
    expect(keyEntry(store, 'key')?.certificate.subject).toContain('CN=alice');
    expect(certificateEntry(store, 'bob')?.subject).toContain('CN=bob');
    const sealed = entry
      ?.privateKey('password')
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'word' });
    const encrypted = await readKeyStore(written('sealed.pem', `${entry?.certificate}\n${sealed}`), '');
    expect(encrypted.keys[0]?.privateKey('word').type).toBe('private');
    expect(() => encrypted.keys[0]?.privateKey('other')).toThrow('the password of its private key is wrong');
  });

  it.each([
    ['alice.jks', 'its password is wrong, or the file is damaged'],
    ['alice.p12', 'its password is wrong'],
  ])('%s: a wrong password is said, not told', async (file, reason) => {
    const failure = await readKeyStore(`${FIXTURES}${file}`, 'wrong-word').catch((error: Error) => error);
    expect(String(failure)).toContain(reason);
    expect(String(failure)).toContain(file);
    expect(String(failure)).not.toContain('wrong-word');
  });

  it('a wrong password of a key in a JKS', async () => {
    const store = await readKeyStore(`${FIXTURES}alice.jks`, 'password');
    expect(() => store.keys[0]?.privateKey('other')).toThrow("the password of the private key 'alice' is wrong");
  });

  it('other files are refused with what to do', async () => {
    await expect(readKeyStore(written('a.jceks', Buffer.from('cececece00000002', 'hex')), 'x')).rejects.toThrow(
      'convert it',
    );
    await expect(readKeyStore(written('a.txt', 'hello'), 'x')).rejects.toThrow('neither JKS, PKCS#12 nor PEM');
    await expect(readKeyStore(join(folder, 'none'), 'x')).rejects.toThrow('cannot be read');
    const jks = readFileSync(`${FIXTURES}alice.jks`);
    for (let at = 0; at < jks.length; at += 97) {
      const damaged = Buffer.from(jks);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await expect(readKeyStore(written('damaged.jks', damaged), 'password')).rejects.toThrow(/cannot be read|neither/);
    }
  });
});

describe('names of certificates', () => {
  it('are what Java writes', async () => {
    const { keys } = await readKeyStore(`${FIXTURES}alice.jks`, 'password');
    const certificate = keys[0]?.certificate;
    if (!certificate) throw new Error('no certificate');
    const ours = issuerName(certificate);
    expect(ours).toBe('EMAILADDRESS=alice@example.org,CN=alice,OU=Tests\\, and more,O=mini-synapse,C=DE');
    const hex = Buffer.from('alice@example.org').toString('hex');
    expect(sameName(ours, `1.2.840.113549.1.9.1=#1611${hex},CN=alice,OU=Tests\\, and more,O=mini-synapse,C=DE`)).toBe(
      true,
    );
    expect(sameName(ours, 'C=DE, O=mini-synapse, OU="Tests, and more", CN=Alice, E=alice@example.org')).toBe(true);
    expect(sameName(ours, 'CN=alice, O=mini-synapse, C=DE')).toBe(false);
    expect(serialNumber(certificate)).toMatch(/^\d+$/);
    expect(thumbprint(certificate)).toHaveLength(28);
    expect(subjectKeyIdentifier(certificate)).toHaveLength(28);
  });
});
