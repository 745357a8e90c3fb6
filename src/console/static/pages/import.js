import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { query, segment } from '../api.js';
import { Dialog } from '../components/dialog.js';
import { tell } from '../components/toast.js';
import { counted, number, size } from '../format.js';
import { html } from '../html.js';
import { upload } from '../upload.js';

const LINES = 'application/x-ndjson';
/** What the server takes at once. */
const MOST_BYTES = 1024 ** 3;
const DUPLICATES = {
  skip: 'Leave them out',
  refuse: 'Report each as a failure',
  allow: 'Store them a second time',
};

/**
 * Asks for a file that an export has written, and puts its messages into a store (OP-49).
 * @param {string} store
 * @returns {Promise<boolean>} whether messages were stored
 */
export function importInto(store) {
  const place = document.createElement('div');
  document.body.append(place);
  return new Promise((resolve) => {
    const close = (stored) => {
      render(null, place);
      place.remove();
      resolve(stored);
    };
    render(html`<${Import} store=${store} onClose=${close} />`, place);
  });
}

/*
 * choosing ──(Check, Import)──► sending ──(answer: all is well, a login is wanted)──► closed
 *    ▲                             │
 *    └──(Stop, Escape, error, or an answer with something to read)
 */
function Import({ store, onClose }) {
  const [file, setFile] = useState(undefined);
  const [duplicates, setDuplicates] = useState('skip');
  const [sent, setSent] = useState(undefined);
  const [outcome, setOutcome] = useState({});
  const stored = useRef(false);
  const ending = useRef();
  const at = useRef(0);
  useEffect(() => () => ending.current?.abort(), []);
  const run = async (dryRun) => {
    ending.current = new AbortController();
    setOutcome({});
    const moved = (bytes) => {
      at.current = bytes;
      setSent(bytes);
    };
    moved(0);
    try {
      const path = `message-stores/${segment(store)}/import${query({ duplicates, dryRun })}`;
      const result = await upload(path, file, { type: LINES, onSent: moved, signal: ending.current.signal });
      stored.current ||= !dryRun && result.done > 0;
      if (!dryRun && isClean(result)) {
        tell(summary(result, dryRun));
        onClose(stored.current);
        return;
      }
      setOutcome({ result, dryRun });
    } catch (error) {
      // Whatever came through until then is there.
      stored.current ||= !dryRun;
      // The dialog has made room for the login.
      if (error.status === 401) tell(`Nothing was imported into ${store}: log in and import it again`, 'bad');
      setOutcome({ error, dryRun, sent: at.current, of: file.size });
    }
    setSent(undefined);
  };
  const stop = () => ending.current.abort();
  const busy = sent !== undefined;
  const tooLarge = file?.size > MOST_BYTES;
  const submit = (event) => {
    event.preventDefault();
    void run(false);
  };
  return html`<${Dialog} title=${`Import messages into ${store}`} onClose=${() => onClose(stored.current)} onStop=${busy ? stop : undefined}>
    <form onSubmit=${submit}>
      <div class="dialog-text"><p>From a file that an export has written: a message a line, as JSON. They keep their ids, headers and history.</p></div>
      <label class="field"><span>File</span>
        <input type="file" required disabled=${busy} accept=".ndjson,.jsonl,.json,.txt" onChange=${(event) => {
          setFile(event.target.files[0]);
          setOutcome({});
        }} /></label>
      <label class="field"><span>Messages that the store has already</span>
        <select value=${duplicates} disabled=${busy} onChange=${(event) => setDuplicates(event.target.value)}>${Object.entries(DUPLICATES).map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>
      ${tooLarge && html`<p class="notice bad" role="alert">The file has ${size(file.size)}, and ${size(MOST_BYTES)} are taken at once: cut it at the end of a line.</p>`}
      ${busy && html`<${Progress} sent=${sent} of=${file.size} />`}
      <${Outcome} outcome=${outcome} />
      <div class="dialog-actions">
        <button type="button" class="quiet" onClick=${() => (busy ? stop() : onClose(stored.current))}>${busy ? 'Stop' : stored.current ? 'Close' : 'Cancel'}</button>
        <button type="button" disabled=${busy || !file || tooLarge} onClick=${() => run(true)}>Check only</button>
        <button type="submit" class="primary" disabled=${busy || !file || tooLarge}>${busy ? 'Working …' : 'Import'}</button>
      </div>
    </form>
  <//>`;
}

function Progress({ sent, of }) {
  const all = sent >= of;
  return html`<div class="upload" role="status">
    <progress max=${Math.max(1, of)} value=${all ? undefined : sent} aria-label="Sent"></progress>
    <span class="sub tabular">${all ? `${size(of)} sent, the server is at work on the rest of it` : `${size(sent)} of ${size(of)}`}</span>
  </div>`;
}

/** What is known when there was no answer: how much was sent, and how to go on. */
function endText({ error, dryRun, sent, of }) {
  if (dryRun || error.status !== 0)
    return `${error.message}.${dryRun ? ' It was only a check: nothing was stored.' : ''}`;
  return `${error.message}, when ${size(sent)} of ${size(of)} were sent. Messages that the server has taken until then are in the store. To bring the others, import the file again and leave out those that the store has already.`;
}

function Outcome({ outcome }) {
  const { result, dryRun, error } = outcome;
  if (error) return html`<p class="notice bad" role="alert">${endText(outcome)}</p>`;
  if (!result) return null;
  const { failed, stopped } = result;
  return html`<div class=${`notice ${isClean(result) ? 'idle' : 'bad'}`} role="alert"><div>
      <strong>${summary(result, dryRun)}.</strong>${stopped && ` It ${stopped}.`}
      ${failed.length > 0 && html`<ul class="import-failures" tabindex="0" aria-label="What was not taken">${failed.map(({ line, id, Error: text }) => html`<li key=${line}>Line ${number(line)}${id && html`, <span class="mono">${id}</span>`}: ${text}</li>`)}</ul>`}
    </div></div>`;
}

function isClean({ failed, stopped }) {
  return failed.length === 0 && stopped === undefined;
}

function summary({ done, skipped, failed }, dryRun) {
  const parts = [
    `${counted(done, 'message')} ${dryRun ? 'can be imported' : 'imported'}`,
    skipped > 0 && `${number(skipped)} left out, as the store has ${skipped === 1 ? 'it' : 'them'}`,
    failed.length > 0 && `${number(failed.length)} ${dryRun ? 'cannot be' : 'not'}`,
  ];
  return parts.filter(Boolean).join(', ');
}
