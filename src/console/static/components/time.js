import * as format from '../format.js';
import { useTold } from '../hooks.js';
import { html } from '../html.js';

/** What would be read as 0.0 s. */
const SOON_MS = 50;

/** How long ago, or how soon; the moment itself on hovering. @param {{at?: string | number, none?: string}} props */
export function Ago({ at, none = '–' }) {
  const text = useTold(() => format.relative(at ?? undefined, Date.now()), at);
  if (at === undefined || at === null) return none;
  return html`<time datetime=${isoOf(at)} title=${format.moment(at)}>${text}</time>`;
}

/**
 * Counts down to a moment, then says that it is now, then that it is over.
 * @param {{until?: string | number, none?: string, soon?: string, over?: string}} props
 */
export function Countdown({ until, none = '–', soon = 'now', over = 'due' }) {
  const at = format.epoch(until);
  const text = useTold(() => {
    const left = at - Date.now();
    if (left < SOON_MS) return left > -2000 ? soon : over;
    return left < 10_000 ? `${(left / 1000).toFixed(1)} s` : format.span(left);
  }, at);
  if (at === undefined) return none;
  return html`<time class="tabular" datetime=${isoOf(at)} title=${format.moment(at)}>${text}</time>`;
}

/** For how long something has been so. @param {{since?: string | number}} props */
export function For({ since }) {
  const at = format.epoch(since);
  const text = useTold(() => format.span(Date.now() - at), at);
  if (at === undefined) return '–';
  return html`<time class="tabular" datetime=${isoOf(at)} title=${format.moment(at)}>${text}</time>`;
}

/** A moment; the date only where it is not today. */
export function Clock({ at }) {
  return html`<time class="tabular" datetime=${isoOf(at)} title=${format.moment(at)}>${format.clock(at)}</time>`;
}

function isoOf(at) {
  const epoch = format.epoch(at);
  return epoch === undefined ? undefined : new Date(epoch).toISOString();
}
