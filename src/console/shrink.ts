/** A block comment, or a run of line comments, that stands on lines of its own. */
const REMARKS = /^[ \t]*(?:\/\*[\s\S]*?\*\/|\/\/[^\n]*)[ \t]*\n/gm;

/**
 * A script or style sheet of the console without what only those need who read its source: comments on lines of their own, and
 * indentation. Nothing else is touched, so it does what it did; for texts whose template literals do not care for white space at the
 * beginning of lines, and have no line that begins as a comment does.
 */
export function withoutRemarks(text: string): string {
  return text
    .replace(REMARKS, '')
    .replace(/^[ \t]+/gm, '')
    .replace(/\n{2,}/g, '\n');
}
