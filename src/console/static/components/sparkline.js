import { html } from '../html.js';

const WIDTH = 100;
const HEIGHT = 28;

/**
 * A line without axes, for the shape of things. The newest value is at the right edge.
 * @param {{values: number[], label: string, slots?: number, tone?: string}} props `slots`: how many values fill the width
 */
export function Sparkline({ values, label, slots = 60, tone = '' }) {
  const shown = values.slice(-slots);
  const top = Math.max(1, ...shown);
  const points = shown.map((value, index) => {
    const x = WIDTH - ((shown.length - 1 - index) * WIDTH) / Math.max(1, slots - 1);
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`;
  });
  const first = points[0]?.split(',')[0] ?? '0';
  return html`<svg class=${`sparkline ${tone}`} viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${
      points.length > 1 &&
      html`<polygon points=${`${first},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} /><polyline points=${points.join(' ')} />`
    }
  </svg>`;
}
