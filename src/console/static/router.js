import { useEffect, useState } from 'preact/hooks';
import { query } from './api.js';

/*
 * Addresses within the console stand behind the `#`: `#/stores/Orders/messages?text=IBM`. Segments are percent-encoded, so every name
 * can be linked to, and the page works wherever it is mounted.
 */

/** @typedef {{segments: string[], query: Record<string, string>}} Place */

/** @returns {Place} where we are */
export function here() {
  const [path = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const segments = path.split('/').filter(Boolean).map(decoded);
  return { segments, query: Object.fromEntries(new URLSearchParams(search)) };
}

/**
 * The address of a place.
 * @param {string[]} segments
 * @param {Record<string, unknown>} [values]
 */
export function to(segments, values = {}) {
  return `#/${segments.map(encodeURIComponent).join('/')}${query(values)}`;
}

/** Goes there. */
export function go(segments, values) {
  location.hash = to(segments, values);
}

/** Changes the query of the place we are at, without a step in the history. */
export function refine(values) {
  const { segments, query: current } = here();
  history.replaceState(null, '', to(segments, { ...current, ...values }));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** @returns {Place} where we are, now and after every change */
export function usePlace() {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const moved = () => setPlace(here());
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}

function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Where an artifact of a kind is shown. */
export function placeOf(kind, name) {
  switch (kind) {
    case 'store':
    case 'messageStore':
      return to(['stores', name]);
    case 'processor':
    case 'messageProcessor':
      return to(['processors', name]);
    case 'endpoint':
      return to(['endpoints'], { name });
    default:
      return undefined;
  }
}

/** Where the source of an artifact is shown. */
export function sourceAt(file, line) {
  return to(['source'], { file, line });
}
