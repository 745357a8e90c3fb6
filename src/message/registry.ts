declare module './configuration.ts' {
  interface Services {
    /** Absent where artifacts are only looked at. */
    registry?: Registry;
  }
}

/**
 * The registry: named text resources with properties that outlive the server (spec proxies 6.6). Keys may begin with `gov:`, `conf:`,
 * `local:` or `resources:`; without a prefix they mean the governance part.
 */
export interface Registry {
  /** The text of a resource, or undefined. */
  text(key: string): string | undefined;
  property(key: string, name: string): string | undefined;
  /** Creates or overwrites a text resource. Visible at once; written to disk soon. */
  store(key: string, text: string): void;
  /** Sets a property of a resource, whose content becomes empty (spec mediators 3.3). */
  storeProperty(key: string, name: string, value: string): void;
}
