import { createHmac } from 'node:crypto';
import { toText, XPathError, type XPathFunction } from '../xml/xpath/index.ts';
import { decoded, encoded, UnknownCharsetError } from './charsets.ts';

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
export const UNSUPPORTED_FUNCTIONS: ReadonlySet<string> = new Set(['encrypt', 'decrypt', 'document']);

/** A Synapse function by its local name; a wrong number of arguments gives `''`. */
export function synapseFunction<C>(name: string): XPathFunction<C> | undefined {
  const declaration = Object.hasOwn(DECLARATIONS, name) ? DECLARATIONS[name] : undefined;
  if (!declaration) return undefined;
  return (_, args, spend) => {
    if (args.length < declaration.minimum || args.length > declaration.maximum) return '';
    const texts = args.map((arg) => toText(arg, spend));
    try {
      return declaration.call(...(texts as [string, string, string]));
    } catch (cause) {
      if (cause instanceof UnknownCharsetError) throw new XPathError(cause.message, { cause });
      throw cause;
    }
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
