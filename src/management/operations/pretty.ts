const INDENT = '  ';
/** `<!-- … -->`, `<![CDATA[ … ]]>`, `<? … ?>`, other tags (with `>` in quotes), and what is between them. */
const XML_TOKEN = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<(?:[^>"']|"[^"]*"|'[^']*')*>|[^<]+/g;

/** XML with one element a line, for people: elements that contain text stay as they are. What is no XML comes back somehow. */
export function prettyXml(text: string): string {
  const tokens = text.match(XML_TOKEN) ?? [];
  const lines: string[] = [];
  let depth = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    if (token.trim() === '') continue;
    if (token.startsWith('</')) depth = Math.max(0, depth - 1);
    const end = isOpening(token) ? endOfText(tokens, at) : at;
    lines.push(
      INDENT.repeat(depth) +
        tokens
          .slice(at, end + 1)
          .join('')
          .trim(),
    );
    if (end === at && isOpening(token)) depth += 1;
    at = end;
  }
  return lines.join('\n');
}

function isOpening(token: string): boolean {
  return token.startsWith('<') && !/^<[/!?]/.test(token) && !token.endsWith('/>');
}

/** Where an element ends that has text in it, or nothing at all; `at` when it has elements and blanks only. */
function endOfText(tokens: readonly string[], at: number): number {
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
  return at;
}

/** JSON with one member a line, its numbers and texts as they are written. What is no JSON comes back somehow. */
export function prettyJson(text: string): string {
  let pretty = '';
  let depth = 0;
  let empty = false;
  const line = () => `\n${INDENT.repeat(depth)}`;
  for (const token of text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+|"/g) ?? []) {
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
