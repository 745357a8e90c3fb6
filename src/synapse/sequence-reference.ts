import { nonEmptyText } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { readInlineSequence } from '../mediation/read-sequence.ts';
import type { SequenceReference } from '../mediation/sequence-reference.ts';

/** The type of attributes that name an artifact to use instead of an inline child. */
export const KEY = nonEmptyText({ doc: 'The key of the artifact to use; wins over the inline child.' });

/** The element that holds the parts of an entry point: the `<target>` of a proxy, the `<resource>` of an API. */
export interface PartPlace {
  readonly element: ConfigElement;
  /** The step ids inside begin with it, for example `proxy/StockQuoteProxy`. */
  readonly id: string;
  readonly reader: ArtifactReader;
}

/** The attribute wins over the child, which is then not even looked at (spec proxies 1.1); a warning says so. */
export function inlineChild({ element, reader }: PartPlace, part: string): ConfigElement | undefined {
  const children = element.childrenNamed(part);
  const hidden = element.attribute(part) === undefined ? children[1] : children[0];
  if (hidden) reader.warning(hidden, `this <${part}> is ignored: the ${element.name} has another one already`);
  return element.attribute(part) === undefined ? children[0] : undefined;
}

const BRANCHES = { inSequence: 'in', outSequence: 'out', faultSequence: 'fault' } as const;

/** Reads the in, out or fault sequence of an entry point: `inSequence="key"` or `<inSequence>…</inSequence>`. */
export function readSequenceReference(
  place: PartPlace,
  part: keyof typeof BRANCHES,
  key: string | undefined,
): SequenceReference | undefined {
  const { element, id, reader } = place;
  const child = inlineChild(place, part);
  if (child) {
    reader.warnUnknownAttributes(child, ['onError', 'name', 'description', 'trace', 'statistics']);
    return { kind: 'inline', sequence: readInlineSequence(child, reader, `${id}/${BRANCHES[part]}`) };
  }
  if (key === undefined) return undefined;
  reader.refer('sequence', key, element, part);
  return { kind: 'key', key };
}
