import type { XmlDocument, XmlElement } from '../xml/index.ts';
import { childNamed, ensureId, make, requiredChild, trimmedText } from './elements.ts';
import { SecurityFailure } from './security-failure.ts';

export interface Timestamp {
  readonly element: XmlElement;
  /** Epoch ms. */
  readonly created: number;
  readonly expires: number | undefined;
}

/** A `<wsu:Timestamp>` from now on for so long (ms). */
export function makeTimestamp(document: XmlDocument, now: number, lifetimeMs: number): XmlElement {
  const element = make(document, 'wsu', 'Timestamp', {}, [
    make(document, 'wsu', 'Created', {}, new Date(now).toISOString()),
    make(document, 'wsu', 'Expires', {}, new Date(now + lifetimeMs).toISOString()),
  ]);
  ensureId(element, 'TS');
  return element;
}

/** @throws SecurityFailure when it is not well-formed */
export function readTimestamp(element: XmlElement): Timestamp {
  const created = readTime(requiredChild(element, 'wsu', 'Created'));
  const written = childNamed(element, 'wsu', 'Expires');
  return { element, created, expires: written && readTime(written) };
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/;

/** An xsd:dateTime as epoch ms; one without a zone is UTC. */
export function readTime(element: XmlElement): number {
  const [, seconds, fraction = '', zone = 'Z'] = TIME.exec(trimmedText(element)) ?? [];
  const time = Date.parse(`${seconds}${fraction.slice(0, 4)}${zone}`);
  if (Number.isNaN(time)) throw new SecurityFailure('InvalidSecurity', `<${element.localName}> is no time`);
  return time;
}

/**
 * Is now between creation and expiry? Clocks may differ by the skew.
 * @throws SecurityFailure MessageExpired
 */
export function checkFreshness(
  { created, expires }: Pick<Timestamp, 'created' | 'expires'>,
  now: number,
  { lifetimeMs, skewMs }: { readonly lifetimeMs: number; readonly skewMs: number },
): void {
  if (created > now + skewMs) throw new SecurityFailure('MessageExpired', 'the message was created in the future');
  if (expires !== undefined && (expires < created || expires + skewMs < now))
    throw new SecurityFailure('MessageExpired', 'the message has expired');
  if (created + lifetimeMs + skewMs < now) throw new SecurityFailure('MessageExpired', 'the message is too old');
}
