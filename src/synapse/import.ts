import { DESCRIPTION, nonEmptyText, oneOf, readAttributes, text } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { EIP_PACKAGE } from './eip-library.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    import: ImportDefinition;
  }
}

/** An `<import>`: says that a connector library is there, and whether its operations may be used (spec proxies 6.6). */
export interface ImportDefinition {
  /** The library. */
  readonly name: string;
  readonly package: string;
  readonly enabled: boolean;
}

const ATTRIBUTES = {
  name: nonEmptyText({ required: true, doc: 'The name of the library: what stands before the dot of its operations.' }),
  package: text({ required: true, doc: 'The package of the library.' }),
  status: oneOf(['enabled', 'disabled'], { default: 'enabled', doc: '`disabled`: its operations cannot be used.' }),
  description: DESCRIPTION,
} as const;

/** Reads an `<import>`; undefined after an error. */
export function readImport(element: ConfigElement, reader: ArtifactReader): ImportDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  if (!attributes) return undefined;
  const { name, package: packageName, status } = attributes;
  if (packageName.trim() !== EIP_PACKAGE) reader.refer('library', name, element, 'name');
  return { name, package: packageName, enabled: status === 'enabled' };
}
