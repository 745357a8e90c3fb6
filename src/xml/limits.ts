/**
 * Elements, attributes, texts and the like of one document (OP-91). The tree takes about 100 bytes for each, so that a body of 16 MB made
 * of nothing but tags would take four times as much; what is written in earnest has a node for every twelve bytes at most.
 */
const MAX_NODES = 2_000_000;
const MEBIBYTE = 1024 * 1024;
const MAX_BODY_BYTES = 16 * MEBIBYTE;
/** What may stand around the largest body in a payload that is made of it. */
const AROUND_BODY = MEBIBYTE;

const limits = { nodes: MAX_NODES, bodyBytes: MAX_BODY_BYTES };

/** What {@link limitXml} sets; what is left out is as it is without configuration. */
export interface XmlLimits {
  readonly maxXmlNodes?: number;
  /** Of the largest body. */
  readonly maxBodyBytes?: number;
}

/** Sets the limits of all documents and texts of this process. */
export function limitXml({ maxXmlNodes: nodes, maxBodyBytes = 0 }: XmlLimits): void {
  limits.nodes = nodes ?? MAX_NODES;
  limits.bodyBytes = Math.max(MAX_BODY_BYTES, maxBodyBytes);
}

/** Nodes that a document may have, whether it is read, copied or made of JSON. */
export function maxXmlNodes(): number {
  return limits.nodes;
}

/** Characters of a text that an expression puts together: twice the largest body. */
export function maxTextLength(): number {
  return 2 * limits.bodyBytes;
}

/** Characters of a payload that is made: the largest body, and something around it. */
export function maxPayloadLength(): number {
  return limits.bodyBytes + AROUND_BODY;
}

/** What was to be made is larger than anything that is kept in memory. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/**
 * Joins texts.
 * @param what makes the text, for the message
 * @param limit characters of the whole
 * @throws TooLargeError before it is made, so that text that doubles with every step does not take the memory
 */
export function joinTexts(parts: readonly string[], what: string, limit: number = maxTextLength()): string {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > limit) throw new TooLargeError(`${what} makes a text of more than ${limit} characters`);
  return parts.join('');
}
