import { randomUUID } from 'node:crypto';
import { formatMediaType, mediaTypeOf, parseMediaType } from './media-type.ts';
import { MultipartError, newBoundary, type Part, parseMultipart } from './multipart.ts';

/** A document with the media type that it is of. */
export interface Root {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** How files travel beside an envelope: MTOM (`xop:Include` stands where bytes were taken out), or SOAP with Attachments. */
export type Packaging = 'mtom' | 'swa';

/** A `multipart/related` message. */
export interface RelatedMessage {
  readonly packaging: Packaging;
  /** The Content-ID of the document, in angle brackets; undefined where it has none. */
  readonly start: string | undefined;
  /** What is to be done, of SOAP 1.2. */
  readonly action?: string | undefined;
  readonly root: Root;
  /** What is beside the document. */
  readonly attachments: readonly Part[];
}

const XOP_TYPE = 'application/xop+xml';
const RELATED = 'multipart/related';

/** The packaging that a Content-Type tells of; undefined for messages without. */
export function packagingOf(contentType: string | undefined): Packaging | undefined {
  if (mediaTypeOf(contentType) !== RELATED) return undefined;
  return mediaTypeOf(parseMediaType(contentType).parameters.get('type')) === XOP_TYPE ? 'mtom' : 'swa';
}

/**
 * Takes a `multipart/related` body apart; the document is the part that `start` names, else the first.
 * @throws MultipartError
 */
export function openRelated({ bytes, contentType }: Root): RelatedMessage {
  const { parameters } = parseMediaType(contentType);
  const parts = parseMultipart(bytes, parameters.get('boundary'));
  const named = parameters.get('start');
  const part = (named && parts.find(({ headers }) => headers.get('content-id') === named)) || parts[0];
  if (!part) throw new MultipartError('there is no part');
  const declared = part.headers.get('content-type') ?? parameters.get('type') ?? 'text/xml';
  const mtom = mediaTypeOf(declared) === XOP_TYPE;
  return {
    packaging: mtom ? 'mtom' : 'swa',
    start: part.headers.get('content-id'),
    root: {
      bytes: part.bytes,
      contentType: mtom ? (parseMediaType(declared).parameters.get('type') ?? 'text/xml') : declared,
    },
    attachments: parts.filter((other) => other !== part),
  };
}

/** The reverse of {@link openRelated}: the attachments stay as they are, byte by byte. */
export function writeRelated(message: RelatedMessage): { bytes: Uint8Array; contentType: string } {
  const { packaging, root, attachments, action, start = `<root.${randomUUID()}@mini-synapse>` } = message;
  const soap = mediaTypeOf(root.contentType);
  const boundary = newBoundary();
  const rootHeaders = new Map([
    ['content-type', rootType(packaging, root.contentType)],
    ['content-transfer-encoding', 'binary'],
    ['content-id', start],
  ]);
  const chunks = [{ headers: rootHeaders, bytes: root.bytes }, ...attachments].flatMap((part) =>
    writePart(boundary, part),
  );
  chunks.push(Buffer.from(`--${boundary}--\r\n`, 'latin1'));
  const about: Array<readonly [string, string]> =
    packaging === 'mtom'
      ? [
          ['type', XOP_TYPE],
          ['start', start],
          ['start-info', soap],
        ]
      : [
          ['type', soap],
          ['start', start],
        ];
  if (action !== undefined) about.push(['action', action]);
  return { bytes: Buffer.concat(chunks), contentType: formatMediaType(RELATED, [['boundary', boundary], ...about]) };
}

function rootType(packaging: Packaging, contentType: string): string {
  const { type, parameters } = parseMediaType(contentType);
  const charset = ['charset', parameters.get('charset') ?? 'UTF-8'] as const;
  if (packaging === 'mtom') return formatMediaType(XOP_TYPE, [charset, ['type', type]]);
  return formatMediaType(type, [charset]);
}

function writePart(boundary: string, { headers, bytes }: Part): Uint8Array[] {
  const lines = [...headers].map(([name, value]) => `${written(name)}: ${value.replace(/[\r\n]/g, ' ')}\r\n`);
  const head = `--${boundary}\r\n${lines.join('')}\r\n`;
  return [Buffer.from(head, 'utf8'), bytes, Buffer.from('\r\n', 'latin1')];
}

/** A header's name as people know it: `Content-ID`, `Content-Transfer-Encoding`. */
function written(name: string): string {
  return name
    .replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
    .replace(/-Id$/, '-ID');
}

/** The document of a `multipart/related` body. @throws MultipartError */
export function rootPart(bytes: Uint8Array, contentType: string): Root {
  return openRelated({ bytes, contentType }).root;
}
