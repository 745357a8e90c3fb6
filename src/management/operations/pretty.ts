const INDENT = '  ';
/** Deeper elements stand as far to the right as these: what is nested deeply does not grow with the square of its depth. */
const MAX_INDENT = 40;
/** How many times as long as the text the lines may be; short texts may always become this long, in characters. */
const MAX_GROWTH = 4;
const MAX_SHORT_CHARACTERS = 64 * 1024;

/**
 * XML with one element a line, for people: elements that contain text stay as they are. Takes time as the text is long; undefined for
 * what has a beginning without its end, and for what would become far longer than it is.
 */
export function prettyXml(text: string): string | undefined {
  const tokens = xmlTokens(text);
  if (!tokens) return undefined;
  const lines: string[] = [];
  let depth = 0;
  let room = roomFor(text);
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    if (token.trim() === '') continue;
    if (token.startsWith('</')) depth = Math.max(0, depth - 1);
    const end = isOpening(token) ? endOfText(tokens, at) : at;
    if (end === undefined) return undefined;
    const content = tokens.slice(at, end + 1).join('');
    const line = indent(depth) + content.trim();
    room -= line.length + 1;
    if (room < 0) return undefined;
    lines.push(line);
    if (end === at && isOpening(token)) depth += 1;
    at = end;
  }
  return lines.join('\n');
}

function indent(depth: number): string {
  return INDENT.repeat(Math.min(depth, MAX_INDENT));
}

function roomFor(text: string): number {
  return Math.max(MAX_SHORT_CHARACTERS, MAX_GROWTH * text.length);
}

/** Comments, CDATA sections, instructions, other tags, and what is between them; undefined when one of them has no end. */
function xmlTokens(text: string): string[] | undefined {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text[at] === '<' ? endOfTag(text, at) : endOfCharacters(text, at);
    if (end === undefined) return undefined;
    tokens.push(text.slice(at, end));
    at = end;
  }
  return tokens;
}

function endOfCharacters(text: string, from: number): number {
  const end = text.indexOf('<', from);
  return end < 0 ? text.length : end;
}

function endOfTag(text: string, from: number): number | undefined {
  if (text.startsWith('<!--', from)) return after(text, '-->', from + 4);
  if (text.startsWith('<![CDATA[', from)) return after(text, ']]>', from + 9);
  if (text.startsWith('<?', from)) return after(text, '?>', from + 2);
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === '>') return at + 1;
    if (character !== '"' && character !== "'") continue;
    // A `>` in quotes ends nothing.
    const closing = text.indexOf(character, at + 1);
    if (closing < 0) return undefined;
    at = closing;
  }
  return undefined;
}

/** Where the text goes on after an ending; undefined when there is none. */
function after(text: string, ending: string, from: number): number | undefined {
  const found = text.indexOf(ending, from);
  return found < 0 ? undefined : found + ending.length;
}

function isOpening(token: string): boolean {
  return token.startsWith('<') && !/^<[/!?]/.test(token) && !token.endsWith('/>');
}

/** Where an element ends that has text in it, or nothing at all; `at` when it has elements and blanks only; undefined: nowhere. */
function endOfText(tokens: readonly string[], at: number): number | undefined {
  const next = tokens[at + 1] ?? '';
  if (next.startsWith('</')) return at + 1;
  if (next.trim() === '' || (next.startsWith('<') && !next.startsWith('<![CDATA['))) return at;
  let depth = 1;
  for (let end = at + 1; end < tokens.length; end += 1) {
    const token = tokens[end] ?? '';
    if (isOpening(token)) depth += 1;
    else if (token.startsWith('</')) depth -= 1;
    if (depth === 0) return end;
  }
  return undefined;
}

const JSON_TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+|"/g;

/**
 * JSON with one member a line, its numbers and texts as they are written; takes time as the text is long. What is no JSON comes back
 * somehow, or not at all: undefined for a text in it that has no end, and for what would become far longer than it is.
 */
export function prettyJson(text: string): string | undefined {
  let pretty = '';
  let depth = 0;
  let empty = false;
  const room = roomFor(text);
  const line = () => `\n${indent(depth)}`;
  for (const [token] of text.matchAll(JSON_TOKEN)) {
    if (token === '"' || pretty.length > room) return undefined;
    if (token === '}' || token === ']') {
      depth = Math.max(0, depth - 1);
      pretty += empty ? token : line() + token;
      empty = false;
      continue;
    }
    if (empty) pretty += line();
    empty = token === '{' || token === '[';
    if (empty) depth += 1;
    pretty += token === ':' ? ': ' : token;
    if (token === ',') pretty += line();
  }
  return pretty;
}
