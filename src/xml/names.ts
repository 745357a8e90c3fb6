/** Name rules of XML 1.0 (fifth edition) and of Namespaces in XML 1.0. */

const START =
  'A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C-\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const NEXT = `${START}\\-.0-9\\xB7\\u0300-\\u036F\\u203F-\\u2040`;

/** Finds a name without colon at `lastIndex`. */
export const NCNAME_HERE = new RegExp(`[${START}][${NEXT}]*`, 'uy');

/** A whole name, with or without prefix. */
export const QUALIFIED_NAME = new RegExp(`^(?:[${START}][${NEXT}]*:)?[${START}][${NEXT}]*$`, 'u');

const ILLEGAL = /[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/;

/** What may have to be escaped, or may be no character of XML at all. */
export const NEEDS_CARE = /[\0-\x1F"&<>\uD800-\uDFFF\uFFFE\uFFFF]/;

/** The index of the first character that XML 1.0 does not allow (control characters, half surrogate pairs), or -1. */
export function indexOfIllegalCharacter(text: string): number {
  const control = text.search(ILLEGAL);
  if (text.isWellFormed()) return control;
  const half = text.search(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/);
  return control === -1 ? half : Math.min(control, half);
}

/** Whether a character reference may stand for this code point. */
export function isCharacter(code: number): boolean {
  return (
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}
