import { elementChildren, textOf, type XmlElement } from '../xml/index.ts';
import type { CryptoPolicy, RampartSettings } from './policy.ts';

/** What the reference takes where a policy says nothing, seconds. */
const DEFAULTS = { lifetime: 300, skew: 300, nonceLifetime: 300 };
const LONGEST_S = 86_400;

/** Reads a `<RampartConfig>`; undefined: what holds without one. */
export function readRampart(element: XmlElement | undefined): RampartSettings {
  const child = (name: string) => element && elementChildren(element).find(({ localName }) => localName === name);
  const text = (name: string) => {
    const found = child(name);
    return (found && textOf(found).trim()) || undefined;
  };
  const milliseconds = (name: string, fallback: number) => {
    const written = text(name);
    return 1000 * (written && /^\d{1,6}$/.test(written) ? Math.min(Number(written), LONGEST_S) : fallback);
  };
  return {
    user: text('user'),
    userCertificate: text('userCertAlias'),
    encryptionUser: text('encryptionUser') ?? text('encryptionuser'),
    signatureCrypto: readCrypto(child('signatureCrypto')),
    // The reference's own word is the misspelt one.
    encryptionCrypto: readCrypto(child('encryptionCrypto') ?? child('encryptionCypto')),
    decryptionCrypto: readCrypto(child('decryptionCrypto')),
    lifetimeMs: milliseconds('timestampTTL', DEFAULTS.lifetime),
    skewMs: milliseconds('timestampMaxSkew', DEFAULTS.skew),
    nonceLifetimeMs: milliseconds('nonceLifeTime', DEFAULTS.nonceLifetime),
  };
}

/** Merlin's properties go by the names of WSS4J 1 and of WSS4J 2. */
const MERLIN = /^org\.apache\.(?:ws\.security|wss4j)\.crypto\.merlin\.(.*)$/;
const CARBON = /^org\.wso2\.carbon\.security\.crypto\.(.*)$/;

function readCrypto(holder: XmlElement | undefined): CryptoPolicy | undefined {
  const crypto = holder && elementChildren(holder).find(({ localName }) => localName === 'crypto');
  if (!crypto) return undefined;
  const merlin = new Map<string, string>();
  const carbon = new Map<string, string>();
  for (const property of elementChildren(crypto)) {
    const name = property.getAttribute('name') ?? '';
    const value = textOf(property).trim();
    const [, ofMerlin] = MERLIN.exec(name) ?? [];
    const [, ofCarbon] = CARBON.exec(name) ?? [];
    if (ofMerlin !== undefined) merlin.set(ofMerlin, value);
    else if (ofCarbon !== undefined) carbon.set(ofCarbon, value);
  }
  return {
    file: merlin.get('keystore.file') ?? merlin.get('file'),
    password: merlin.get('keystore.password'),
    storeName: carbon.get('privatestore'),
    alias: merlin.get('keystore.alias') ?? merlin.get('alias') ?? carbon.get('alias'),
    keyPassword: merlin.get('keystore.private.password') ?? merlin.get('alias.password'),
    trustFile: merlin.get('truststore.file'),
    trustPassword: merlin.get('truststore.password'),
  };
}

const CARBON_SECURITY = 'http://www.wso2.org/products/carbon/security';

/** The roles of a `<CarbonSecConfig>`, of which a user needs one; none: any user will do. */
export function readAllowedRoles(policy: XmlElement): readonly string[] {
  for (const config of elementChildren(policy)) {
    if (config.localName !== 'CarbonSecConfig' || config.namespaceURI !== CARBON_SECURITY) continue;
    const authorization = elementChildren(config).find(({ localName }) => localName === 'Authorization');
    for (const property of authorization ? elementChildren(authorization) : []) {
      if (property.getAttribute('name') !== 'org.wso2.carbon.security.allowedroles') continue;
      return textOf(property)
        .split(',')
        .map((role) => role.trim())
        .filter((role) => role !== '');
    }
  }
  return [];
}
