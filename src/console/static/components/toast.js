import { useEffect, useState } from 'preact/hooks';
import { html } from '../html.js';
import { Icon } from './icon.js';

const STAY_MS = 6000;
const MAX_TOASTS = 4;
let toasts = [];
let show = () => {};
let next = 0;

/** Tells what was done, in a corner and to screen readers. @param {string} text @param {'good'|'bad'} [tone] */
export function tell(text, tone = 'good') {
  next += 1;
  const id = next;
  toasts = [...toasts, { id, text, tone }].slice(-MAX_TOASTS);
  show(toasts);
  setTimeout(() => {
    toasts = toasts.filter((toast) => toast.id !== id);
    show(toasts);
  }, STAY_MS);
}

/** Does something and tells how it ended. @returns {Promise<any>} undefined when it failed */
export async function doing(action, done) {
  try {
    const result = await action();
    tell(typeof done === 'function' ? done(result) : done);
    return result;
  } catch (error) {
    tell(error.message, 'bad');
    return undefined;
  }
}

/** Where they are shown; once on the page. */
export function Toasts() {
  const [shown, setShown] = useState(toasts);
  useEffect(() => {
    show = setShown;
    return () => {
      show = () => {};
    };
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${shown.map(
      ({ id, text, tone }) =>
        html`<p key=${id} class=${`toast ${tone}`}><${Icon} name=${tone === 'good' ? 'check' : 'warning'} />${text}</p>`,
    )}
  </div>`;
}
