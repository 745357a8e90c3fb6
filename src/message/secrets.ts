declare module './configuration.ts' {
  interface Services {
    /** Absent where no secrets are configured. */
    secrets?: Secrets;
  }
}

/** Where `wso2:vault-lookup('alias')` finds its secrets (spec proxies 7.8). What it gives must never be logged. */
export interface Secrets {
  /** Undefined for an alias that nobody knows. Never waits. */
  lookup(alias: string): string | undefined;
}
