/** A part of a text keeps the whole text in memory: what is kept for long, as in a cache, must not be a part of a message. */
export function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
