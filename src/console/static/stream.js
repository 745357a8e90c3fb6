import { address, query } from './api.js';

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** Something comes every 15 s at the latest; a stream that is silent for longer has nobody at its other end. */
const SILENT_MS = 20_000;

/** How long to wait before something is tried again. @param {number} failures in a row until now */
export function backOff(failures) {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
  // Not all of those who watch come back at the same moment.
  return whole * (0.75 + Math.random() * 0.25);
}

/**
 * An event stream of the server that comes back by itself, with what it has missed as far as the server still knows it.
 *
 *   open ──(error, or silent for 20 s)──► waiting ──(back-off, network is back, again())──► open
 *
 * Lost before any event had an id, there is nothing to go on from: `reset` is told with the first event of the next one, as the server
 * does when it does not know any more what was missed.
 *
 * @param {{values?: Record<string, string>, names: string[], onEvent: (name: string, text: string) => void, onLost: (retryAt: number) => void}} options
 *   values: of the query; retryAt: epoch ms
 * @returns {{again: () => void, close: () => void}} again: does not wait any longer
 */
export function openStream({ values = {}, names, onEvent, onLost }) {
  let source;
  let timer;
  let watchdog;
  let failures = 0;
  let lastEventId = '';
  let missed = false;
  const watch = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(lost, SILENT_MS);
  };
  const open = () => {
    clearTimeout(timer);
    timer = undefined;
    source?.close();
    source = new EventSource(address(`events${query({ ...values, lastEventId })}`));
    for (const name of names) source.addEventListener(name, (event) => received(name, event));
    source.onerror = lost;
    watch();
  };
  const received = (name, event) => {
    failures = 0;
    lastEventId = event.lastEventId || lastEventId;
    watch();
    if (missed && name !== 'reset') onEvent('reset', '');
    missed = false;
    onEvent(name, event.data);
  };
  function lost() {
    clearTimeout(watchdog);
    source.close();
    missed ||= lastEventId === '';
    const wait = backOff(failures);
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(open, wait);
    onLost(Date.now() + wait);
  }
  const again = () => {
    if (timer !== undefined) open();
  };
  addEventListener('online', again);
  open();
  return {
    again,
    close() {
      removeEventListener('online', again);
      clearTimeout(timer);
      clearTimeout(watchdog);
      timer = undefined;
      source.close();
    },
  };
}
