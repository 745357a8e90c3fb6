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

/** The text of a unified diff, without the lines that name the files. @param {{text: string, label: string}} props */
export function UnifiedDiff({ text, label }) {
  const lines = text
    .replace(/^---.*\n\+\+\+.*\n/, '')
    .replace(/\n$/, '')
    .split('\n');
  return html`<div class="code diff" tabindex="0" role="region" aria-label=${label}>
    <code>
      ${lines.map((line, index) => {
        const kind = KINDS[line[0]] ?? 'gap';
        return html`<div key=${index} class=${`line ${kind}`}><span class="sign">${SIGNS[kind]}</span>${kind === 'gap' ? line.replace(/^@@ .*\+(\d+).*$/, 'line $1') : line.slice(1)}${'\n'}</div>`;
      })}
    </code>
  </div>`;
}

const KINDS = { ' ': 'same', '+': 'came', '-': 'went' };
const SIGNS = { came: '+', went: '−', same: ' ', gap: '⋯' };
