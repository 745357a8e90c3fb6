import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** A body that cannot be decompressed, or that would become larger than allowed. */
export class ContentEncodingError extends Error {
  override readonly name = 'ContentEncodingError';
}

/** Nobody stacks more codings than this; more is an attack. */
const MAX_CODINGS = 3;

/** The codings of a Content-Encoding header that change the bytes, in the order in which they were applied. */
export function contentCodings(header: string | undefined): string[] {
  if (header === undefined) return [];
  const names = header.split(',').map((name) => name.trim().toLowerCase());
  return names.filter((name) => name !== '' && name !== 'identity');
}

/**
 * Undoes gzip, deflate and br (spec proxies 1.6).
 * @param maxBytes the largest result that is accepted
 * @throws ContentEncodingError for unknown codings, broken data and results over the limit
 */
export function decodeContent(bytes: Uint8Array, header: string | undefined, maxBytes: number): Uint8Array {
  const codings = contentCodings(header);
  if (codings.length > MAX_CODINGS) throw new ContentEncodingError(`more than ${MAX_CODINGS} content codings`);
  return codings.reduceRight((content, coding) => decodeOne(content, coding, maxBytes), bytes);
}

function decodeOne(bytes: Uint8Array, coding: string, maxBytes: number): Uint8Array {
  const options = { maxOutputLength: maxBytes };
  try {
    switch (coding) {
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(bytes, options);
      case 'br':
        return brotliDecompressSync(bytes, options);
      case 'deflate':
        return hasZlibHeader(bytes) ? inflateSync(bytes, options) : inflateRawSync(bytes, options);
      default:
        throw new ContentEncodingError(`unsupported Content-Encoding '${coding}'`);
    }
  } catch (error) {
    if (error instanceof ContentEncodingError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ContentEncodingError(`the ${coding} body is larger than ${maxBytes} bytes when decoded`, {
        cause: error,
      });
    }
    throw new ContentEncodingError(`the body is not valid ${coding} data`, { cause: error });
  }
}

/** Some senders of `deflate` leave out the zlib header that the name asks for. */
function hasZlibHeader(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes;
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}
