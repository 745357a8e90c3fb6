import type { KeyObject, X509Certificate } from 'node:crypto';
import { basename } from 'node:path';
import { certificateEntry, type KeyEntry, type KeyStore, keyEntry } from './key-store.ts';
import { type KeyStores, noSuchStore } from './key-stores.ts';
import { type MessageKeys, NO_KEYS, type OwnKey } from './message-keys.ts';
import type { CryptoPolicy, SecurityPolicy } from './policy.ts';
import { SecuritySetupError } from './security-failure.ts';
import type { KeyStoreSettings, SecuritySettings } from './settings.ts';
import { means } from './token-reference.ts';
import { trustedCertificates } from './trust.ts';
import type { Users } from './users.ts';

/** Encrypt for whoever signed the request. */
const REQUEST_SIGNER = 'useReqSigCert';

/** A key store as one part of a policy means it. */
interface OpenedStore {
  readonly store: KeyStore;
  readonly alias: string | undefined;
  /** What the private keys may be protected with, the most likely one first. */
  readonly passwords: readonly string[];
}

/** What the settings and secrets say, looked up when it is needed. */
export interface KeySources {
  readonly settings: SecuritySettings;
  readonly stores: KeyStores;
  readonly users: Users;
  /** What a password as written stands for. @throws SecuritySetupError for a secret that nobody knows */
  secret(written: string): string;
}

/**
 * The keys that a policy works with: from the key stores that its RampartConfig names, else from the first of deployment.toml.
 * @throws SecuritySetupError when a key store that is named cannot be read
 */
export async function resolveKeys(policy: SecurityPolicy, sources: KeySources): Promise<MessageKeys> {
  const { rampart } = policy;
  const fallback = sources.settings.keyStores[0];
  const open = async (crypto: CryptoPolicy | undefined) =>
    crypto ? openPolicyStore(crypto, sources) : fallback && openConfigured(fallback, sources);
  const signature = await open(rampart.signatureCrypto ?? rampart.encryptionCrypto);
  const encryption = await open(rampart.encryptionCrypto ?? rampart.signatureCrypto);
  const decryption = await open(rampart.decryptionCrypto ?? rampart.encryptionCrypto ?? rampart.signatureCrypto);
  const trust = await trustStores(policy, sources);
  const opened = [signature, encryption, decryption].filter((store) => store !== undefined);
  if (opened.length === 0 && trust.length === 0) return NO_KEYS;
  return new PolicyKeys(policy, { signature, encryption, decryption, trust }, sources.users);
}

async function openPolicyStore(crypto: CryptoPolicy, sources: KeySources): Promise<OpenedStore> {
  const name = crypto.file ?? crypto.storeName;
  if (name === undefined) {
    const [first] = sources.settings.keyStores;
    if (!first) throw noSuchStore('(the policy names none)');
    return openConfigured(first, sources, crypto);
  }
  const configured = sources.settings.keyStores.find(({ file }) => basename(file) === basename(name));
  const place = crypto.file === undefined ? undefined : await sources.stores.find(crypto.file);
  if (place === undefined) {
    if (configured) return openConfigured(configured, sources, crypto);
    throw noSuchStore(name);
  }
  const password = sources.secret(crypto.password ?? configured?.password ?? '');
  const store = await sources.stores.read(place, password);
  return { store, alias: crypto.alias, passwords: passwordsOf(crypto, configured, password, sources) };
}

async function openConfigured(
  settings: KeyStoreSettings,
  sources: KeySources,
  crypto?: CryptoPolicy,
): Promise<OpenedStore> {
  const password = sources.secret(settings.password);
  const store = await sources.stores.read(settings.file, password);
  return {
    store,
    alias: crypto?.alias ?? settings.alias,
    passwords: passwordsOf(crypto, settings, password, sources),
  };
}

function passwordsOf(
  crypto: CryptoPolicy | undefined,
  settings: KeyStoreSettings | undefined,
  storePassword: string,
  { secret }: KeySources,
): string[] {
  const written = [crypto?.keyPassword, settings?.keyPassword].filter((password) => password !== undefined);
  return [...written.map(secret), storePassword];
}

async function trustStores({ rampart }: SecurityPolicy, sources: KeySources): Promise<KeyStore[]> {
  const stores: KeyStore[] = [];
  const { trustStore } = sources.settings;
  if (trustStore) stores.push(await sources.stores.read(trustStore.file, sources.secret(trustStore.password)));
  for (const crypto of [rampart.signatureCrypto, rampart.encryptionCrypto]) {
    if (crypto?.trustFile === undefined) continue;
    const place = await sources.stores.find(crypto.trustFile);
    if (place === undefined) throw noSuchStore(crypto.trustFile);
    stores.push(await sources.stores.read(place, sources.secret(crypto.trustPassword ?? '')));
  }
  return stores;
}

interface PolicyStores {
  readonly signature: OpenedStore | undefined;
  readonly encryption: OpenedStore | undefined;
  readonly decryption: OpenedStore | undefined;
  readonly trust: readonly KeyStore[];
}

/** The keys of one policy in the stores that it names. */
class PolicyKeys implements MessageKeys {
  readonly certificates: readonly X509Certificate[];
  readonly trusted: readonly X509Certificate[];
  readonly #policy: SecurityPolicy;
  readonly #stores: PolicyStores;
  readonly #users: Users;
  /** Unlocked once. */
  readonly #unlocked = new Map<KeyEntry, KeyObject>();

  constructor(policy: SecurityPolicy, stores: PolicyStores, users: Users) {
    this.#policy = policy;
    this.#stores = stores;
    this.#users = users;
    const { signature, encryption, decryption, trust } = stores;
    const all = [signature?.store, encryption?.store, decryption?.store, ...trust].filter(
      (store) => store !== undefined,
    );
    this.trusted = trustedCertificates([...new Set(all)]);
    this.certificates = this.trusted;
  }

  signing(): OwnKey {
    const { signature } = this.#stores;
    if (!signature) return NO_KEYS.signing();
    const { userCertificate, user } = this.#policy.rampart;
    const wanted = [userCertificate, user, signature.alias].filter((alias) => alias !== undefined);
    const [only, second] = signature.store.keys;
    const entry =
      wanted.map((alias) => keyEntry(signature.store, alias)).find((found) => found !== undefined) ??
      (wanted.length === 0 && !second ? only : undefined);
    if (entry) return { certificate: entry.certificate, key: this.#unlock(entry, signature) };
    throw new SecuritySetupError(
      `the key store ${signature.store.file} has no private key '${wanted.join("' or '")}' to sign with`,
    );
  }

  encryption(): X509Certificate | undefined {
    const { encryption } = this.#stores;
    const alias = this.#policy.rampart.encryptionUser;
    if (alias === undefined || alias === REQUEST_SIGNER) return undefined;
    const stores = [...(encryption ? [encryption.store] : []), ...this.#stores.trust];
    const found = stores.map((store) => certificateEntry(store, alias)).find((entry) => entry !== undefined);
    if (found) return found;
    const files = stores.map(({ file }) => file).join(', ');
    throw new SecuritySetupError(
      `no key store has a certificate '${alias}' to encrypt for: ${files || 'there is none'}`,
    );
  }

  decryption(reference: Parameters<MessageKeys['decryption']>[0]): KeyObject | undefined {
    for (const opened of [this.#stores.decryption, this.#stores.signature]) {
      const entry = opened?.store.keys.find(({ certificate }) => means(reference, certificate));
      if (opened && entry) return this.#unlock(entry, opened);
    }
    return undefined;
  }

  /** A user of the key's name has its password, as the reference's password callbacks have it. */
  #unlock(entry: KeyEntry, { passwords }: OpenedStore): KeyObject {
    const known = this.#unlocked.get(entry);
    if (known) return known;
    const ofUser = this.#users.find(entry.alias)?.password;
    let failure: unknown;
    for (const password of ofUser === undefined ? passwords : [ofUser, ...passwords]) {
      try {
        const key = entry.privateKey(password);
        this.#unlocked.set(entry, key);
        return key;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }
}
