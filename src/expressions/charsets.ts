/** A charset that no one knows. */
export class UnknownCharsetError extends Error {
  override readonly name = 'UnknownCharsetError';

  constructor(charset: string | undefined, options?: ErrorOptions) {
    super(`the charset '${charset}' is not known`, options);
  }
}

/** Text as the bytes of one of Java's charsets; UTF-8 without a name. @throws UnknownCharsetError */
export function encoded(text: string, charset: string | undefined): Buffer {
  switch (normalized(charset)) {
    case 'utf8':
      return Buffer.from(text, 'utf8');
    case 'iso88591':
    case 'latin1':
      return Buffer.from(text.replace(/[^\0-\xFF]/gu, '?'), 'latin1');
    case 'usascii':
    case 'ascii':
      return Buffer.from(text.replace(/[^\0-\x7F]/gu, '?'), 'latin1');
    case 'utf16le':
      return Buffer.from(text, 'utf16le');
    case 'utf16be':
      return Buffer.from(text, 'utf16le').swap16();
    case 'utf16':
      // Java writes big-endian with a byte order mark.
      return Buffer.from(`\uFEFF${text}`, 'utf16le').swap16();
    default:
      throw new UnknownCharsetError(charset);
  }
}

/** The reverse of {@link encoded}. */
export function decoded(bytes: Buffer, charset: string | undefined): string {
  const name = normalized(charset);
  if (name === 'iso88591' || name === 'latin1') return bytes.toString('latin1');
  const label = name === 'utf16' && bytes[0] !== 0xff ? 'utf-16be' : (charset ?? 'utf-8');
  try {
    return new TextDecoder(label).decode(bytes);
  } catch (cause) {
    throw new UnknownCharsetError(charset, { cause });
  }
}

function normalized(charset: string | undefined): string {
  return (charset ?? 'utf-8').toLowerCase().replace(/[-_\s]/g, '');
}
