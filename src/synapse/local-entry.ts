import type { Endpoint } from '../endpoints/endpoint.ts';
import { readEndpoint } from '../endpoints/index.ts';
import { nonEmptyText, readAttributes, text } from '../grammar/attributes.ts';
import type { ArtifactSource } from '../grammar/diagnostic.ts';
import { ConfigElement, SYNAPSE_NAMESPACE } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { readInlineSequence } from '../mediation/read-sequence.ts';
import type { Sequence } from '../mediation/sequence.ts';
import type { LocalEntry } from '../message/local-entry.ts';
import { checkLocalPolicy } from '../security/check-local-policy.ts';
import { parseXml, serializeXml, type XmlElement, XmlSyntaxError } from '../xml/index.ts';
import type { ArtifactLookup } from './lookup.ts';

/** A `<localEntry>` as read from its artifact. */
export interface LocalEntryDefinition {
  readonly entry: LocalEntry;
  /** The sequence that the entry holds, if it does: it can be referred to by the entry's key (spec proxies 6.6). */
  readonly sequence: Sequence | undefined;
  /** Likewise the endpoint. */
  readonly endpoint: Endpoint | undefined;
}

const ATTRIBUTES = {
  key: nonEmptyText({
    required: true,
    missing: "The 'key' attribute is required for a local registry entry",
    doc: 'Its name.',
  }),
  src: nonEmptyText({ doc: 'Where its value is read from, once, when it is deployed.' }),
  description: text({ doc: 'Documentation only.' }),
} as const;

/** Reads `<localEntry key="…">text | xml</localEntry>` or `src="…"` (spec proxies 6.6); undefined after an error. */
export function readLocalEntry(
  element: ConfigElement,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): LocalEntryDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  if (!attributes) return undefined;
  const { key, src } = attributes;
  if (src !== undefined) return fromSource(key, src, element, reader, lookup);
  const child = element.children.find((candidate) => candidate.name !== 'description');
  return child ? fromElement(key, child, reader) : fromText(key, element.text.trim());
}

function fromText(key: string, value: string): LocalEntryDefinition {
  return { entry: { key, text: value, xml: undefined }, sequence: undefined, endpoint: undefined };
}

function fromElement(key: string, child: ConfigElement, reader: ArtifactReader): LocalEntryDefinition {
  checkLocalPolicy(child, reader);
  const ofSynapse = child.namespace === SYNAPSE_NAMESPACE;
  const sequence =
    ofSynapse && child.name === 'sequence' ? readInlineSequence(child, reader, `localEntry/${key}`) : undefined;
  const endpoint = ofSynapse && child.name === 'endpoint' ? readEndpoint(child, reader, { named: false }) : undefined;
  return { entry: { key, text: serializeXml(child.node), xml: child.node }, sequence, endpoint };
}

function fromSource(
  key: string,
  src: string,
  element: ConfigElement,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): LocalEntryDefinition | undefined {
  const answer = lookup.resource(src);
  if ('error' in answer) {
    reader.error(element, `cannot read the source of local entry '${key}': ${answer.error}`, { attribute: 'src' });
    return undefined;
  }
  if ('pending' in answer) return fromText(key, '');
  return readEntryText(key, { file: src, text: answer.text }, reader);
}

/** Reads what stands behind a key somewhere else: a sequence or an endpoint, other XML, or text. Problems go to the reader. */
export function readEntryText(key: string, source: ArtifactSource, reader: ArtifactReader): LocalEntryDefinition {
  const root = rootElement(source.text);
  return root ? fromElement(key, new ConfigElement(root, source), reader) : fromText(key, source.text);
}

/** The root element of a text that is XML; whatever is not, is text (as the reference does it). */
function rootElement(content: string): XmlElement | undefined {
  if (!content.trimStart().startsWith('<')) return undefined;
  try {
    return parseXml(content).documentElement ?? undefined;
  } catch (error) {
    if (error instanceof XmlSyntaxError) return undefined;
    throw error;
  }
}
