import type { Endpoint } from '../endpoints/endpoint.ts';
import { readEndpoint } from '../endpoints/index.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';

/** Reads a top-level `<endpoint>` of any kind, which must have a name (spec proxies 5.1); undefined after an error. */
export function readNamedEndpoint(element: ConfigElement, reader: ArtifactReader): Endpoint | undefined {
  return readEndpoint(element, reader, { named: true });
}
