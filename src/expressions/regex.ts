import { ValueError } from '../grammar/attributes.ts';
import { type JavaRegex, translateJavaRegex } from './java-regex.ts';

/** The groups of a match of the whole text, group 0 first; undefined when the text does not match as a whole. */
export type WholeMatch = (text: string) => readonly (string | undefined)[] | undefined;

/**
 * Compiles a Java regular expression that must match a whole text, as filter, switch, property and rewrite ask for (spec mediators
 * 4.6).
 * @throws ValueError for a pattern that is wrong or cannot be expressed here
 */
export function compileWholeMatch(pattern: string): WholeMatch {
  const { source, flags } = compileRegex(pattern);
  // Look-arounds instead of ^ and $, which mean line ends under (?m).
  const whole = new RegExp(`(?<![^])(?:${source})(?![^])`, flags);
  return (text) => whole.exec(text) ?? undefined;
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
