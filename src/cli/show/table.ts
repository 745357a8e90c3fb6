import { type Colour, coloured, printable, type Terminal } from './terminal.ts';
import { cut, padded, widthOf } from './width.ts';

export type Cell = string | { readonly text: string; readonly colour: Colour | undefined };

/** One column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly align?: 'right';
  cell(row: T): Cell;
}

const GAP = 2;
/** Columns are not cut below this. */
const NARROWEST = 6;

/**
 * Rows below titles, aligned. On a terminal the widest columns are cut until all fit into its width; columns in which no row has
 * anything are left out.
 */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], terminal: Terminal): string {
  const cells = rows.map((row) => columns.map((column) => cellOf(column.cell(row))));
  const used = columns
    .map((_, index) => cells.some((row) => row[index]?.text !== ''))
    .map((any, index) => any || index === 0);
  const shown = columns.filter((_, index) => used[index]);
  const body = cells.map((row) => row.filter((_, index) => used[index]));
  const wanted = shown.map(({ title }, index) =>
    Math.max(widthOf(title), ...body.map((row) => widthOf(row[index]?.text ?? ''))),
  );
  const widths = terminal.columns === undefined ? wanted : fitted(wanted, terminal.columns);
  const head = shown.map(({ title }) => ({ text: title, colour: 'bold' as const }));
  return [head, ...body].map((row) => line(row, shown, widths, terminal)).join('');
}

interface ShownCell {
  readonly text: string;
  readonly colour: Colour | undefined;
}

function cellOf(cell: Cell): ShownCell {
  return typeof cell === 'string'
    ? { text: printable(cell), colour: undefined }
    : { text: printable(cell.text), colour: cell.colour };
}

/** Takes from the widest column, again and again; from the first one, by which rows are named, only when nothing else is left. */
function fitted(wanted: readonly number[], columns: number): number[] {
  const widths = [...wanted];
  const room = columns - GAP * (widths.length - 1);
  let total = widths.reduce((sum, width) => sum + width, 0);
  while (total > room) {
    const widest = Math.max(0, ...widths.slice(1));
    const index = widest > NARROWEST ? widths.lastIndexOf(widest) : 0;
    const width = widths[index] ?? 0;
    if (width <= NARROWEST) break;
    widths[index] = width - 1;
    total -= 1;
  }
  return widths;
}

function line<T>(
  cells: readonly ShownCell[],
  columns: readonly Column<T>[],
  widths: readonly number[],
  terminal: Terminal,
): string {
  let text = '';
  let used = 0;
  for (const [index, { text: written, colour }] of cells.entries()) {
    const gap = index === 0 ? 0 : GAP;
    // What does not fit even so is cut off at the edge.
    const room = terminal.columns === undefined ? Number.MAX_SAFE_INTEGER : terminal.columns - used - gap;
    const width = Math.min(widths[index] ?? 0, room);
    if (width <= 0) break;
    const shown = cut(written, width);
    const isLast = index === cells.length - 1 && columns[index]?.align !== 'right';
    const full = isLast ? shown : padded(shown, width, columns[index]?.align);
    text += ' '.repeat(gap) + full.replace(shown, () => coloured(shown, colour, terminal));
    used += gap + width;
  }
  return `${text.trimEnd()}\n`;
}
