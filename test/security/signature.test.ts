import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type AlgorithmSuite, algorithmSuite } from '../../src/security/algorithm-suite.ts';
import { ElementIds, make } from '../../src/security/elements.ts';
import { makeSignature, readSignature, type SignatureKey, verifySignature } from '../../src/security/signature.ts';
import { readArtifactFile } from '../../src/synapse/artifact-file.ts';
import { elementChildren, serializeXml, type XmlDocument, type XmlElement } from '../../src/xml/index.ts';
import { policyXml } from './policies.ts';
import { parsed } from './two-sides.ts';

const WSU = 'xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"';
const SUITE = algorithmSuite('Basic256Sha256') as AlgorithmSuite;
const KEY: SignatureKey = { kind: 'symmetric', secret: Buffer.from('a secret of both') };

/** A document with a signature over the elements of those ids. */
function signed(text: string, ids: readonly string[], key: SignatureKey = KEY): string {
  const root = parsed(text);
  const known = new ElementIds(root);
  const document = root.ownerDocument as XmlDocument;
  const elements = ids.map((id) => ({ id, element: known.find(id) as XmlElement }));
  const keyReference = make(document, 'wsse', 'SecurityTokenReference');
  root.appendChild(makeSignature(document, { elements, suite: SUITE, key, keyReference }).element);
  return serializeXml(root);
}

function verified(text: string, key: SignatureKey = KEY): string[] {
  const root = parsed(text);
  const signature = elementChildren(root).at(-1) as XmlElement;
  const covered = verifySignature(readSignature(signature, SUITE), key, new ElementIds(root), SUITE);
  return covered.map(({ nodeName }) => nodeName);
}

const TEXT = `<e ${WSU} xmlns:x="urn:x"><a wsu:Id="a"><b wsu:Id="b" t="x:y"/></a><c wsu:Id="c"/></e>`;

describe('signatures', () => {
  it('cover the elements that they name', () => {
    expect(verified(signed(TEXT, ['a', 'c']))).toEqual(['a', 'c']);
  });

  it('also what prefixes in values mean', () => {
    const text = signed(TEXT, ['a']);
    expect(() => verified(text.replace('xmlns:x="urn:x"', 'xmlns:x="urn:other"'))).toThrow(
      '<a> is not what was signed',
    );
  });

  it('are refused where they name elements inside each other, or one twice', () => {
    for (const ids of [
      ['a', 'b'],
      ['c', 'c'],
    ])
      expect(() => verified(signed(TEXT, ids))).toThrow('refers to something twice');
    expect(() => verified(signed(TEXT, []))).toThrow('has 0 references');
  });

  it('are refused with another key, another kind of key, or another value', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const text = signed(TEXT, ['a']);
    expect(() => verified(text, { kind: 'symmetric', secret: Buffer.from('another') })).toThrow(
      'the value of a signature is wrong',
    );
    expect(() => verified(text, { kind: 'asymmetric', key: publicKey })).toThrow('does not allow this signature');
    const rsa = signed(TEXT, ['a'], { kind: 'asymmetric', key: privateKey });
    expect(verified(rsa, { kind: 'asymmetric', key: publicKey })).toEqual(['a']);
    // The public key as if it were a secret, the classic confusion of algorithms.
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const confused = signed(TEXT, ['a'], { kind: 'symmetric', secret: Buffer.from(pem) });
    expect(() => verified(confused, { kind: 'asymmetric', key: publicKey })).toThrow('does not allow this signature');
  });

  it('need RSA keys that are long enough', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 768 });
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const { privateKey } of [short, curve])
      expect(() => signed(TEXT, ['a'], { kind: 'asymmetric', key: privateKey })).toThrow('no RSA key of enough bits');
    const long = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const text = signed(TEXT, ['a'], { kind: 'asymmetric', key: long.privateKey });
    expect(() => verified(text, { kind: 'asymmetric', key: short.publicKey })).toThrow('no RSA key of enough bits');
  });

  it('look up no more prefixes than anybody needs', () => {
    const long = Array.from({ length: 65 }, (_, index) => `p${index}`).join(' ');
    const text = signed(TEXT, ['a']).replace(/PrefixList="[^"]*"/, `PrefixList="${long}"`);
    expect(() => verified(text)).toThrow(/a PrefixList is too long|the value of a signature is wrong/);
    const method = signed(TEXT, ['a']).replace(
      /(<ds:CanonicalizationMethod [^>]*)\/>/,
      `$1><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="${long}"/></ds:CanonicalizationMethod>`,
    );
    expect(() => verified(method)).toThrow('a PrefixList is too long');
  });

  it.each([
    [
      'inclusive canonicalization',
      /(CanonicalizationMethod Algorithm=")[^"]*/,
      '$1http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
    ],
    [
      'another signature algorithm',
      /(SignatureMethod Algorithm=")[^"]*/,
      '$1http://www.w3.org/2000/09/xmldsig#dsa-sha1',
    ],
  ])('%s is refused', (_, pattern, replacement) => {
    expect(() => verified(signed(TEXT, ['a']).replace(pattern, replacement))).toThrow('does not allow this');
  });
});

it('a file that holds a policy is no artifact, and no mistake', () => {
  const lookup = { environment: () => undefined, fileProperty: () => undefined, configuration: () => undefined };
  const reading = readArtifactFile({ file: 'policy.xml', text: policyXml() }, lookup as never);
  expect([reading.artifacts, reading.diagnostics]).toEqual([[], []]);
});
