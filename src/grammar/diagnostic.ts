import { distance } from 'fastest-levenshtein';
import { maskedSource } from './masked-source.ts';

/** A place in an artifact file; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The text of one artifact file, kept for the code frames of its diagnostics. */
export interface ArtifactSource {
  /** The path as the user knows it (relative to the artifact directory or as given on the command line). */
  readonly file: string;
  readonly text: string;
  /** The connector library that it is a part of: its templates are named after that. */
  readonly library?: LibraryName;
}

/** A connector library. */
export interface LibraryName {
  readonly name: string;
  readonly package: string;
}

/**
 * One problem of an artifact (REQ-12, REQ-14, OP-35, MREQ-1). The same text is shown by the CLI, the log, the management API and
 * the console: see {@link formatDiagnostic}.
 */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly position: Position;
  /** What is wrong, in one line. The reference's own text comes first where users know it. */
  readonly message: string;
  /** What would be right, for example `one of: simple, headers, full, custom`. */
  readonly expected?: string;
  /** The nearest known name, for "did you mean". */
  readonly nearest?: string;
  /** The way to the element, for example `proxy[StockQuoteProxy]/target/inSequence/log[2]`. */
  readonly path?: string;
}

const FRAME_LINES_AROUND = 2;
const FRAME_WIDTH = 160;

/** `file:line:column: error: message`, what was expected, the nearest name and a code frame of five lines. */
export function formatDiagnostic(diagnostic: Diagnostic, source?: ArtifactSource): string {
  const { file, line, column } = diagnostic.position;
  const lines = [`${file}:${line}:${column}: ${diagnostic.severity}: ${diagnostic.message}`];
  if (diagnostic.path) lines.push(`  at ${diagnostic.path}`);
  if (diagnostic.expected) lines.push(`  expected ${diagnostic.expected}`);
  if (diagnostic.nearest) lines.push(`  did you mean '${diagnostic.nearest}'?`);
  if (source) lines.push(codeFrame(source.text, line, column));
  return lines.join('\n');
}

/** Five lines around a position with a marker under the column; secrets are masked. */
export function codeFrame(text: string, line: number, column: number): string {
  const all = maskedLines(text);
  const first = Math.max(1, line - FRAME_LINES_AROUND);
  const last = Math.min(all.length, line + FRAME_LINES_AROUND);
  const gutter = String(last).length;
  const from = column > FRAME_WIDTH ? column - 1 - FRAME_WIDTH / 2 : 0;
  const frame: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const content = visiblePart((all[number - 1] ?? '').replaceAll('\t', ' '), from);
    frame.push(`${number === line ? '>' : ' '} ${String(number).padStart(gutter)} | ${content}`);
    if (number === line) frame.push(`  ${' '.repeat(gutter)} | ${' '.repeat(column - 1 - from)}^`);
  }
  return frame.join('\n');
}

/** Of the file that was shown last: one file may have thousands of diagnostics. */
let shown: { readonly text: string; readonly lines: readonly string[] } | undefined;

function maskedLines(text: string): readonly string[] {
  if (shown?.text !== text) shown = { text, lines: maskedSource(text).split(/\r\n|\r|\n/) };
  return shown.lines;
}

/** What a frame shows of a line, which may be very long: an ellipsis stands for what lies to the left. */
function visiblePart(content: string, from: number): string {
  if (from === 0 || content === '') return content.slice(0, FRAME_WIDTH);
  return `…${content.slice(from + 1, from + FRAME_WIDTH)}`;
}

/** No name is that long; and the distance of long texts takes long. */
const LONGEST_NAME_CHARS = 200;

/** The known name that a misspelt one most likely means, or undefined when none is near. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > LONGEST_NAME_CHARS) return undefined;
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const lower = candidate.toLowerCase();
    // The difference of their lengths is the least that their distance can be.
    if (Math.abs(lower.length - wanted.length) >= bestDistance) continue;
    const steps = distance(wanted, lower);
    if (steps < bestDistance) {
      best = candidate;
      bestDistance = steps;
    }
  }
  return best;
}
