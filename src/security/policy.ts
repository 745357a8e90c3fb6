import type { AlgorithmSuite } from './algorithm-suite.ts';

/** When a token itself goes along in messages. */
export type TokenInclusion = 'always' | 'alwaysToRecipient' | 'alwaysToInitiator' | 'once' | 'never';

/** How a message refers to a token that does not go along. */
export type TokenReferenceKind = 'thumbprint' | 'issuerSerial' | 'subjectKeyIdentifier';

/** `<sp:X509Token>` */
export interface X509TokenPolicy {
  readonly inclusion: TokenInclusion;
  readonly reference: TokenReferenceKind;
  /** Messages are secured with keys derived from the token's. */
  readonly derivedKeys: boolean;
}

/** `<sp:UsernameToken>` */
export interface UsernameTokenPolicy {
  readonly password: 'text' | 'digest' | 'none';
  readonly signed: boolean;
  readonly encrypted: boolean;
}

/** What all bindings say. */
interface BindingCommon {
  readonly suite: AlgorithmSuite;
  readonly timestamp: boolean;
  readonly encryptBeforeSigning: boolean;
  readonly encryptSignature: boolean;
  readonly protectTokens: boolean;
}

/** How the two sides secure messages (WS-SecurityPolicy 1.2, 7). */
export type Binding = BindingCommon &
  (
    | { readonly kind: 'transport' }
    | { readonly kind: 'asymmetric'; readonly initiator: X509TokenPolicy; readonly recipient: X509TokenPolicy }
    | { readonly kind: 'symmetric'; readonly protection: X509TokenPolicy }
  );

/** A header block by name; without one, all of the namespace. */
export interface HeaderName {
  readonly namespace: string;
  readonly name: string | undefined;
}

/** Parts of messages that are signed. */
export interface SignedParts {
  readonly body: boolean;
  /** All header blocks (an empty `<sp:SignedParts/>`). */
  readonly allHeaders: boolean;
  readonly headers: readonly HeaderName[];
}

/** `<rampart:crypto>`: where keys are. */
export interface CryptoPolicy {
  readonly file: string | undefined;
  readonly password: string | undefined;
  /** A key store by its name, as WSO2's policies say it; deployment.toml knows where it is. */
  readonly storeName: string | undefined;
  readonly alias: string | undefined;
  readonly keyPassword: string | undefined;
  readonly trustFile: string | undefined;
  readonly trustPassword: string | undefined;
}

/** `<rampart:RampartConfig>`, times in ms. */
export interface RampartSettings {
  readonly user: string | undefined;
  readonly userCertificate: string | undefined;
  readonly encryptionUser: string | undefined;
  readonly signatureCrypto: CryptoPolicy | undefined;
  readonly encryptionCrypto: CryptoPolicy | undefined;
  readonly decryptionCrypto: CryptoPolicy | undefined;
  readonly lifetimeMs: number;
  readonly skewMs: number;
  readonly nonceLifetimeMs: number;
}

/** What a security policy demands of messages, as far as it is supported. */
export interface SecurityPolicy {
  readonly binding: Binding | undefined;
  readonly usernameToken: UsernameTokenPolicy | undefined;
  readonly signed: SignedParts;
  readonly encryptedBody: boolean;
  readonly requiredHeaders: readonly HeaderName[];
  readonly signatureConfirmation: boolean;
  readonly rampart: RampartSettings;
  /** Users need one of these roles; none: any user will do. */
  readonly allowedRoles: readonly string[];
}

/** Does the policy ask for a security header at all? */
export function demandsSecurity({ binding, usernameToken, signed, encryptedBody }: SecurityPolicy): boolean {
  return binding !== undefined || usernameToken !== undefined || signed.body || encryptedBody;
}
