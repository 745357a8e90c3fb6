/** What deployment.toml says about keys and users. Passwords are as written: `$secret{alias}` is looked up when it is needed. */
export interface SecuritySettings {
  /** `[keystore.primary]` first, where there is one. */
  readonly keyStores: readonly KeyStoreSettings[];
  /** `[truststore]` */
  readonly trustStore: KeyStoreSettings | undefined;
  readonly users: ReadonlyMap<string, UserSettings>;
}

export interface KeyStoreSettings {
  /** JKS, PKCS#12 or PEM. */
  readonly file: string;
  readonly password: string;
  readonly alias: string | undefined;
  /** Of the private key; undefined: as that of the store. */
  readonly keyPassword: string | undefined;
}

export interface UserSettings {
  readonly password: string;
  readonly roles: readonly string[];
}

/** Of a server that is told nothing. */
export const NO_SECURITY_SETTINGS: SecuritySettings = { keyStores: [], trustStore: undefined, users: new Map() };
