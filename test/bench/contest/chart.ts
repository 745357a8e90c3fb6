import type { RowFigures } from './contest.ts';

const WIDTH = 920;
const LEFT = 460;
const RIGHT = 110;
const ROW = 44;
const TOP = 54;
const BAR = 11;
const MOST = 1.5;
const COLOURS = {
  met: '#2f7d4f',
  missed: '#b3492d',
  cpu: '#8a93a3',
  text: '#39424e',
  line: '#c9ced6',
  goal: '#1f2933',
};

/**
 * The rows as bars: our part of the baseline's messages per second, below it the baseline's CPU time per message by ours (1 is as cheap as
 * the baseline), and a mark at the goal. Readable on light and dark pages: it brings its own background.
 */
export function chart(rows: readonly RowFigures[], subtitle: string): string {
  const height = TOP + rows.length * ROW + 34;
  const scale = (ratio: number) => LEFT + (Math.min(ratio, MOST) / MOST) * (WIDTH - LEFT - RIGHT);
  const ticks = [0, 0.5, 1, 1.5].map(
    (tick) =>
      `<line x1="${scale(tick)}" y1="${TOP - 8}" x2="${scale(tick)}" y2="${height - 30}" stroke="${COLOURS.line}"/>` +
      text(scale(tick), height - 14, tick.toFixed(1), 'middle'),
  );
  const bars = rows.map((row, index) => bar(row, TOP + index * ROW, scale));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img">` +
    '<title>Messages per second and CPU time against bare baselines</title>' +
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>` +
    text(16, 22, 'Against a bare baseline (1.0), measured alternately', 'start', 'font-weight="600"') +
    text(16, 38, `${subtitle} · wide: messages/s · grey: CPU per message · mark: goal`, 'start') +
    `${ticks.join('')}${bars.join('')}</svg>\n`
  );
}

function bar(row: RowFigures, top: number, scale: (ratio: number) => number): string {
  const { path, ratio, cpuRatio, goal, met } = row;
  const rect = (y: number, value: number, height: number, fill: string) =>
    `<rect x="${LEFT}" y="${y}" width="${(scale(value) - LEFT).toFixed(1)}" height="${height}" fill="${fill}"/>`;
  const mark = scale(goal).toFixed(1);
  return (
    text(LEFT - 10, top + 16, path, 'end') +
    rect(top + 4, ratio, BAR, met ? COLOURS.met : COLOURS.missed) +
    rect(top + 4 + BAR, cpuRatio, BAR / 2, COLOURS.cpu) +
    `<line x1="${mark}" y1="${top}" x2="${mark}" y2="${top + 24}" stroke="${COLOURS.goal}" stroke-width="2"/>` +
    text(scale(Math.max(ratio, cpuRatio, goal)) + 8, top + 16, `${ratio.toFixed(2)} · ${cpuRatio.toFixed(2)}`, 'start')
  );
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" fill="${COLOURS.text}" ${more}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
