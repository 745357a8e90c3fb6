import { html } from '../html.js';

/** Drawn on a grid of 24, by strokes. */
const PATHS = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  store:
    'M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3',
  processor: 'M13 3 5 13.5h6L10 21l9-11.5h-6.5z',
  trace: 'M4 6h9M8 12h12M6 18h8M4 6v0M4 12h0M4 18h-1',
  send: 'M21 3 3 10.5l7 2.5m11-10-7.5 18-3.5-8m11-10L10 13',
  graph:
    'M5 8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM19 14.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM5 20.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM7.500 6.500l9 4.500M7.500 17.500l9-4.500',
  endpoint:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c2.500 2.600 3.800 5.600 3.800 9S14.500 18.400 12 21c-2.500-2.600-3.800-5.600-3.800-9S9.500 5.600 12 3z',
  artifact: 'M14 3H6v18h12V7zM14 3v4h4M9 12h6M9 16h6',
  schedule: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  health: 'M3 12h4l2.500-7 5 14L17 12h4',
  log: 'M4 5h16M4 10h16M4 15h10M4 20h7',
  audit: 'M12 3l8 3v6c0 4.500-3.300 7.800-8 9-4.700-1.200-8-4.500-8-9V6zM9 12l2 2 4-4',
  job: 'M4 7h16M4 12h16M4 17h16M9 5v4M15 10v4M7 15v4',
  configuration:
    'M4 7h9M19 7h1M4 17h1M11 17h9M16 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  menu: 'M4 7h16M4 12h16M4 17h16',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.400 1.400M17.600 17.600 19 19M5 19l1.400-1.400M17.600 6.400 19 5',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  cross: 'M6 6l12 12M18 6L6 18',
  warning: 'M12 4 2.500 20h19zM12 10v4.500M12 17.200v.3',
  resend: 'M4 12a8 8 0 0 1 14-5.300L20 9M20 4v5h-5M20 12a8 8 0 0 1-14 5.300L4 15M4 20v-5h5',
  move: 'M4 12h15M13 6l6 6-6 6',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
  download: 'M12 4v11M7 10.500l5 5 5-5M5 20h14',
  upload: 'M12 20V9M7 13.500l5-5 5 5M5 4h14',
  play: 'M7 4.500v15l12-7.500z',
  pause: 'M8 5v14M16 5v14',
  step: 'M6 5v14l9-7zM18 5v14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  alert: 'M5 17h14l-2-2.500V10a5 5 0 0 0-10 0v4.500zM10 20.500h4',
  back: 'M9 5l-5 5 5 5M4 10h10a6 6 0 0 1 0 12h-3',
  compare: 'M4 5h6v14H4zM14 5h6v14h-6M17 9h0M17 12h0',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  keyboard: 'M3 6h18v12H3zM7 10h0M11 10h0M15 10h0M7 14h10',
  leave: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  mediator: 'M12 3l8 4.500v9L12 21l-8-4.500v-9z',
  sequence: 'M4 6h10M4 12h16M4 18h7M17 4l3 2-3 2z',
  proxy: 'M4 8h13l-3.500-4M20 16H7l3.500 4',
  client: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1-4 4-6 8-6s7 2 8 6',
};

/** An ornament beside text; screen readers pass it over. @param {{name: string, size?: number}} props */
export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true">
    <path d=${PATHS[name] ?? PATHS.mediator} />
  </svg>`;
}

/** Its outline, to be drawn in a larger picture. */
export function iconPath(name) {
  return PATHS[name] ?? PATHS.mediator;
}
