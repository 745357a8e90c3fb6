import { html } from '../html.js';
import { diffLines } from '../text/diff.js';
import { pretty } from '../text/pretty.js';

/** What became of a body: lines that went and came, unchanged ones only beside them. @param {{before: string, after: string, language?: string}} props */
export function Diff({ before, after, language = 'text' }) {
  const lines = diffLines(pretty(before, language), pretty(after, language));
  return html`<div class="code diff" tabindex="0" role="region" aria-label="Changes of the body">
    <code>
      ${lines.map(
        ({ kind, text }, index) =>
          html`<div key=${index} class=${`line ${kind}`}><span class="sign">${SIGNS[kind]}</span>${text}${'\n'}</div>`,
      )}
    </code>
  </div>`;
}

const SIGNS = { came: '+', went: '−', same: ' ', gap: '⋯' };
