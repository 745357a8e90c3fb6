import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import { chainOf } from './certificates.ts';
import type { CertificateEntry, KeyEntry } from './key-store.ts';
import { SecuritySetupError } from './security-failure.ts';

/** The parts of node-forge that are used; it is loaded only here, as it takes 12 MB. */
type Forge = typeof import('node-forge');
type Bag = import('node-forge').pkcs12.Bag;

interface FoundCertificate {
  readonly alias: string;
  readonly localId: string | undefined;
  readonly certificate: X509Certificate;
}

/**
 * Reads a PKCS#12 file. The certificates of the keys' own issuers are part of their chains and make nobody else trusted.
 * @throws SecuritySetupError when the password is wrong
 */
export function readPkcs12(
  bytes: Buffer,
  password: string,
): { keys: readonly KeyEntry[]; certificates: readonly CertificateEntry[] } {
  const forge = createRequire(import.meta.url)('node-forge') as Forge;
  const content = open(forge, bytes, password);
  const certificates = bagsOf(content, forge.pki.oids.certBag).flatMap((bag) => certificateIn(forge, bag));
  const keys = [...bagsOf(content, forge.pki.oids.pkcs8ShroudedKeyBag), ...bagsOf(content, forge.pki.oids.keyBag)].map(
    (bag) => keyIn(forge, bag, certificates),
  );
  const own = new Set(keys.flatMap(({ chain }) => chain));
  return { keys, certificates: certificates.filter(({ certificate }) => !own.has(certificate)) };
}

function open(forge: Forge, bytes: Buffer, password: string) {
  try {
    return forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(bytes.toString('latin1')), false, password);
  } catch (cause) {
    const wrong = cause instanceof Error && /password|MAC/i.test(cause.message);
    throw new SecuritySetupError(wrong ? 'its password is wrong' : 'it is damaged, or encrypted in a way not known', {
      cause,
    });
  }
}

function bagsOf(content: import('node-forge').pkcs12.Pkcs12Pfx, bagType: string | undefined): Bag[] {
  return bagType === undefined ? [] : (content.getBags({ bagType })[bagType] ?? []);
}

function certificateIn(forge: Forge, bag: Bag): FoundCertificate[] {
  const der = bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1;
  const certificate = new X509Certificate(Buffer.from(forge.asn1.toDer(der).getBytes(), 'latin1'));
  return [{ alias: nameOf(bag), localId: localIdOf(bag), certificate }];
}

function keyIn(forge: Forge, bag: Bag, certificates: readonly FoundCertificate[]): KeyEntry {
  const alias = nameOf(bag);
  const info = bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1;
  const der = Buffer.from(forge.asn1.toDer(info).getBytes(), 'latin1');
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const id = localIdOf(bag);
  const own =
    certificates.find(({ localId, certificate }) => localId === id && certificate.checkPrivateKey(key)) ??
    certificates.find(({ certificate }) => certificate.checkPrivateKey(key));
  if (!own) throw new SecuritySetupError(`the private key '${alias}' has no certificate`);
  const others = certificates.map(({ certificate }) => certificate);
  return { alias, certificate: own.certificate, chain: chainOf(own.certificate, others), privateKey: constant(key) };
}

function constant(key: KeyObject): () => KeyObject {
  return () => key;
}

function nameOf({ attributes }: Bag): string {
  const [name] = (attributes as Record<string, unknown[] | undefined>).friendlyName ?? [];
  return typeof name === 'string' ? name : '';
}

function localIdOf({ attributes }: Bag): string | undefined {
  const [id] = (attributes as Record<string, unknown[] | undefined>).localKeyId ?? [];
  return typeof id === 'string' ? id : undefined;
}
