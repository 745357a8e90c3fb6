import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../src/message/soap.ts';
import { canonicalize } from '../../src/security/canonical-xml.ts';
import { firstElement, type XmlElement } from '../../src/xml/index.ts';
import type { PolicyParts } from './policies.ts';
import { envelope, opened, parsed, secured, twoSides } from './two-sides.ts';

const REQUEST =
  '<m:order xmlns:m="urn:m" xsd:x="1"><m:symbol>IBM &amp; Söhne</m:symbol><!-- c --><?p i?><m:empty/></m:order>';
const RESPONSE = '<m:done xmlns:m="urn:m">ok</m:done>';

const KINDS: ReadonlyArray<readonly [string, PolicyParts]> = [
  ['asymmetric, signed and encrypted', {}],
  ['asymmetric, signatures confirmed', { confirmation: true }],
  ['asymmetric, signed only', { encrypted: '' }],
  ['asymmetric, encrypted only', { signed: '', timestamp: false }],
  ['asymmetric, encrypt before signing', { order: 'EncryptBeforeSigning' }],
  ['asymmetric, encrypted signature, protected tokens', { encryptSignature: true, protectTokens: true }],
  ['asymmetric, whole header signed', { signed: '<sp:Body/><sp:Header Namespace="urn:h"/>' }],
  ['asymmetric, by issuer and serial', { inclusion: 'Never', reference: 'RequireIssuerSerialReference' }],
  ['asymmetric, by key identifier', { inclusion: 'Never', reference: 'RequireKeyIdentifierReference' }],
  ['asymmetric, by thumbprint', { inclusion: 'Never', reference: 'RequireThumbprintReference' }],
  ['symmetric', { binding: 'symmetric' }],
  ['symmetric, confirmed', { binding: 'symmetric', confirmation: true }],
  ['symmetric, derived keys', { binding: 'symmetric', derivedKeys: true }],
  ['symmetric, encrypt before signing', { binding: 'symmetric', order: 'EncryptBeforeSigning' }],
  [
    'symmetric, derived keys, encrypt before signing',
    { binding: 'symmetric', order: 'EncryptBeforeSigning', derivedKeys: true },
  ],
  ['symmetric, encrypted signature', { binding: 'symmetric', encryptSignature: true }],
  ['symmetric, with a user', { binding: 'symmetric', usernameToken: { holder: 'SignedEncryptedSupportingTokens' } }],
  ['asymmetric, with a user', { usernameToken: { holder: 'SignedEncryptedSupportingTokens', hash: true } }],
  ['asymmetric, with a signed user', { usernameToken: { holder: 'SignedSupportingTokens' } }],
  ...[
    'Basic128',
    'Basic192',
    'TripleDes',
    'Basic256Rsa15',
    'Basic256Sha256',
    'Basic256Sha256Rsa15',
    'Basic128GCM',
    'Basic256GCM',
  ].map((suite) => [`suite ${suite}`, { suite }] as const),
  ['symmetric suite Basic256GCM', { binding: 'symmetric', suite: 'Basic256GCM', derivedKeys: true }],
  ['symmetric suite TripleDesRsa15', { binding: 'symmetric', suite: 'TripleDesRsa15' }],
];

/** What is in the Body, whatever its declarations stand. */
function content(text: string): string {
  return canonicalize(firstElement(bodyOf(parsed(text))) as XmlElement, { comments: true });
}

describe('a request and its answer', () => {
  it.each(KINDS)('%s', async (_, parts) => {
    const { alice, bob } = twoSides(parts);
    const before = envelope(REQUEST, '<h:one xmlns:h="urn:h">1</h:one>');
    const request = await secured(alice, before);
    const encrypts = parts.encrypted !== '';
    expect(request.text.includes('Söhne')).toBe(!encrypts);
    expect(request.text).toContain(':mustUnderstand="1"');
    const received = await opened(bob, request.text);
    expect(content(received.text)).toBe(content(before));
    expect(received.text).not.toContain('wsse:Security');
    // Without a signature nobody knows for whom the answer is.
    if (received.facts.signer === undefined && parts.binding !== 'symmetric') return;
    const answer = await secured(bob, envelope(RESPONSE), received.facts);
    expect(answer.text.includes('ok</m:done>')).toBe(!encrypts);
    const back = await opened(alice, answer.text, { request: request.facts });
    expect(back.text).toContain(RESPONSE);
  });
});
