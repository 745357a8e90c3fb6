import { html } from '../html.js';

/** What a state means for whoever looks: `good`, `busy` (wait and see), `bad`, or `idle` (so wanted). */
const TONES = {
  READY: 'good',
  ACTIVE: 'good',
  ok: 'good',
  done: 'good',
  deployed: 'good',
  stored: 'good',
  delivered: 'good',
  SUCCESS: 'good',
  CONNECTING: 'busy',
  DEGRADED: 'busy',
  WAITING_STORE: 'busy',
  CIRCUIT_OPEN: 'busy',
  TIMEOUT: 'busy',
  running: 'busy',
  retry: 'busy',
  DOWN: 'bad',
  DEACTIVATED: 'bad',
  FAULTY: 'bad',
  SUSPENDED: 'bad',
  faulty: 'bad',
  fault: 'bad',
  failed: 'bad',
  dead: 'bad',
  error: 'bad',
};

/** @param {string | undefined} state */
export function toneOf(state) {
  return TONES[state ?? ''] ?? 'idle';
}

/** `WAITING_STORE` as people read it. */
export function stateText(state) {
  if (state === 'ok') return 'OK';
  const text = String(state ?? 'unknown')
    .replaceAll('_', ' ')
    .toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A state, by word and colour. @param {{state?: string, tone?: string, title?: string, children?: any}} props */
export function State({ state, tone = toneOf(state), title, children }) {
  return html`<span class=${`state ${tone}`} title=${title}><i aria-hidden="true"></i>${children ?? stateText(state)}</span>`;
}

/** A small label without a judgement. */
export function Tag({ children, title }) {
  return html`<span class="tag" title=${title}>${children}</span>`;
}
