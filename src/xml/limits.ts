/**
 * Elements, attributes, texts and the like of one document (OP-91). The tree takes up to 800 bytes for each, so that a body of a few
 * megabytes made of nothing but tags would take gigabytes.
 */
export const MAX_XML_NODES = 2_000_000;

/** Characters of a text that an expression or a template puts together: twice the largest body that a listener takes. */
export const MAX_TEXT_LENGTH = 32 * 1024 * 1024;

/** What was to be made is larger than anything that is kept in memory. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/**
 * Joins texts.
 * @param what makes the text, for the message
 * @throws TooLargeError before it is made, so that text that doubles with every step does not take the memory
 */
export function joinTexts(parts: readonly string[], what: string): string {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > MAX_TEXT_LENGTH)
    throw new TooLargeError(`${what} makes a text of more than ${MAX_TEXT_LENGTH} characters`);
  return parts.join('');
}
