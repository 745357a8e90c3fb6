import type { XmlElement } from '../xml/index.ts';

/** A `<localEntry>`: a text or an XML fragment that configurations and expressions read by its key. */
export interface LocalEntry {
  readonly key: string;
  readonly text: string;
  /** The element when the entry is XML. */
  readonly xml: XmlElement | undefined;
}

declare module './configuration.ts' {
  interface ArtifactKinds {
    localEntry: LocalEntry;
  }
}
