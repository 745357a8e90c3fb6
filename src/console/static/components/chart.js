import { useEffect, useRef } from 'preact/hooks';
import { html } from '../html.js';

let loading;

/** uPlot comes as a classic script; it is loaded when the first chart is shown. */
function uPlotLoaded() {
  loading ??= new Promise((resolve, reject) => {
    const sheet = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: './lib/uplot.css' });
    const script = Object.assign(document.createElement('script'), { src: './lib/uplot.js' });
    script.onload = () => resolve(globalThis.uPlot);
    script.onerror = () => reject(new Error('The chart library could not be loaded'));
    document.head.append(sheet, script);
  });
  return loading;
}

/**
 * Lines over time.
 * @param {{times: number[], lines: Array<{label: string, values: Array<number | null>, color: string, fill?: boolean, stepped?: boolean}>,
 *   label: string, height?: number, from?: number, whole?: boolean, format?: (value: number) => string}} props times in epoch ms; `color`: the name
 *   of a custom property; `from`: where the axis begins at the latest
 */
export function Chart({ times, lines, label, height = 190, from, whole = false, format = String }) {
  const place = useRef();
  const chart = useRef();
  const shape = lines.map((line) => line.label).join();
  useEffect(() => {
    let gone = false;
    let resized;
    const draw = (uPlot) => {
      if (gone || !place.current) return;
      chart.current?.destroy();
      chart.current = new uPlot(
        options(lines, { width: place.current.clientWidth, height, format, whole }),
        data(times, lines, from),
        place.current,
      );
    };
    uPlotLoaded().then(
      (uPlot) => {
        draw(uPlot);
        if (!chart.current) return;
        resized = new ResizeObserver(() => {
          if (place.current) chart.current?.setSize({ width: place.current.clientWidth, height });
        });
        resized.observe(place.current);
      },
      () => place.current?.replaceChildren('The chart library could not be loaded.'),
    );
    const themed = () => loading.then(draw);
    addEventListener('themechange', themed);
    return () => {
      gone = true;
      removeEventListener('themechange', themed);
      resized?.disconnect();
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [shape, height]);
  useEffect(() => chart.current?.setData(data(times, lines, from)), [times, lines]);
  return html`<div class="chart" role="img" aria-label=${label} style=${{ minHeight: `${height}px` }} ref=${place}></div>`;
}

/** An empty point at the beginning keeps the axis as long as it should be. */
function data(times, lines, from) {
  const early = from !== undefined && (times.length === 0 || from < times[0]);
  const seconds = times.map((time) => time / 1000);
  return [
    early ? [from / 1000, ...seconds] : seconds,
    ...lines.map(({ values }) => (early ? [null, ...values] : values)),
  ];
}

function options(lines, { width, height, format, whole }) {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${style.getPropertyValue('--sans')}`,
  };
  return {
    width,
    height,
    cursor: { points: { size: 6 }, y: false },
    legend: { show: true, live: true },
    padding: [8, 8, 0, 0],
    scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      { ...axis, size: 26, values: (_plot, ticks) => ticks.map((tick) => clockOf(tick)) },
      {
        ...axis,
        size: 48,
        values: (_plot, ticks) => ticks.map((tick) => (whole && !Number.isInteger(tick) ? '' : format(tick))),
      },
    ],
    series: [
      { label: 'time', value: (plot, value) => clockOf(value ?? plot.data[0].at(-1), true) },
      ...lines.map(({ label, color: name, fill }) => ({
        label,
        stroke: color(name),
        width: 1.75,
        fill: fill ? color(`${name}-soft`) : undefined,
        points: { show: false },
        // Without a pointer over it, what is the newest.
        value: (plot, value, series, at) => told(at === null ? plot.data[series].at(-1) : value, format),
      })),
    ],
  };
}

function told(value, format) {
  return value === null || value === undefined ? '–' : format(value);
}

function clockOf(seconds, full) {
  const date = new Date(seconds * 1000);
  const parts = [date.getHours(), date.getMinutes(), ...(full === true ? [date.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
