import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { trustedBy } from '../broker/trust.ts';
import { isJks, readJks } from './jks.ts';

/** A key store of Java, as the `rabbitmq.connection.ssl.*` parameters name it. */
export interface KeyStoreSettings {
  readonly location: string;
  /** `JKS`, `PKCS12` or `PEM`; undefined: by its content, as Java does. */
  readonly type: string | undefined;
  readonly password: string;
}

export interface TlsSettings {
  /** Our key and certificate. */
  readonly keyStore: KeyStoreSettings | undefined;
  /** The certificates that a broker may be trusted by. */
  readonly trustStore: KeyStoreSettings | undefined;
  /** The certificates of the configuration (PEM), trusted beside the well-known ones when there is no trust store. */
  readonly trustedCertificates?: string | undefined;
  readonly version: string | undefined;
  /** Check the certificate and the name of the host, the certificate alone, or nothing at all. */
  readonly verify: 'full' | 'ca' | 'none';
}

/** TLS cannot be set up as it is wanted (REQ-38): the store must not work without it. The message has no secrets. */
export class TlsSettingsError extends Error {
  override readonly name = 'TlsSettingsError';
}

type Versions = Pick<ConnectionOptions, 'minVersion' | 'maxVersion'>;

/** Names of Java's SSLContext. What is older is insecure, and refused by brokers of today. */
const VERSIONS: ReadonlyMap<string, Versions> = new Map<string, Versions>([
  ['TLS', {}],
  ['SSL', {}],
  ['DEFAULT', {}],
  ['TLSV1.2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }],
  ['TLSV1.3', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }],
]);

/**
 * What `tls.connect` needs. The files are read now, so that everything that is wrong with them is known at deployment.
 * @throws TlsSettingsError
 */
export function tlsOptions(settings: TlsSettings): ConnectionOptions {
  const { keyStore, trustStore, trustedCertificates: configured, version, verify } = settings;
  const ca = trustStore ? trustedCertificates(trustStore) : trustedBy(undefined, configured);
  const versions = VERSIONS.get((version ?? 'TLS').toUpperCase());
  if (!versions) throw new TlsSettingsError(`the protocol '${version}' is not supported, TLSv1.2 and TLSv1.3 are`);
  const options: ConnectionOptions = {
    ...versions,
    ...(ca && { ca: [...ca] }),
    ...(keyStore && ownKey(keyStore)),
    rejectUnauthorized: verify !== 'none',
    ...(verify === 'ca' && { checkServerIdentity: () => undefined }),
  };
  return options;
}

interface Entries {
  /** PEM. */
  readonly certificates: readonly string[];
  readonly keys: ReadonlyArray<{ readonly key: string; readonly chain: readonly string[] }>;
}

function trustedCertificates(store: KeyStoreSettings): readonly string[] {
  const { certificates, keys } = readStore(store);
  // Java takes the certificates of keys for trusted ones, too.
  const trusted = [...certificates, ...keys.flatMap(({ chain }) => chain.slice(0, 1))];
  if (trusted.length === 0) throw problem(store, 'it has no certificates');
  return trusted;
}

function ownKey(store: KeyStoreSettings): Pick<ConnectionOptions, 'key' | 'cert'> {
  const [first] = readStore(store).keys;
  if (!first) throw problem(store, 'it has no private key');
  if (first.chain.length === 0) throw problem(store, 'it has no certificate of its private key');
  const pair = { key: first.key, cert: first.chain.join('\n') };
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw problem(store, 'its private key and its certificate do not belong together', cause);
  }
  return pair;
}

function readStore(store: KeyStoreSettings): Entries {
  const bytes = readBytes(store);
  const type = (store.type ?? '').toUpperCase();
  if (type !== '' && !['JKS', 'PKCS12', 'PEM'].includes(type)) {
    throw problem(store, `the type '${store.type}' is not supported: JKS, PKCS12 and PEM are`);
  }
  // Java reads either kind under either name; so does everybody who relies on that.
  try {
    if (isJks(bytes)) return readJava(bytes, store.password);
    if (bytes.includes('-----BEGIN ')) return readPem(bytes, store.password);
    return readPkcs12(bytes, store.password);
  } catch (cause) {
    if (cause instanceof TlsSettingsError) throw cause;
    throw problem(store, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function readBytes(store: KeyStoreSettings): Buffer {
  try {
    return readFileSync(store.location);
  } catch (cause) {
    throw problem(store, (cause as NodeJS.ErrnoException).code ?? String(cause), cause);
  }
}

function problem({ location }: KeyStoreSettings, what: string, cause?: unknown): TlsSettingsError {
  return new TlsSettingsError(`the key store ${location} cannot be used: ${what}`, { cause });
}

function readJava(bytes: Buffer, password: string): Entries {
  const { certificates, keys } = readJks(bytes, password);
  return {
    certificates: certificates.map(certificatePem),
    keys: keys.map(({ key, chain }) => ({ key: keyPem(key), chain: chain.map(certificatePem) })),
  };
}

function readPem(bytes: Buffer, passphrase: string): Entries {
  const text = bytes.toString('latin1');
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/.exec(text)?.[0];
  for (const certificate of certificates) new X509Certificate(certificate);
  if (key === undefined) return { certificates, keys: [] };
  const plain = createPrivateKey({ key, passphrase }).export({ type: 'pkcs8', format: 'pem' });
  return { certificates: [], keys: [{ key: String(plain), chain: certificates }] };
}

/** The parts of node-forge that are used; it is loaded only here, as it takes 12 MB. */
type Forge = typeof import('node-forge');

/**
 * Node.js uses PKCS #12 files itself, but does not hand out the certificates of one, which is what a trust store consists of.
 * @throws Error when the password is wrong or the file is damaged
 */
function readPkcs12(bytes: Buffer, password: string): Entries {
  const forge = createRequire(import.meta.url)('node-forge') as Forge;
  const { asn1, pkcs12, pki } = forge;
  const der = (value: import('node-forge').asn1.Asn1) => Buffer.from(asn1.toDer(value).getBytes(), 'latin1');
  const store = pkcs12.pkcs12FromAsn1(asn1.fromDer(bytes.toString('latin1')), false, password);
  const bags = (type: string | undefined) => (type === undefined ? [] : (store.getBags({ bagType: type })[type] ?? []));
  const certificates = bags(pki.oids.certBag).map(({ cert, asn1: raw }) =>
    certificatePem(der(cert ? pki.certificateToAsn1(cert) : raw)),
  );
  const keys = [...bags(pki.oids.pkcs8ShroudedKeyBag), ...bags(pki.oids.keyBag)].map(({ key, asn1: raw }) =>
    keyPem(der(key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(key)) : raw)),
  );
  const [only] = keys;
  if (only === undefined) return { certificates, keys: [] };
  return { certificates: [], keys: [{ key: only, chain: ownFirst(only, certificates) }] };
}

/** TLS wants the certificate of the key first; a PKCS #12 file has them in any order. */
function ownFirst(key: string, certificates: readonly string[]): readonly string[] {
  const privateKey = createPrivateKey(key);
  const own = certificates.find((certificate) => new X509Certificate(certificate).checkPrivateKey(privateKey));
  return own === undefined ? certificates : [own, ...certificates.filter((certificate) => certificate !== own)];
}

function certificatePem(der: Uint8Array): string {
  return new X509Certificate(der).toString();
}

function keyPem(der: Uint8Array): string {
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}
