import { nonEmptyText, readAttributes } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import { writtenParameters } from '../grammar/parameters.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { RegistryDefinition } from '../registry/url-registry.ts';

const ATTRIBUTES = {
  provider: nonEmptyText({ doc: 'The Java class; what has a root is read from there, everything else is ours.' }),
} as const;
const DEFAULT_CACHABLE_MS = 15_000;

/**
 * Reads a `<registry>` (spec proxies 6.6). One whose `root` is a `file:` address makes the files below it available under their paths
 * (samples 8 to 11); any other stands for the registry that the server has anyway.
 */
export function readRegistry(element: ConfigElement, reader: ArtifactReader): RegistryDefinition | undefined {
  if (!readAttributes(element, ATTRIBUTES, reader)) return undefined;
  const parameters = writtenParameters(element, reader);
  const root = parameters.get('root')?.value;
  const { file, line } = element.position;
  const name = `${file}:${line}`;
  if (root !== undefined && !/^file:/i.test(root)) {
    reader.warning(parameters.get('root')?.element ?? element, `a registry at '${root}' is known, not supported yet`, {
      expected: 'file:…',
    });
    return { name, root: undefined, cachableMs: 0 };
  }
  return { name, root, cachableMs: cachableMs(parameters.get('cachableDuration'), reader) };
}

function cachableMs(
  written: { readonly value: string; readonly element: ConfigElement } | undefined,
  reader: ArtifactReader,
): number {
  if (!written) return DEFAULT_CACHABLE_MS;
  if (/^\d{1,9}$/.test(written.value)) return Number(written.value);
  reader.warning(written.element, `cachableDuration '${written.value}' is no number`, { expected: 'milliseconds' });
  return DEFAULT_CACHABLE_MS;
}
