/** Lines of a side that are compared one by one; what is longer is compared as a whole. */
const MAX_LINES = 1500;
/** Unchanged lines that are shown beside changed ones. */
const AROUND = 3;

/** @typedef {{kind: 'same'|'came'|'went'|'gap', text: string}} DiffLine */

/** What changed from one text to the other, line by line. @param {string} before @param {string} after @returns {DiffLine[]} */
export function diffLines(before, after) {
  const left = before === '' ? [] : before.split('\n');
  const right = after === '' ? [] : after.split('\n');
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < Math.min(left.length, right.length) - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  const middle = compared(left.slice(start, left.length - end), right.slice(start, right.length - end));
  const same = (text) => ({ kind: 'same', text });
  return shortened([...left.slice(0, start).map(same), ...middle, ...left.slice(left.length - end).map(same)]);
}

/**
 * The same, side by side: what went stands beside what came in its place.
 * @returns {Array<{kind: 'same'|'other'|'gap', left?: string, right?: string}>} undefined: there is no line on that side
 */
export function sideBySide(before, after) {
  const rows = [];
  let went = [];
  let came = [];
  const settle = () => {
    for (let index = 0; index < Math.max(went.length, came.length); index += 1)
      rows.push({ kind: 'other', left: went[index], right: came[index] });
    went = [];
    came = [];
  };
  for (const { kind, text } of diffLines(before, after)) {
    if (kind === 'went') went.push(text);
    else if (kind === 'came') came.push(text);
    else {
      settle();
      rows.push({ kind, left: text, right: text });
    }
  }
  settle();
  return rows;
}

/** By the longest common subsequence. */
function compared(left, right) {
  if (left.length > MAX_LINES || right.length > MAX_LINES || left.length === 0 || right.length === 0) {
    return [...left.map((text) => ({ kind: 'went', text })), ...right.map((text) => ({ kind: 'came', text }))];
  }
  const width = right.length + 1;
  const common = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const at = i * width + j;
      common[at] = left[i] === right[j] ? common[at + width + 1] + 1 : Math.max(common[at + width], common[at + 1]);
    }
  }
  const lines = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const at = i * width + j;
    if (i < left.length && j < right.length && left[i] === right[j]) {
      lines.push({ kind: 'same', text: left[i] });
      i += 1;
      j += 1;
    } else if (i < left.length && (j === right.length || common[at + width] >= common[at + 1])) {
      lines.push({ kind: 'went', text: left[i] });
      i += 1;
    } else {
      lines.push({ kind: 'came', text: right[j] });
      j += 1;
    }
  }
  return lines;
}

/** Leaves out what is far from any change. */
function shortened(lines) {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ kind }, index) => {
    if (kind !== 'same') near.fill(1, Math.max(0, index - AROUND), index + AROUND + 1);
  });
  const shown = [];
  for (let index = 0; index < lines.length; index += 1) {
    if (near[index]) shown.push(lines[index]);
    else if (index === 0 || near[index - 1]) {
      let end = index;
      while (end < lines.length && !near[end]) end += 1;
      // A line that stands for one line is worth nothing.
      shown.push(end - index === 1 ? lines[index] : { kind: 'gap', text: `${end - index} unchanged lines` });
    }
  }
  return shown;
}
