import { ValueError } from '../../grammar/attributes.ts';
import { maxTextLength, TooLargeError } from '../../xml/index.ts';
import { decoded, encoded, UnknownCharsetError } from '../charsets.ts';
import { compileSplit } from '../regex.ts';
import { integerArgument, invalidArgument, textArgument } from './arguments.ts';
import type { Declaration, NonNullValue } from './functions.ts';
import { EvaluationError, isJson, Numeric, printed, type Value } from './values.ts';

/** Functions on text (spec mediators 4.5.4). */
export const textFunctions: Readonly<Record<string, Declaration>> = {
  length: { minimum: 1, maximum: 1, call: ([value]) => Numeric.integral(lengthOf(value as NonNullValue)) },
  toUpper: { minimum: 1, maximum: 1, call: ([value]) => looseText('toUpper', value as NonNullValue).toUpperCase() },
  toLower: { minimum: 1, maximum: 1, call: ([value]) => looseText('toLower', value as NonNullValue).toLowerCase() },
  trim: onText('trim', 1, (text) => text.replace(/^[\0-\u0020]+|[\0-\u0020]+$/g, '')),
  subString: { minimum: 2, maximum: 3, call: subString },
  startsWith: onText('startsWith', 2, (text, start) => text.startsWith(start)),
  endsWith: onText('endsWith', 2, (text, end) => text.endsWith(end)),
  contains: onText('contains', 2, (text, part) => text.includes(part)),
  indexOf: { minimum: 2, maximum: 3, call: indexOf },
  charAt: { minimum: 2, maximum: 2, call: charAt },
  replace: onText('replace', 3, replaced),
  split: onText('split', 2, split),
  base64encode: withCharset('base64encode', (text, charset) => encoded(text, charset).toString('base64')),
  base64decode: onText('base64decode', 1, (text) => Buffer.from(text, 'base64').toString('utf8')),
  urlEncode: withCharset('urlEncode', urlEncode),
  urlDecode: onText('urlDecode', 1, urlDecode),
};

function onText(name: string, count: 1 | 2 | 3, compute: (...texts: [string, string, string]) => Value): Declaration {
  return {
    minimum: count,
    maximum: count,
    call: (args) => compute(...(args.map((arg) => textArgument(name, arg)) as [string, string, string])),
  };
}

/** Told before it is made: a text that grows tenfold with every call must not take the memory. */
function replaced(text: string, from: string, to: string): string {
  let count = from === '' ? text.length - 1 : 0;
  if (from !== '') for (let at = text.indexOf(from); at >= 0; at = text.indexOf(from, at + from.length)) count += 1;
  const limit = maxTextLength();
  if (text.length + count * (to.length - from.length) > limit) {
    throw new TooLargeError(`replace() makes a text of more than ${limit} characters`);
  }
  return text.split(from).join(to);
}

function withCharset(name: string, compute: (text: string, charset: string | undefined) => string): Declaration {
  return {
    minimum: 1,
    maximum: 2,
    call([value, charset]) {
      try {
        return compute(textArgument(name, value), charset === undefined ? undefined : textArgument(name, charset));
      } catch (cause) {
        if (cause instanceof UnknownCharsetError) throw new EvaluationError(cause.message, { cause });
        throw cause;
      }
    },
  };
}

function lengthOf(value: NonNullValue): number {
  if (isJson(value) && value.kind === 'array') return value.items.length;
  return textArgument('length', value).length;
}

/** Text; also truth values, and numbers of a document, which are text there. */
function looseText(name: string, value: NonNullValue): string {
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Numeric && value.written !== undefined) return printed(value);
  return textArgument(name, value);
}

function subString([value, from, to]: readonly NonNullValue[]): Value {
  const text = textArgument('subString', value);
  const start = integerArgument('subString', from);
  if (to === undefined) {
    if (start < 0 || start > text.length) {
      throw new EvaluationError(`Invalid index for subString: ${start}, source string length: ${text.length}`);
    }
    return text.slice(start);
  }
  const end = integerArgument('subString', to);
  if (start < 0 || end > text.length || start > end) {
    throw new EvaluationError(
      `Invalid subString indices: start=${start}, end=${end}, source string length=${text.length}`,
    );
  }
  return text.slice(start, end);
}

function indexOf([value, part, from]: readonly NonNullValue[]): Value {
  const text = textArgument('indexOf', value);
  const start = from === undefined ? 0 : integerArgument('indexOf', from);
  return Numeric.integral(text.indexOf(textArgument('indexOf', part), start));
}

function charAt([value, at]: readonly NonNullValue[]): Value {
  const text = textArgument('charAt', value);
  const index = integerArgument('charAt', at);
  const character = text[index];
  if (index < 0 || character === undefined) throw new EvaluationError(`Invalid index for charAt: ${index}`);
  return character;
}

function split(text: string, pattern: string): Value {
  try {
    return { kind: 'array', items: compileSplit(pattern)(text).map((value) => ({ kind: 'string', value })) };
  } catch (cause) {
    if (cause instanceof ValueError) throw new EvaluationError(cause.message, { cause });
    throw cause;
  }
}

/** Java's URLEncoder; without a charset `%20` and `%2A` instead of `+` and `*`. */
function urlEncode(text: string, charset: string | undefined): string {
  let result = '';
  for (const character of text) {
    if (/[A-Za-z0-9\-_.*]/.test(character)) result += character;
    else if (character === ' ') result += '+';
    else for (const byte of encoded(character, charset)) result += escapedByte(byte);
  }
  return charset === undefined ? result.replaceAll('+', '%20').replaceAll('*', '%2A') : result;
}

function escapedByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function urlDecode(text: string): string {
  const bytes: Buffer[] = [];
  const spaced = text.replaceAll('+', ' ');
  for (const part of spaced.split(/((?:%[0-9A-Fa-f]{2})+)/)) {
    if (/^%[0-9A-Fa-f]{2}/.test(part)) bytes.push(Buffer.from(part.replaceAll('%', ''), 'hex'));
    else if (part.includes('%')) throw invalidArgument('urlDecode');
    else bytes.push(Buffer.from(part, 'utf8'));
  }
  return decoded(Buffer.concat(bytes), undefined);
}
