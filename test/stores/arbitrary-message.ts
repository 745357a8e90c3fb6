import fc from 'fast-check';
import { JsonValue, type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import type { DeliveryFailure, StoredBody, StoredMessage } from '../../src/stores/stored-message.ts';
import { serializeXml } from '../../src/xml/index.ts';
import { element, storedMessage } from './messages.ts';

/*
 * Messages as nobody would think of them, for the properties of stores and codecs (OP-90): bytes that belong to their charset and
 * bytes that do not, header blocks within header blocks, parts within parts, names and values with every separator of every wire.
 */

/** Short texts, with all that some medium might take for syntax. */
const word = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.constantFrom(
    '',
    ' ',
    '-',
    ':=;,/',
    '\\n\\c\\\\',
    '"\'`',
    '__proto__',
    '\ud800',
    '\r\n',
    '\0',
    '☃𝄞',
    '%00',
    '$ctx:x',
  ),
);

/** What XML can say. */
const xmlText = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .map((text) => text.toWellFormed().replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ''));

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const prefix = fc.constantFrom('', 'p:', 'soap:');

/** Elements within elements, each with a namespace and an attribute. */
const { nested } = fc.letrec<{ nested: string }>((tie) => ({
  nested: fc
    .tuple(
      prefix,
      xmlText,
      fc.array(fc.oneof({ depthSize: 'small' }, xmlText.map(escaped), tie('nested')), { maxLength: 3 }),
    )
    .map(([name, value, content]) => {
      const declared = name === '' ? 'xmlns="urn:d"' : `xmlns:${name.slice(0, -1)}="urn:${name.slice(0, -1)}"`;
      return `<${name}e ${declared} a="${escaped(value)}">${content.join('')}</${name}e>`;
    }),
}));

const number = fc.oneof(
  fc.integer().map((value) => new TypedNumber('INTEGER', value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => new TypedNumber('LONG', value)),
  fc.integer({ min: -32_768, max: 32_767 }).map((value) => new TypedNumber('SHORT', value)),
  fc.float().map((value) => new TypedNumber('FLOAT', value)),
  fc.double().map((value) => new TypedNumber('DOUBLE', value)),
);

const propertyValue: fc.Arbitrary<PropertyValue> = fc.oneof(
  word,
  fc.boolean(),
  number,
  fc.json({ maxDepth: 2 }).map((text) => new JsonValue(text)),
  nested.map(element),
  fc.array(nested.map(element), { maxLength: 3 }),
);

const properties = fc.array(fc.tuple(word, propertyValue), { maxLength: 5 }).map((pairs) => new Map(pairs));

const ENVELOPES = {
  soap11: 'http://schemas.xmlsoap.org/soap/envelope/',
  soap12: 'http://www.w3.org/2003/05/soap-envelope',
} as const;

function envelope(kind: 'soap11' | 'soap12', blocks: readonly string[], content: string): string {
  return `<s:Envelope xmlns:s="${ENVELOPES[kind]}">\n <s:Header>${blocks.join('')}</s:Header>\r\n<s:Body>${content}</s:Body></s:Envelope>`;
}

const soap = fc
  .tuple(fc.constantFrom('soap11' as const, 'soap12' as const), fc.array(nested, { maxLength: 3 }), nested)
  .map(([kind, blocks, content]): StoredBody => {
    const contentType =
      kind === 'soap11' ? 'text/xml; charset=UTF-8' : 'application/soap+xml; charset=UTF-8; action="u"';
    return { kind, bytes: Buffer.from(envelope(kind, blocks, content)), contentType };
  });

/** Text in the charset that its type names, or in another one. */
const CHARSETS = [
  'UTF-8',
  'utf-8',
  'ISO-8859-1',
  'windows-1252',
  'Shift_JIS',
  'UTF-16',
  'US-ASCII',
  '"utf-8"',
  'no-such',
];
const ENCODINGS = ['utf8', 'latin1', 'utf16le'] as const;
const text = fc
  .tuple(
    fc.constantFrom('text/plain', 'application/json', 'application/xml', 'text/xml'),
    fc.constantFrom(...CHARSETS),
    fc.constantFrom(...ENCODINGS),
    fc.oneof(word, fc.json(), nested),
  )
  .map(([type, charset, encoding, content]): StoredBody => {
    const kinds = { 'text/plain': 'text', 'application/json': 'json' } as const;
    const bytes = Buffer.from(content, encoding);
    const kind = type in kinds ? kinds[type as keyof typeof kinds] : 'xml';
    return { kind: bytes.length === 0 ? 'none' : kind, bytes, contentType: `${type}; charset=${charset}` };
  });

const bytes = fc
  .tuple(fc.uint8Array({ maxLength: 600 }), fc.constantFrom('application/octet-stream', 'image/png', undefined))
  .map(([content, contentType]): StoredBody => {
    return { kind: content.length === 0 ? 'none' : 'binary', bytes: content, contentType };
  });

/** An envelope with files beside it, of any bytes. */
const attached = fc
  .tuple(nested, fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 3 }))
  .map(([content, files]): StoredBody => {
    const part = (headers: string, body: Uint8Array) =>
      Buffer.concat([Buffer.from(`--=_b:1\r\n${headers}\r\n\r\n`), body, Buffer.from('\r\n')]);
    const root = part(
      'Content-Type: application/xop+xml; type="text/xml"',
      Buffer.from(envelope('soap11', [], content)),
    );
    const others = files.map((file, index) =>
      part(`Content-Type: image/gif\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <file${index}@h>`, file),
    );
    return {
      kind: 'binary',
      bytes: Buffer.concat([root, ...others, Buffer.from('--=_b:1--\r\n')]),
      contentType: 'multipart/related; boundary="=_b:1"; type="application/xop+xml"; start-info="text/xml"',
    };
  });

const body: fc.Arbitrary<StoredBody> = fc
  .tuple(fc.oneof(soap, text, bytes, attached), fc.option(nested, { nil: undefined }))
  .map(([content, block]) => {
    if (block === undefined || content.kind.startsWith('soap')) return content;
    const header = serializeXml(element(`<h:Header xmlns:h="${ENVELOPES.soap11}">${block}</h:Header>`));
    return { ...content, soapHeader: header };
  });

const headerName = fc.oneof(fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/), fc.constantFrom('X-A', 'x-a', 'SOAPAction'));
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
const maybeWord = fc.option(word, { nil: undefined });

const failure: fc.Arbitrary<DeliveryFailure> = fc.record({
  processor: word,
  sourceStore: word,
  endpoint: maybeWord,
  cause: word,
  status: fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
  attempts: fc.nat(),
  firstAttemptAt: time,
  lastAttemptAt: time,
});

/** Any message, with an id of its own. */
export const anyMessage: fc.Arbitrary<StoredMessage> = fc
  .record({
    body,
    headers: fc.array(fc.tuple(headerName, word), { maxLength: 6 }),
    axis2: properties,
    properties,
    variables: properties,
    correlationId: maybeWord,
    service: maybeWord,
    originalId: word,
    storedAt: time,
    direction: fc.constantFrom('request' as const, 'response' as const),
    doingRest: fc.boolean(),
    priority: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
    history: fc.array(failure, { maxLength: 2 }),
    addressing: fc.record({ to: word, from: word, replyTo: word, relatesTo: word, action: word }, { requiredKeys: [] }),
  })
  .map((changes) => storedMessage(changes));
