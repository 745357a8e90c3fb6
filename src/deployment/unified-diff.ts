/** What became of one line; the text has its line end, where it has one. */
export interface LineEdit {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** The difference of two texts as `diff -u` writes it. */
export interface UnifiedDiff {
  /** Without the two lines that name the files; empty where nothing differs. */
  readonly text: string;
  readonly added: number;
  readonly removed: number;
}

/** Unchanged lines around changed ones. */
const CONTEXT = 3;
/** Edits that are looked for; texts that differ more are taken as replaced. */
const MAX_EDITS = 1_000;
/** Comparisons of lines that one difference may cost at most. */
const MAX_COMPARISONS = 20_000_000;
const NO_LINE_END = '\\ No newline at end of file\n';

/** The lines of one text that went, and those of the other that came (OP-36). Takes no longer than about a tenth of a second. */
export function unifiedDiff(before: string, after: string): UnifiedDiff {
  const edits = lineEdits(linesOf(before), linesOf(after));
  const count = (kind: LineEdit['kind']) => edits.filter((edit) => edit.kind === kind).length;
  return { text: hunks(edits), added: count('added'), removed: count('removed') };
}

/** The lines with their ends. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The fewest edits that lead from one list of lines to the other; within a change, what went comes first. */
export function lineEdits(before: readonly string[], after: readonly string[]): LineEdit[] {
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shortest - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const same = (text: string): LineEdit => ({ kind: 'same', text });
  return [
    ...before.slice(0, start).map(same),
    ...removedFirst(middle(before.slice(start, before.length - end), after.slice(start, after.length - end))),
    ...before.slice(before.length - end).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): LineEdit[] {
  const replaced = (): LineEdit[] => [
    ...before.map((text) => ({ kind: 'removed', text }) as const),
    ...after.map((text) => ({ kind: 'added', text }) as const),
  ];
  if (before.length === 0 || after.length === 0) return replaced();
  const length = before.length + after.length;
  const limit = Math.min(MAX_EDITS, length, Math.floor(MAX_COMPARISONS / length));
  const fronts = furthestFronts(before, after, limit);
  return fronts ? walkedBack(before, after, fronts) : replaced();
}

/**
 * E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): by number of edits and diagonal (place in `before` minus place in
 * `after`), how far into `before` one gets. Undefined when more edits are needed than allowed.
 */
function furthestFronts(
  before: readonly string[],
  after: readonly string[],
  limit: number,
): readonly Int32Array[] | undefined {
  const fronts: Int32Array[] = [];
  let former = new Int32Array(3);
  for (let edits = 0; edits <= limit; edits += 1) {
    const front = new Int32Array(2 * edits + 3);
    fronts.push(front);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = edits === 0 ? 0 : stepped(former, edits, diagonal).x;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1;
      front[diagonal + edits + 1] = x;
      if (x >= before.length && x - diagonal >= after.length) return fronts;
    }
    former = front;
  }
  return undefined;
}

/** The better of the two edits that lead to a diagonal, from the front with one edit less. */
function stepped(former: Int32Array, edits: number, diagonal: number): { readonly x: number; readonly from: number } {
  // A front of d edits has its diagonal k at k + d + 1; this one has edits - 1.
  const at = (other: number) => former[other + edits] ?? 0;
  const down = diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
  return down ? { x: at(diagonal + 1), from: diagonal + 1 } : { x: at(diagonal - 1) + 1, from: diagonal - 1 };
}

function walkedBack(before: readonly string[], after: readonly string[], fronts: readonly Int32Array[]): LineEdit[] {
  const found: LineEdit[] = [];
  let [x, y] = [before.length, after.length];
  const take = (kind: LineEdit['kind'], text: string | undefined) => found.push({ kind, text: text ?? '' });
  for (let edits = fronts.length - 1; edits > 0; edits -= 1) {
    const former = fronts[edits - 1] as Int32Array;
    const step = stepped(former, edits, x - y);
    const removes = step.from < x - y;
    while (x > step.x && y > step.x - (x - y)) {
      x -= 1;
      y -= 1;
      take('same', before[x]);
    }
    if (removes) {
      x -= 1;
      take('removed', before[x]);
    } else {
      y -= 1;
      take('added', after[y]);
    }
  }
  while (x > 0) {
    x -= 1;
    take('same', before[x]);
  }
  return found.reverse();
}

/** People expect what went before what came. */
function removedFirst(edits: readonly LineEdit[]): LineEdit[] {
  const sorted: LineEdit[] = [];
  let added: LineEdit[] = [];
  for (const edit of edits) {
    if (edit.kind === 'added') added.push(edit);
    else {
      if (edit.kind === 'same') {
        sorted.push(...added);
        added = [];
      }
      sorted.push(edit);
    }
  }
  return [...sorted, ...added];
}

function hunks(edits: readonly LineEdit[]): string {
  const texts: string[] = [];
  let [index, oldLine, newLine] = [0, 1, 1];
  while (index < edits.length) {
    const first = edits.findIndex(({ kind }, at) => at >= index && kind !== 'same');
    if (first < 0) break;
    const from = Math.max(index, first - CONTEXT);
    const to = endOfHunk(edits, first);
    // What is passed over is the same on both sides.
    oldLine += from - index;
    newLine += from - index;
    const part = edits.slice(from, to);
    const oldCount = part.filter(({ kind }) => kind !== 'added').length;
    const newCount = part.filter(({ kind }) => kind !== 'removed').length;
    texts.push(`@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@\n`, ...part.map(written));
    oldLine += oldCount;
    newLine += newCount;
    index = to;
  }
  return texts.join('');
}

/** Changes with no more than twice the context between them stand together. */
function endOfHunk(edits: readonly LineEdit[], first: number): number {
  let last = first;
  for (let at = first; at < edits.length && at - last <= 2 * CONTEXT; at += 1)
    if (edits[at]?.kind !== 'same') last = at;
  return Math.min(edits.length, last + 1 + CONTEXT);
}

function range(line: number, count: number): string {
  if (count === 1) return String(line);
  // Of nothing, the line before is named.
  return count === 0 ? `${line - 1},0` : `${line},${count}`;
}

const SIGNS = { same: ' ', removed: '-', added: '+' } as const;

function written({ kind, text }: LineEdit): string {
  return SIGNS[kind] + (text.endsWith('\n') ? text : `${text}\n${NO_LINE_END}`);
}
