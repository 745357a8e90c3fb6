import { compileWholeMatch } from '../../expressions/regex.ts';
import { ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import type { KeyHeaders } from './cache-key.ts';
import type { CacheLimits } from './cache-store.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', '*'];
const DEFAULT_TIMEOUT_S = 5000;
const DEFAULT_ENTRIES = 1000;
const MAX_BYTES = 64 * 1024 * 1024;

/** What a cache in the request path is told. */
export interface CacheSettings {
  readonly limits: CacheLimits;
  /** -1: any. */
  readonly maxMessageBytes: number;
  /** In capitals; `*` for all. */
  readonly methods: readonly string[];
  readonly keyHeaders: KeyHeaders;
  responseCodes(status: string): boolean;
  readonly cacheControl: boolean;
  readonly ageHeader: boolean;
}

/** Reads attributes, `<protocol>` and `<implementation>`; undefined after an error. */
export function readCacheSettings(element: ConfigElement, reader: ArtifactReader): CacheSettings | undefined {
  const protocol = element.child('protocol');
  const implementation = element.child('implementation');
  if (protocol) {
    reader.warnUnknownChildren(protocol, [
      'methods',
      'headersToExcludeInHash',
      'headersToIncludeInHash',
      'responseCodes',
      'enableCacheControl',
      'includeAgeHeader',
      'hashGenerator',
    ]);
  }
  const timeout = numberOf(element, 'timeout', DEFAULT_TIMEOUT_S, reader);
  const maxMessageBytes = numberOf(element, 'maxMessageSize', -1, reader);
  const entries = implementation ? numberOf(implementation, 'maxSize', DEFAULT_ENTRIES, reader) : DEFAULT_ENTRIES;
  const methods = readMethods(protocol, reader);
  const responseCodes = readResponseCodes(protocol, reader);
  if (timeout === undefined || maxMessageBytes === undefined || entries === undefined) return undefined;
  if (!methods || !responseCodes) return undefined;
  const names = (child: string) => listOf(protocol, child).map((name) => name.toLowerCase());
  const flag = (child: string) => textOf(protocol, child)?.toLowerCase() === 'true';
  return {
    // Nothing is kept for ever, or without end (MREQ-37).
    limits: { timeoutMs: timeout * 1000, entries: entries > 0 ? entries : DEFAULT_ENTRIES, bytes: MAX_BYTES },
    maxMessageBytes,
    methods,
    keyHeaders: { included: names('headersToIncludeInHash'), excluded: names('headersToExcludeInHash') },
    responseCodes,
    cacheControl: flag('enableCacheControl'),
    ageHeader: flag('includeAgeHeader'),
  };
}

function numberOf(element: ConfigElement, name: string, otherwise: number, reader: ArtifactReader): number | undefined {
  const written = element.attribute(name)?.trim();
  if (written === undefined || written === '') return otherwise;
  if (/^-?\d{1,12}$/.test(written)) return Number(written);
  reader.error(element, `attribute '${name}' of <${element.name}>: '${written}' is not a valid number`, {
    attribute: name,
    expected: 'an integer',
  });
  return undefined;
}

function readMethods(protocol: ConfigElement | undefined, reader: ArtifactReader): readonly string[] | undefined {
  const methods = listOf(protocol, 'methods').map((method) => method.toUpperCase());
  const wrong = methods.find((method) => !METHODS.includes(method));
  if (wrong !== undefined) {
    const place = protocol?.child('methods') ?? protocol;
    if (place) reader.error(place, `Unexpected method type: ${wrong}`, { expected: `one of: ${METHODS.join(', ')}` });
    return undefined;
  }
  return methods.length > 0 ? methods : ['*'];
}

function readResponseCodes(
  protocol: ConfigElement | undefined,
  reader: ArtifactReader,
): ((status: string) => boolean) | undefined {
  const pattern = textOf(protocol, 'responseCodes');
  if (pattern === undefined || pattern === '') return () => true;
  try {
    const match = compileWholeMatch(pattern);
    return (status) => match(status) !== undefined;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const place = protocol?.child('responseCodes');
    if (place) reader.error(place, `Invalid Regular Expression for responseCodes : ${pattern}: ${error.message}`);
    return undefined;
  }
}

function textOf(protocol: ConfigElement | undefined, child: string): string | undefined {
  return protocol?.child(child)?.text.trim();
}

function listOf(protocol: ConfigElement | undefined, child: string): string[] {
  const text = textOf(protocol, child) ?? '';
  return text.split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()]));
}
