import { isSecret, LONGEST_RECOGNISED, maskSecrets } from '../../logging/secrets.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../../message/property-value.ts';
import { isElement, isElementList } from '../../stores/capture.ts';
import type { BrowsedMessage } from '../../stores/store-browser.ts';
import type { DeliveryFailure, StoredBody, StoredMessage } from '../../stores/stored-message.ts';
import { serializeXml } from '../../xml/index.ts';
import { prettyJson, prettyXml } from './pretty.ts';

/** Characters of a body on one row of a list. */
const PREVIEW_CHARACTERS = 120;
/** Of a body in the detail of a message, bytes; all of it is another question. */
export const DETAIL_BODY_BYTES = 1024 * 1024;
/** Longer ones are shown as they are. */
const MAX_PRETTY_BYTES = 256 * 1024;
const MAX_BINARY_BYTES = 64 * 1024;
const MAX_PROPERTY_CHARACTERS = 8 * 1024;
const MASK = '*****';
const SECRET_HEADER = /^(?:cookie|set-cookie|proxy-authorization)$/i;

/** One line of a list of messages (OP-42). */
export function messageRow(browsed: BrowsedMessage, now = Date.now()) {
  const { id, message, poison, bytes, inDelivery } = browsed;
  if (!message) {
    const preview = previewOf('binary', poison?.bytes ?? new Uint8Array());
    return {
      id,
      kind: 'binary',
      bytes,
      attempts: 0,
      replays: 0,
      poison: poison?.reason ?? '',
      preview,
      ...given({ inDelivery }),
    };
  }
  const { body, addressing, history, service, priority } = message;
  const failure = history.at(-1);
  return {
    id,
    originalId: message.originalId,
    storedAt: iso(message.storedAt),
    ageMs: Math.max(0, now - message.storedAt),
    kind: body.kind,
    bytes,
    attempts: history.reduce((sum, { attempts }) => sum + attempts, 0),
    replays: message.replays ?? 0,
    preview: previewOf(body.kind, body.bytes),
    ...given({
      contentType: body.contentType,
      service,
      to: maskedText(addressing.to),
      soapAction: maskedText(addressing.action),
      lastCause: maskedText(failure?.cause),
      lastStatus: failure?.status,
      lastEndpoint: failure?.endpoint,
      priority,
      inDelivery,
    }),
  };
}

/** Everything about one message; its body up to {@link DETAIL_BODY_BYTES}. */
export function messageDetail(browsed: BrowsedMessage) {
  const { message, poison, bytes } = browsed;
  const headers = message?.headers ?? poison?.headers ?? [];
  return {
    ...messageRow(browsed),
    headers: headers.map(([name, value]) => [name, maskedHeader(name, value)] as const),
    properties: message ? propertiesOf(message) : [],
    addressing: message ? maskedValues({ ...message.addressing }) : {},
    ...(message && given({ correlationId: message.correlationId, direction: message.direction })),
    body: bodyOf(message?.body, poison?.bytes, bytes),
    history: message?.history.map(failureOf) ?? [],
  };
}

/** As {@link messageRow}, for those who are not shown what messages contain (OP-81). */
export function withoutPreview(browsed: BrowsedMessage, now = Date.now()) {
  return { ...messageRow(browsed, now), preview: '' };
}

/** As {@link messageDetail}, for those who are not shown what messages contain. */
export function withoutBody(browsed: BrowsedMessage) {
  const { bytes } = browsed;
  return { ...messageDetail(browsed), preview: '', body: { language: 'hidden' as const, truncated: bytes > 0, bytes } };
}

function failureOf({ firstAttemptAt, lastAttemptAt, endpoint, status, cause, ...failure }: DeliveryFailure) {
  const about = { ...failure, cause: maskSecrets(cause), ...given({ endpoint, status }) };
  return { ...about, firstAt: iso(firstAttemptAt), lastAt: iso(lastAttemptAt) };
}

function bodyOf(body: StoredBody | undefined, poison: Uint8Array | undefined, bytes: number) {
  const content = body?.bytes ?? poison ?? new Uint8Array();
  const shown = content.subarray(0, DETAIL_BODY_BYTES);
  const language = languageOf(body?.kind ?? 'binary', shown);
  const truncated = shown.length < bytes;
  if (language === 'none') return { language, truncated: false, bytes };
  if (language === 'binary') {
    const some = shown.subarray(0, MAX_BINARY_BYTES);
    return { language, base64: Buffer.from(some).toString('base64'), truncated: some.length < bytes, bytes };
  }
  const text = decoded(shown, body?.contentType);
  const pretty = truncated || shown.length > MAX_PRETTY_BYTES ? undefined : prettyOf(language, text);
  return { language, text, ...given({ pretty }), truncated, bytes };
}

function languageOf(kind: StoredBody['kind'], bytes: Uint8Array): 'xml' | 'json' | 'text' | 'binary' | 'none' {
  switch (kind) {
    case 'soap11':
    case 'soap12':
    case 'xml':
      return 'xml';
    case 'binary':
      return bytes.length === 0 ? 'none' : 'binary';
    default:
      return kind;
  }
}

function prettyOf(language: 'xml' | 'json' | 'text', text: string): string | undefined {
  if (language === 'xml') return prettyXml(text);
  return language === 'json' ? prettyJson(text) : undefined;
}

/** As its media type says, else as UTF-8; never fails, for people look at it. */
function decoded(bytes: Uint8Array, contentType: string | undefined): string {
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function previewOf(kind: StoredBody['kind'], bytes: Uint8Array): string {
  const some = bytes.subarray(0, PREVIEW_CHARACTERS * 4);
  if (kind === 'binary') return Buffer.from(some.subarray(0, PREVIEW_CHARACTERS / 3)).toString('hex');
  return new TextDecoder().decode(some).replaceAll(/\s+/g, ' ').trim().slice(0, PREVIEW_CHARACTERS);
}

function propertiesOf(message: StoredMessage) {
  const scopes = [
    ['default', message.properties],
    ['axis2', message.axis2],
    ['variable', message.variables],
  ] as const;
  return scopes.flatMap(([scope, values]) =>
    [...values].map(([name, value]) => ({ scope, name, ...shownValue(name, value) })),
  );
}

function shownValue(name: string, value: PropertyValue): { readonly type: string; readonly value: string } {
  const [type, text] = typedText(value);
  if (isSecret(name, text)) return { type, value: MASK };
  const masked = maskSecrets(text.slice(0, MAX_PROPERTY_CHARACTERS + LONGEST_RECOGNISED));
  return { type, value: masked.slice(0, MAX_PROPERTY_CHARACTERS) };
}

function typedText(value: PropertyValue): readonly [type: string, text: string] {
  if (typeof value === 'string') return ['STRING', value];
  if (typeof value === 'boolean') return ['BOOLEAN', String(value)];
  if (value instanceof TypedNumber) return [value.type, value.toString()];
  if (value instanceof JsonValue) return ['JSON', value.text];
  if (isElementList(value)) return ['OM', value.map((element) => serializeXml(element)).join('')];
  return isElement(value) ? ['OM', serializeXml(value)] : ['STRING', String(value)];
}

/** The value of a header as it is shown. */
export function maskedHeader(name: string, value: string): string {
  return isSecret(name, value) || SECRET_HEADER.test(name) ? MASK : maskSecrets(value);
}

function maskedText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : maskSecrets(text);
}

function maskedValues(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, maskSecrets(value)]));
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** Without what is undefined: JSON has no such thing. */
function given<T extends Readonly<Record<string, unknown>>>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
