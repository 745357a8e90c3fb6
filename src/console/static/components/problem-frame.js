import { html } from '../html.js';
import { sourceAt } from '../router.js';
import { tokens } from '../text/highlight.js';
import { State } from './state.js';

/** One line of a code frame: a mark, the number, the text; the line that points at a column has no number. */
const LINE = /^>?\s*(\d*)\s*\|\s?(.*)$/;

/** A problem of an artifact with the lines around it (OP-35). @param {{problem: any, file: string}} props */
export function ProblemFrame({ problem, file }) {
  const { severity, message, line, column, frame, expected, didYouMean, at } = problem;
  return html`<section class=${`problem ${severity}`}>
    <header>
      <${State} tone=${severity === 'error' ? 'bad' : 'busy'}>${severity === 'error' ? 'Error' : 'Warning'}<//>
      <p class="problem-message">${message}</p>
      <a class="mono" href=${sourceAt(file, line)}>line ${line}:${column}</a>
    </header>
    ${
      (expected || didYouMean || at) &&
      html`<p class="problem-hint">
        ${expected && html`Expected ${expected}. `}${didYouMean && html`Did you mean <strong>${didYouMean}</strong>? `}${at && html`<span class="muted">At ${at}.</span>`}
      </p>`
    }
    ${
      frame &&
      html`<div class="code problem-frame" tabindex="0" role="region" aria-label="Lines around the problem">
        <code>${frame.split('\n').map((text, index) => html`<${FrameLine} key=${index} text=${text} line=${line} />`)}</code>
      </div>`
    }
  </section>`;
}

function FrameLine({ text, line }) {
  const [, number = '', rest = text] = LINE.exec(text) ?? [];
  const kind = number === '' ? 'line pointer' : Number(number) === line ? 'line mark' : 'line';
  return html`<div class=${kind}>
    <span class="frame-number">${number}</span>${tokens(rest, 'xml').map(([token, part]) => (token ? html`<span class=${`t-${token}`}>${part}</span>` : part))}${'\n'}
  </div>`;
}
