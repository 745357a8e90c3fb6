import { createHmac } from 'node:crypto';
import { toText, XPathError, type XPathFunction } from '../xml/xpath/index.ts';

/** A function that Synapse adds to XPath and that only looks at its arguments (spec mediators 4.2.3). */
type TextFunction = (...texts: [string, string, string]) => string;

interface Declaration {
  readonly minimum: number;
  readonly maximum: number;
  readonly call: TextFunction;
}

const DECLARATIONS: Readonly<Record<string, Declaration>> = {
  base64Encode: { minimum: 1, maximum: 2, call: (text, charset) => encoded(text, charset).toString('base64') },
  base64Decode: {
    minimum: 1,
    maximum: 2,
    call: (text, charset) => decoded(Buffer.from(text, 'base64'), charset).trim(),
  },
  'url-encode': { minimum: 1, maximum: 2, call: urlEncode },
  'hmac-generate': { minimum: 2, maximum: 3, call: hmac },
};

/** Functions that are refused at deployment, because no answer of theirs would be right. */
export const UNSUPPORTED_FUNCTIONS: ReadonlySet<string> = new Set([
  'encrypt',
  'decrypt',
  'evaluate',
  'document',
  'vault-lookup',
]);

/** A Synapse function by its local name; a wrong number of arguments gives `''`. */
export function synapseFunction<C>(name: string): XPathFunction<C> | undefined {
  const declaration = Object.hasOwn(DECLARATIONS, name) ? DECLARATIONS[name] : undefined;
  if (!declaration) return undefined;
  return (_, args, spend) => {
    if (args.length < declaration.minimum || args.length > declaration.maximum) return '';
    const texts = args.map((arg) => toText(arg, spend));
    return declaration.call(...(texts as [string, string, string]));
  };
}

/** Escapes what may not stand in a path or query; delimiters such as `/ : ? & = +` stay. */
function urlEncode(text: string, charset: string | undefined): string {
  let result = '';
  for (const character of text) {
    if (/[A-Za-z0-9\-_.!~*'();/?:@&=+$,]/.test(character)) result += character;
    else
      for (const byte of encoded(character, charset)) result += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return result;
}

function hmac(payload: string, secret: string, algorithm = 'HmacSHA1'): string {
  const digest = /^Hmac(MD5|SHA-?(?:1|224|256|384|512))$/i.exec(algorithm)?.[1];
  if (!digest) throw new XPathError(`hmac-generate does not know the algorithm '${algorithm}'`);
  return createHmac(digest.replace('-', '').toLowerCase(), secret).update(payload).digest('hex');
}

function encoded(text: string, charset: string | undefined): Buffer {
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
      throw new XPathError(`the charset '${charset}' is not known`);
  }
}

function decoded(bytes: Buffer, charset: string | undefined): string {
  const name = normalized(charset);
  if (name === 'iso88591' || name === 'latin1') return bytes.toString('latin1');
  const label = name === 'utf16' && bytes[0] !== 0xff ? 'utf-16be' : (charset ?? 'utf-8');
  try {
    return new TextDecoder(label).decode(bytes);
  } catch (cause) {
    throw new XPathError(`the charset '${charset}' is not known`, { cause });
  }
}

function normalized(charset: string | undefined): string {
  return (charset ?? 'utf-8').toLowerCase().replace(/[-_\s]/g, '');
}
