import { type TypeOptions, valueType } from '../grammar/attributes.ts';
import { compileWholeMatch, type WholeMatch } from './regex.ts';

/** An attribute that holds a Java regular expression which a whole text must match (spec mediators 4.6). */
export function wholeMatch<const O extends TypeOptions<WholeMatch>>(options: O) {
  return valueType<WholeMatch, O>('a regular expression', (text) => compileWholeMatch(text), options);
}
