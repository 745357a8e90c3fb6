import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { LOGIN_NEEDED } from '../api.js';
import { html } from '../html.js';
import { tell } from './toast.js';

/**
 * A modal dialog: the browser keeps the focus inside, Escape closes it, and the focus goes back afterwards. It makes room for a login.
 * @param {{title: string, onClose: () => void, children?: any, wide?: boolean, onStop?: () => void}} props onStop: what Escape does instead,
 *   while something is going on that a click beside the dialog does not end
 */
export function Dialog({ title, onClose, children, wide, onStop }) {
  const latest = useRef(onClose);
  latest.current = onClose;
  useEffect(() => {
    const leave = () => latest.current();
    addEventListener(LOGIN_NEEDED, leave);
    return () => removeEventListener(LOGIN_NEEDED, leave);
  }, []);
  const cancelled = (event) => {
    if (!onStop) return;
    event.preventDefault();
    onStop();
  };
  const dialog = useRef();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  // The browser tells a while after it has closed: by then another dialog may have taken this one's place, and that one stays.
  const closed = (event) => event.target === dialog.current && onClose();
  const outside = (event) => event.target === dialog.current && !onStop && onClose();
  return html`<dialog ref=${dialog} class=${wide ? 'wide' : ''} aria-labelledby="dialog-title" onClose=${closed} onCancel=${cancelled} onClick=${outside}>
    <div class="dialog-inside">
      <h2 id="dialog-title">${title}</h2>
      ${children}
    </div>
  </dialog>`;
}

/**
 * Asks before something is done; what it does runs while the dialog is open, so that its failure is read where it was asked for. Closed
 * while it runs, it goes on, and how it ended is told all the same.
 * @param {{title: string, text: any, action: string, danger?: boolean, expect?: string, fields?: (values: any, set: (change: any) => void) => any,
 *   initial?: any, act: (values: any, error: any) => Promise<any>}} question `expect`: what has to be typed before; it, the text and the action
 *   may be functions of why it has failed before
 * @returns {Promise<any>} what `act` gave; undefined when nothing was done
 */
export function ask(question) {
  const place = document.createElement('div');
  document.body.append(place);
  return new Promise((resolve) => {
    const leave = () => {
      render(null, place);
      place.remove();
    };
    const close = (result) => {
      leave();
      resolve(result);
    };
    render(html`<${Question} question=${question} onClose=${close} onHide=${leave} />`, place);
  });
}

function Question({ question, onClose, onHide }) {
  const { title, danger, fields, initial, act } = question;
  const [values, setValues] = useState(initial ?? {});
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(undefined);
  const [text, action, expect] = [question.text, question.action, question.expect].map((part) =>
    typeof part === 'function' ? part(error) : part,
  );
  const hidden = useRef(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      onClose(await act(values, error));
    } catch (failure) {
      if (hidden.current) {
        tell(`${title} ${failure.message}`, 'bad');
        onClose(undefined);
        return;
      }
      setError(failure);
      setBusy(false);
    }
  };
  const leave = () => {
    if (!busy) return onClose(undefined);
    hidden.current = true;
    return onHide();
  };
  return html`<${Dialog} title=${title} onClose=${leave}>
    <form onSubmit=${submit}>
      <div class="dialog-text">${text}</div>
      ${fields?.(values, (change) => setValues((before) => ({ ...before, ...change })))}
      ${
        expect !== undefined &&
        html`<label class="field"><span>Type <strong class="tabular">${expect}</strong> to confirm</span>
          <input value=${typed} onInput=${(event) => setTyped(event.target.value)} autocomplete="off" /></label>`
      }
      ${error && html`<p class="notice bad" role="alert">${error.message}</p>`}
      <div class="dialog-actions">
        <button type="button" class="quiet" onClick=${leave}>${busy ? 'Hide' : 'Cancel'}</button>
        <button type="submit" class=${danger ? 'danger' : 'primary'} disabled=${busy || (expect !== undefined && typed !== expect)}>
          ${busy ? 'Working …' : action}
        </button>
      </div>
    </form>
  <//>`;
}
