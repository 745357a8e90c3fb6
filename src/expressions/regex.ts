import { ValueError } from '../grammar/attributes.ts';
import { boundedRegex } from './bounded-regex.ts';
import { type JavaRegex, translateJavaRegex } from './java-regex.ts';

/** The groups of a match of the whole text, group 0 first; undefined when the text does not match as a whole. */
export type WholeMatch = (text: string) => readonly (string | undefined)[] | undefined;

/**
 * Compiles a Java regular expression that must match a whole text, as filter, switch, property and rewrite ask for (spec mediators
 * 4.6). A match that takes too long ends with a RegexTooSlowError, which is a fault.
 * @throws ValueError for a pattern that is wrong or cannot be expressed here
 */
export function compileWholeMatch(pattern: string): WholeMatch {
  const { source, flags } = compileRegex(pattern);
  // Look-arounds instead of ^ and $, which mean line ends under (?m).
  const whole = boundedRegex(new RegExp(`(?<![^])(?:${source})(?![^])`, flags), pattern, true);
  return (text) => whole.exec(text) ?? undefined;
}

/**
 * Compiles a replacement of every match, as Java's `replaceAll` (spec mediators 3.20): `$1` and `${name}` in the replacement are
 * groups, a backslash takes the next character literally.
 * @throws ValueError for a wrong pattern, or a replacement that names a group which is not there
 */
export function compileReplaceAll(pattern: string, replacement: string): (text: string) => string {
  const { source, flags } = compileRegex(pattern);
  const regex = boundedRegex(new RegExp(source, flags), pattern, false);
  const groups = new RegExp(`${source}|`, flags).exec('')?.length ?? 1;
  const pieces = replacementPieces(replacement, groups - 1);
  return (text) => {
    let result = '';
    let end = 0;
    for (const match of regex.matchAll(text)) {
      result += text.slice(end, match.index);
      for (const piece of pieces) result += piece(match);
      end = match.index + match[0].length;
    }
    return result + text.slice(end);
  };
}

type Piece = (match: RegExpExecArray) => string;

function replacementPieces(replacement: string, groups: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < replacement.length; ) {
    const [all = '', escaped, named, digits, plain] =
      /^(?:\\([\s\S])|\$\{([A-Za-z][A-Za-z0-9]*)\}|\$(\d+)|([^\\$]+))/.exec(replacement.slice(at)) ?? [];
    if (all === '') throw new ValueError(`'${replacement}' is no replacement: a '$' or '\\' stands alone in it`);
    const literal = escaped ?? plain;
    if (literal !== undefined) pieces.push(() => literal);
    else if (named !== undefined) pieces.push((match) => match.groups?.[named] ?? '');
    else at -= pushGroup(digits ?? '', groups, replacement, pieces);
    at += all.length;
  }
  return pieces;
}

/** As many digits as name a group that there is, like Java; the others are text. Returns how many characters are not used up. */
function pushGroup(digits: string, groups: number, replacement: string, pieces: Piece[]): number {
  let length = 1;
  while (length < digits.length && Number(digits.slice(0, length + 1)) <= groups) length += 1;
  const group = Number(digits.slice(0, length));
  if (group > groups) throw new ValueError(`No group ${group} for the replacement '${replacement}'`);
  pieces.push((match) => match[group] ?? '');
  return digits.length - length;
}

/**
 * Splits as Java's `String.split`: no empty text in front of a match of nothing, trailing empty texts dropped.
 * @throws ValueError for a wrong pattern
 */
export function compileSplit(pattern: string): (text: string) => string[] {
  const { source, flags } = compileRegex(pattern);
  const regex = boundedRegex(new RegExp(source, flags), pattern, false);
  return (text) => {
    const parts: string[] = [];
    let end = 0;
    for (const match of regex.matchAll(text)) {
      const behind = match.index + match[0].length;
      if (behind === 0 || (match[0] === '' && match.index === text.length)) continue;
      parts.push(text.slice(end, match.index));
      end = behind;
    }
    if (end === 0 && parts.length === 0) return [text];
    parts.push(text.slice(end));
    while (parts.at(-1) === '') parts.pop();
    return parts;
  };
}

/**
 * Translates a Java regular expression and checks that it is one.
 * @throws ValueError
 */
export function compileRegex(pattern: string): JavaRegex {
  const translated = translateJavaRegex(pattern);
  try {
    new RegExp(translated.source, translated.flags);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^Invalid regular expression: \/.*\/\w*: /s, '') : '';
    throw new ValueError(`'${pattern}' is not a regular expression: ${reason}`, undefined, undefined, { cause });
  }
  return translated;
}
