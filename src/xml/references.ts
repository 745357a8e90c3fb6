import { isCharacter } from './names.ts';

const NUMBER = /&#(?:([0-9]+)|x([0-9a-fA-F]+));/y;
const ENTITIES: ReadonlyArray<readonly [written: string, text: string]> = [
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&amp;', '&'],
  ['&quot;', '"'],
  ['&apos;', "'"],
];

/** Told what is wrong with a reference, and where; must throw. */
export type OnReferenceError = (problem: string, offset: number) => never;

/** Text with its references replaced by what they stand for; offsets in errors count from the start of the text. */
export function dereferenced(text: string, onError: OnReferenceError): string {
  let result = '';
  let from = 0;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', from)) {
    if (at > from) result += text.slice(from, at);
    const entity = ENTITIES.find(([written]) => text.startsWith(written, at));
    if (entity) {
      result += entity[1];
      from = at + entity[0].length;
    } else {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text);
      if (!number) return onError(problemAt(text, at), at);
      const code = number[1] === undefined ? Number.parseInt(number[2] ?? '', 16) : Number(number[1]);
      if (!isCharacter(code)) return onError(`${number[0]} is not a character that XML allows`, at);
      result += String.fromCodePoint(code);
      from = NUMBER.lastIndex;
    }
  }
  return from === 0 ? text : result + text.slice(from);
}

function problemAt(text: string, offset: number): string {
  const name = /^&([\w.:-]+);/.exec(text.slice(offset, offset + 80))?.[1];
  if (name) return `entity '&${name};' is not defined (DOCTYPE and its entities are not supported)`;
  return "'&' must be written as '&amp;'";
}
