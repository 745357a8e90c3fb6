/** As the texts of nodes are set. */
const FONT_SIZE_PX = 12.5;
const FONT_WEIGHT = 570;
const MAX_KNOWN = 5000;
/** Text and width -> what fits; nodes are drawn every second. */
const known = new Map();
let ruler;

/** A text, cut off with an ellipsis where it would be wider. @param {string} text @param {number} width of the picture's own pixels */
export function cutTo(text, width) {
  const key = `${width} ${text}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= MAX_KNOWN) known.clear();
  const fitting = cut(text, width);
  known.set(key, fitting);
  return fitting;
}

function cut(text, width) {
  if (widthOf(text) <= width) return text;
  let [fits, tooLong] = [1, text.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`) <= width) fits = middle;
    else tooLong = middle;
  }
  return `${text.slice(0, fits)}…`;
}

/** How wide a node's text is, of the picture's own pixels. @param {string} text */
export function widthOf(text) {
  ruler ??= document.createElement('canvas').getContext('2d');
  ruler.font = `${FONT_WEIGHT} ${FONT_SIZE_PX}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(text).width;
}
