/*
 * The texts of statements that people wrote: where a `?` stands for a value, and where one statement ends and the next begins, is only
 * known to who skips quotes and comments.
 */

/** Quoted text, quoted names, PostgreSQL's $tag$…$tag$, comments; then what we look for. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|\?\?|[?;]/g;

/** Statements whose bodies hold statements. */
const WITH_BODY = /^\s*(?:create|alter)\s[\s\S]*?\b(?:procedure|function|trigger|event|package)\b/i;

/** The statements in a text, without the blanks and semicolons around them. */
export function splitStatements(text: string): readonly string[] {
  if (!text.includes(';') || WITH_BODY.test(text)) return [text.trim()].filter((statement) => statement !== '');
  const statements: string[] = [];
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match[0] !== ';') continue;
    statements.push(text.slice(from, match.index));
    from = match.index + 1;
  }
  statements.push(text.slice(from));
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}

/** How many values a statement takes. */
export function parameterCount(sql: string): number {
  return numberedParameters(sql).count;
}

/** `?` as `$1`, `$2`, …; a doubled one is PostgreSQL's operator, as JDBC has it. */
export function numberedParameters(sql: string): { readonly text: string; readonly count: number } {
  let count = 0;
  const text = sql.replace(TOKEN, (token) => {
    if (token === '??') return '?';
    if (token !== '?') return token;
    count += 1;
    return `$${count}`;
  });
  return { text, count };
}

/** JDBC's `{call p(?)}`, with or without `? =` in front, as the statement that it stands for. */
export function withoutJdbcEscape(sql: string): string {
  const [, call] = /^\s*\{\s*(?:\?\s*=\s*)?call\s+([\s\S]*?)\}\s*$/i.exec(sql) ?? [];
  return call === undefined ? sql : `call ${call.trim()}`;
}
