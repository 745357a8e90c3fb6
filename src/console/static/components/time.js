import * as format from '../format.js';
import { useNow } from '../hooks.js';
import { html } from '../html.js';

/** How long ago, or how soon; the moment itself on hovering. @param {{at?: string | number, none?: string}} props */
export function Ago({ at, none = '–' }) {
  const now = useNow();
  if (at === undefined || at === null) return none;
  return html`<time datetime=${isoOf(at)} title=${format.moment(at)}>${format.relative(at, now)}</time>`;
}

/** Counts down to a moment, then says `now`, then that it is over. @param {{until?: string | number, none?: string, over?: string}} props */
export function Countdown({ until, none = '–', over = 'due' }) {
  const now = useNow(250);
  const at = format.epoch(until);
  if (at === undefined) return none;
  const left = at - now;
  const text =
    left <= 0 ? (left > -2000 ? 'now' : over) : left < 10_000 ? `${(left / 1000).toFixed(1)} s` : format.span(left);
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
