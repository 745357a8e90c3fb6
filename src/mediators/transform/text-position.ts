import type { Position } from '../../grammar/diagnostic.ts';
import type { ConfigElement } from '../../grammar/element.ts';

const START_TAG = /<(?:[^"'>]|"[^"]*"|'[^']*')*>/y;
/** What stands in the file for no character at all, or for one. */
const NOTHING = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>/y;
const CDATA_START = '<![CDATA[';
const CDATA_END = ']]>';
const REFERENCE = /&#?\w+;/y;

/**
 * Where a line and column (from 1) of the text of an element stand in the artifact file: references such as `&lt;` are one character
 * of the text, comments and the marks of CDATA none. The element's own place when it is not to be found, as behind a child element.
 */
export function positionInText(element: ConfigElement, line: number, column: number): Position {
  const { file, text } = element.source;
  let at = offsetOf(text, element.position);
  START_TAG.lastIndex = at;
  at += START_TAG.exec(text)?.[0].length ?? 0;
  let textLine = 1;
  let textColumn = 1;
  let isCdata = false;
  while (at < text.length) {
    const mark = isCdata ? CDATA_END : CDATA_START;
    const nothing = text.startsWith(mark, at) ? mark.length : isCdata ? 0 : lengthOf(NOTHING, text, at);
    if (nothing > 0) {
      if (text.startsWith(mark, at)) isCdata = !isCdata;
      at += nothing;
      continue;
    }
    if (text[at] === '<' && !isCdata) break;
    if (textLine === line && textColumn >= column) return { file, ...placeOf(text, at) };
    if (text[at] === '\n') {
      if (textLine === line) return { file, ...placeOf(text, at) };
      textLine += 1;
      textColumn = 1;
    } else textColumn += 1;
    at += isCdata ? 1 : lengthOf(REFERENCE, text, at) || 1;
  }
  return element.position;
}

function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

function offsetOf(text: string, { line, column }: Position): number {
  let start = 0;
  for (let skipped = 1; skipped < line; skipped += 1) start = text.indexOf('\n', start) + 1;
  return start + column - 1;
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
