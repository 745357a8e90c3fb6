import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { algorithmSuite } from '../../src/security/algorithm-suite.ts';
import { pSha1 } from '../../src/security/derived-keys.ts';
import { decryptBytes, encryptBytes } from '../../src/security/encryption.ts';
import { ALGORITHMS } from '../../src/security/names.ts';
import { ReplayCache } from '../../src/security/replay-cache.ts';
import { SecurityFailure } from '../../src/security/security-failure.ts';
import { checkFreshness, readTimestamp } from '../../src/security/timestamp.ts';
import {
  makeUsernameToken,
  passwordDigest,
  passwordMatches,
  readUsernameToken,
} from '../../src/security/username-token.ts';
import { newDocument } from '../../src/xml/index.ts';
import { parsed } from './two-sides.ts';

const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
const RULES = { lifetimeMs: 300_000, skewMs: 60_000 };
const NOW = Date.parse('2026-01-01T12:00:00Z');

describe('timestamps', () => {
  const timestamp = (created: string, expires = '') =>
    readTimestamp(
      parsed(
        `<u:Timestamp xmlns:u="${WSU}"><u:Created>${created}</u:Created>${expires && `<u:Expires>${expires}</u:Expires>`}</u:Timestamp>`,
      ),
    );

  it.each([
    ['2026-01-01T12:00:00Z', '2026-01-01T12:05:00Z'],
    ['2026-01-01T12:00:59.999Z', ''],
    ['2026-01-01T13:00:00.123456+01:00', ''],
    ['2026-01-01T11:54:01Z', '2026-01-01T11:59:01Z'],
  ])('%s to %s is fresh', (created, expires) => {
    expect(() => checkFreshness(timestamp(created, expires), NOW, RULES)).not.toThrow();
  });

  it.each([
    ['2026-01-01T12:01:01Z', '', 'in the future'],
    ['2026-01-01T11:58:00Z', '2026-01-01T11:58:59Z', 'has expired'],
    ['2026-01-01T11:53:59Z', '2026-01-02T11:53:59Z', 'too old'],
    ['2026-01-01T12:00:00Z', '2026-01-01T11:59:59Z', 'has expired'],
  ])('%s to %s is not: %s', (created, expires, reason) => {
    expect(() => checkFreshness(timestamp(created, expires), NOW, RULES)).toThrow(reason);
  });

  it('what is no time is refused', () => {
    expect(() => timestamp('yesterday')).toThrow(SecurityFailure);
    expect(() => timestamp('2026-13-01T00:00:00Z')).toThrow(SecurityFailure);
  });
});

describe('UsernameTokens', () => {
  it('the digest is that of the profile', () => {
    // Base64(SHA-1(nonce + created + password)), computed with OpenSSL.
    expect(passwordDigest(Buffer.from('nonce-of-16-byte'), '2026-01-01T12:00:00Z', 'secret')).toBe(
      'pBBDXW+jB48OQOowVilXhlzPQHk=',
    );
  });

  it.each([true, false])('what is made matches, digest %s', (digest) => {
    const document = newDocument(null, 'x');
    const token = readUsernameToken(makeUsernameToken(document, { user: 'ä b', password: 'p<&', digest, now: NOW }));
    expect(token).toMatchObject({ user: 'ä b', digest });
    expect(passwordMatches(token, 'p<&')).toBe(true);
    expect(passwordMatches(token, 'p<')).toBe(false);
    expect(passwordMatches({ ...token, nonce: undefined }, 'p<&')).toBe(!digest);
  });
});

describe('ciphers', () => {
  const ciphers = [
    [ALGORITHMS.aes128Cbc, 16],
    [ALGORITHMS.aes256Cbc, 32],
    [ALGORITHMS.tripleDesCbc, 24],
    [ALGORITHMS.aes256Gcm, 32],
  ] as const;

  it.each(ciphers)('%s: what is encrypted is decrypted, with another key it is not the same', (algorithm, bytes) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.uint8Array({ minLength: bytes, maxLength: bytes }),
        (plain, key) => {
          const sealed = encryptBytes(Buffer.from(plain), Buffer.from(key), algorithm);
          expect(decryptBytes(sealed, Buffer.from(key), algorithm)).toEqual(Buffer.from(plain));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('authenticated ones notice every change', () => {
    const key = Buffer.alloc(32, 7);
    const sealed = encryptBytes(Buffer.from('plain text'), key, ALGORITHMS.aes256Gcm);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => decryptBytes(changed, key, ALGORITHMS.aes256Gcm)).toThrow('something encrypted cannot be decrypted');
    }
    for (const short of [0, 5, 12, 27])
      expect(() => decryptBytes(sealed.subarray(0, short), key, ALGORITHMS.aes256Gcm)).toThrow(SecurityFailure);
  });
});

it('derived keys are those of P_SHA-1', () => {
  // Computed with an independent implementation of RFC 2246, 5.
  expect(pSha1(Buffer.from('secret'), Buffer.from('labelseed'), 40).toString('hex')).toBe(P_SHA1_OF_SECRET);
});
const P_SHA1_OF_SECRET = '398a38bdc18704ce172ad039bc097bcc5e62c40ae49268d3cf2576dbea00ebc9919efe4acb32e7e0';

describe('suites', () => {
  it('are those of WS-SecurityPolicy', () => {
    expect(algorithmSuite('Basic256')).toMatchObject({
      digests: [ALGORITHMS.sha1],
      ciphers: [ALGORITHMS.aes256Cbc],
      keyTransports: [ALGORITHMS.rsaOaep],
    });
    expect(algorithmSuite('TripleDesSha256Rsa15')).toMatchObject({
      digests: [ALGORITHMS.sha256],
      keyTransports: [ALGORITHMS.rsa15],
    });
    expect(algorithmSuite('Basic128GCM')).toMatchObject({
      asymmetricSignatures: [ALGORITHMS.rsaSha256],
      ciphers: [ALGORITHMS.aes128Gcm],
    });
    for (const name of ['TripleDesGCM', 'basic256', 'Basic256Sha1', '']) expect(algorithmSuite(name)).toBeUndefined();
  });
});

describe('the replay cache', () => {
  const entry = (created: number) => ({ created, expires: created + 1_000 });

  it('knows what came, until it would be too old anyway', () => {
    const cache = new ReplayCache();
    cache.accept('a', entry(1), 1);
    expect(() => cache.accept('a', entry(1), 500)).toThrow('has come before');
    cache.accept('b', entry(2_000), 2_000);
    expect(cache.size).toBe(1);
  });

  it('stays bounded and takes nothing that it may have forgotten', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 100 }), (times) => {
        const cache = new ReplayCache(10);
        const taken = new Set<number>();
        for (const time of times) {
          try {
            cache.accept(`m${time}`, entry(time), 100);
            expect(taken.has(time)).toBe(false);
            taken.add(time);
          } catch (error) {
            expect(error).toBeInstanceOf(SecurityFailure);
          }
          expect(cache.size).toBeLessThanOrEqual(10);
        }
      }),
    );
  });
});
