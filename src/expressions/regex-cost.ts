/** How the work of a backtracking match grows with the text. */
export interface RegexCost {
  /** The exponent where it is polynomial: the number of quantifiers without a bound. */
  readonly degree: number;
  /** A quantified group can match the same text in several ways: the work may double with every character. */
  readonly exponential: boolean;
}

interface Group {
  /** Something inside matches in several ways: alternatives, or a quantifier. */
  ambiguous: boolean;
}

const QUANTIFIER = /[*+?]|\{(\d+)(,(\d*))?\}/y;
/** A bounded repetition of so many is treated as one without a bound. */
const MANY = 16;

/**
 * An upper estimate from the source of a regular expression (with the `u` flag), made once when it is compiled. It may call a harmless
 * pattern dangerous, never the other way round: a class is no repetition, and what is repeated and ambiguous is exponential.
 */
export function regexCost(source: string): RegexCost {
  let degree = 0;
  let exponential = false;
  const groups: Group[] = [{ ambiguous: false }];
  let closed: Group | undefined;
  for (let at = 0; at < source.length; ) {
    const character = source[at];
    const current = groups.at(-1) as Group;
    QUANTIFIER.lastIndex = at;
    const quantifier = QUANTIFIER.exec(source);
    if (quantifier) {
      const times = repetitions(quantifier);
      if (times >= MANY) degree += 1;
      if (times > 1 && closed?.ambiguous) exponential = true;
      current.ambiguous = true;
      closed = undefined;
      at = QUANTIFIER.lastIndex;
      continue;
    }
    closed = undefined;
    if (character === '\\') {
      // A back-reference compares a text of any length.
      if (/[1-9k]/.test(source[at + 1] ?? '')) degree += 1;
      at +=
        source.startsWith('\\u{', at) || source.startsWith('\\p{', at) || source.startsWith('\\P{', at)
          ? source.indexOf('}', at) + 1 - at
          : 2;
      continue;
    }
    if (character === '[') {
      at = endOfClass(source, at);
      continue;
    }
    if (character === '(') {
      groups.push({ ambiguous: false });
      at += /^\(\?(?::|=|!|<=|<!|<[A-Za-z][A-Za-z0-9]*>)/.exec(source.slice(at, at + 64))?.[0].length ?? 1;
      continue;
    }
    if (character === ')' && groups.length > 1) {
      closed = groups.pop() as Group;
      const outer = groups.at(-1) as Group;
      outer.ambiguous ||= closed.ambiguous;
    } else if (character === '|') current.ambiguous = true;
    at += 1;
  }
  return { degree, exponential };
}

/** How often a quantifier repeats at most. */
function repetitions([text, least, comma, most]: RegExpExecArray): number {
  if (text === '?') return 1;
  if (text === '*' || text === '+' || (comma !== undefined && most === '')) return Number.POSITIVE_INFINITY;
  return Number(comma === undefined ? least : most);
}

function endOfClass(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === ']') return at + 1;
  }
  return source.length;
}
