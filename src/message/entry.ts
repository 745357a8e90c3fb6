import type { XmlElement } from '../xml/index.ts';
import type { Configuration } from './configuration.ts';
import './local-entry.ts';
import './registry.ts';

/** What configurations refer to by a key: a local entry or a resource of the registry. */
export interface Entry {
  readonly text: string;
  /** The element of a local entry that is XML. */
  readonly xml: XmlElement | undefined;
}

/** The text of a resource of the server's registry, else of one that an artifact declares. */
export function registryText(configuration: Configuration, key: string): string | undefined {
  const stored = configuration.services.registry?.text(key);
  if (stored !== undefined) return stored;
  for (const name of configuration.names('registry')) {
    const text = configuration.find('registry', name)?.text(key);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Finds an entry by its key, local entries first (spec proxies 6.6). */
export function findEntry(configuration: Configuration, key: string): Entry | undefined {
  const local = configuration.find('localEntry', key);
  if (local) return local;
  const text = registryText(configuration, key);
  return text === undefined ? undefined : { text, xml: undefined };
}
