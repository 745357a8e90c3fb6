declare module './configuration.ts' {
  interface Services {
    /** Absent where artifacts are only looked at. */
    registry?: Registry;
  }
  interface ArtifactKinds {
    /** The `<registry>` elements with a place of their own. */
    registry: ReadableRegistry;
  }
}

/** Texts by their keys. */
export interface ReadableRegistry {
  text(key: string): string | undefined;
}

/**
 * The registry: named text resources with properties that outlive the server (spec proxies 6.6). Keys may begin with `gov:`, `conf:`,
 * `local:` or `resources:`; without a prefix they mean the governance part.
 */
export interface Registry extends ReadableRegistry {
  property(key: string, name: string): string | undefined;
  /** Creates or overwrites a text resource. Visible at once; written to disk soon. */
  store(key: string, text: string): void;
  /** Sets a property of a resource, whose content becomes empty (spec mediators 3.3). */
  storeProperty(key: string, name: string, value: string): void;
}
