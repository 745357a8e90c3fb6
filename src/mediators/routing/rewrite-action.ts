import { expression } from '../../expressions/attribute-types.ts';
import { compileRegex, compileReplaceAll } from '../../expressions/regex.ts';
import { javaBoolean, knownWord, readAttributes, text, ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { FRAGMENT_NAMES, type FragmentName, joinUri, splitUri, UriError, type UriFragments } from './uri-fragments.ts';

const log = logger('URLRewriteMediator');

const TYPES = ['set', 'append', 'prepend', 'replace', 'remove', 'remove-query-param'] as const;
type ActionType = (typeof TYPES)[number];
const FRAGMENTS: ReadonlyArray<FragmentName | 'full'> = [...FRAGMENT_NAMES, 'full'];

const ATTRIBUTES = {
  type: text({ doc: `${TYPES.join(', ')}.`, default: 'set' }),
  fragment: text({ doc: `${FRAGMENTS.join(', ')}.`, default: 'full' }),
  value: text({ doc: 'The value, literally.' }),
  xpath: expression({ doc: 'The expression that gives the value; wins over value.' }),
  regex: text({ doc: 'Of type replace: what is replaced, everywhere.' }),
  resolve: javaBoolean({
    doc: '`true`: {name} in the new text is replaced by the property of that name.',
    default: false,
  }),
} as const;

/** Changes the URI of a message. */
export type RewriteAction = (uri: UriFragments, message: MessageContext) => UriFragments;

/** What a fragment becomes; undefined: it is gone. */
type Change = (present: string | undefined, value: string | null, message: MessageContext) => string | undefined;

/** Reads an `<action>` of a rewrite rule (spec mediators 3.20); undefined after an error. */
export function readRewriteAction(element: ConfigElement, reader: ArtifactReader): RewriteAction | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  if (!attributes) return undefined;
  const { value, xpath } = attributes;
  const type = knownWord(
    element,
    'type',
    attributes.type,
    TYPES,
    `Unknown URL rewrite action type: ${attributes.type}`,
    reader,
  );
  const fragment = knownWord(
    element,
    'fragment',
    attributes.fragment,
    FRAGMENTS,
    `Unknown URL fragment name: ${attributes.fragment}`,
    reader,
  );
  if (!type || !fragment) return undefined;
  if (value === undefined && !xpath && type !== 'remove') {
    reader.error(element, 'value or xpath attribute is required on the action element', {
      expected: 'value="…" or xpath="…"',
    });
    return undefined;
  }
  if (type === 'remove-query-param' && fragment !== 'query') {
    reader.error(element, 'Action remove-query-param is only allowed for query fragment', {
      attribute: 'fragment',
      expected: 'fragment="query"',
    });
    return undefined;
  }
  const change = readChange(element, type, fragment, attributes.regex, reader);
  if (!change) return undefined;
  const resolved = attributes.resolve ? resolveProperties(change) : change;
  return (uri, message) => {
    const computed = xpath ? xpath.stringValue(message) : (value ?? null);
    return fragment === 'full'
      ? changeAll(uri, computed, message, resolved)
      : { ...uri, [fragment]: resolved(uri[fragment], computed, message) };
  };
}

/**
 * An absolute URI takes the place of the whole URI whatever the type is, as everything does in the reference; other text is appended,
 * prepended or put in as the type says (MREQ-36).
 */
function changeAll(uri: UriFragments, value: string | null, message: MessageContext, change: Change): UriFragments {
  if (value !== null && /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(value)) {
    return splitUri(change(undefined, value, message) ?? '');
  }
  return splitUri(change(joinUri(uri), value, message) ?? '');
}

function readChange(
  element: ConfigElement,
  type: ActionType,
  fragment: FragmentName | 'full',
  regex: string | undefined,
  reader: ArtifactReader,
): Change | undefined {
  const separator = fragment === 'query' ? '&' : '';
  switch (type) {
    case 'set':
      return (_, value) => value ?? undefined;
    case 'remove':
      return () => undefined;
    case 'append':
      return (present, value) => joined(present, value, (old, added) => old + separator + added);
    case 'prepend':
      return (present, value) => joined(present, value, (old, added) => added + separator + old);
    case 'remove-query-param':
      return (present, value) => (present === undefined ? undefined : withoutParameter(present, value ?? ''));
    case 'replace':
      return readReplacement(element, regex, reader);
  }
}

/** Without a value the fragment is cleared. */
function joined(present: string | undefined, value: string | null, join: (old: string, added: string) => string) {
  if (value === null) return undefined;
  return present ? join(present, value) : value;
}

/** The first parameter of that name. */
function withoutParameter(query: string, name: string): string | undefined {
  const pairs = query.split('&');
  const index = pairs.findIndex((pair) => pair.split('=', 1)[0] === name && pair.includes('='));
  if (index === -1) return query;
  pairs.splice(index, 1);
  return pairs.join('&') || undefined;
}

function readReplacement(
  element: ConfigElement,
  regex: string | undefined,
  reader: ArtifactReader,
): Change | undefined {
  if (regex === undefined) {
    reader.error(element, 'regex attribute is required for replace action', { expected: 'regex="…"' });
    return undefined;
  }
  try {
    compileRegex(regex);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { attribute: 'regex', expected: 'a regular expression' });
    return undefined;
  }
  let latest: { readonly value: string; readonly replace: (text: string) => string } | undefined;
  return (present, value) => {
    if (value === null) return undefined;
    if (latest?.value !== value) latest = { value, replace: replacement(regex, value) };
    return latest.replace(present ?? '');
  };
}

function replacement(regex: string, value: string): (text: string) => string {
  try {
    return compileReplaceAll(regex, value);
  } catch (cause) {
    if (!(cause instanceof ValueError)) throw cause;
    throw new UriError(cause.message, { cause });
  }
}

/** `{name}` in the new text; a property that is not set makes all of it empty. */
function resolveProperties(change: Change): Change {
  return (present, value, message) => {
    const text = change(present, value, message);
    let missing: string | undefined;
    const resolved = text?.replace(/\{([^{}]*)\}/g, (_, name: string) => {
      const property = message.text(name);
      if (property === undefined) missing ??= name;
      return property ?? '';
    });
    if (missing === undefined) return resolved;
    log.error(`The property ${missing} of a rewrite action is not set`, aboutMessage(message));
    return '';
  };
}
