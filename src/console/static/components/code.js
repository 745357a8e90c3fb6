import { useEffect, useRef } from 'preact/hooks';
import { html } from '../html.js';
import { tokens } from '../text/highlight.js';
import { Icon } from './icon.js';
import { tell } from './toast.js';

/** Beyond this, text is shown without colours, characters. */
const COLOURED = 200_000;

/**
 * A text with line numbers and colours.
 * @param {{text: string, language?: string, mark?: number, first?: number, numbers?: boolean, label?: string, wrap?: boolean}} props
 *   `mark`: the line that is meant, scrolled to
 */
export function Code({ text, language = 'text', mark, first = 1, numbers = true, label = 'Text', wrap = false }) {
  const marked = useRef();
  useEffect(() => {
    // Within its box only: the page stays where it is.
    const box = marked.current?.closest('.code');
    if (box) box.scrollTop = marked.current.offsetTop - box.clientHeight / 2;
  }, [mark, text]);
  const lines = linesOf(text.replace(/\n$/, ''), text.length > COLOURED ? 'text' : language);
  const classes = `code ${numbers ? 'numbered' : ''} ${wrap ? 'wrap' : ''}`;
  return html`<div class=${classes} tabindex="0" role="region" aria-label=${label}>
    <code>
      ${lines.map((line, index) => {
        const number = first + index;
        const current = number === mark;
        return html`<div key=${number} class=${current ? 'line mark' : 'line'} ref=${current ? marked : undefined} data-line=${number}>
          ${line.map(([kind, part]) => (kind ? html`<span class=${`t-${kind}`}>${part}</span>` : part))}${'\n'}
        </div>`;
      })}
    </code>
  </div>`;
}

/** Tokens, broken into lines. */
function linesOf(text, language) {
  const lines = [[]];
  for (const [kind, part] of tokens(text, language)) {
    const pieces = part.split('\n');
    pieces.forEach((piece, index) => {
      if (index > 0) lines.push([]);
      if (piece) lines.at(-1).push([kind, piece]);
    });
  }
  return lines;
}

/** Puts a text into the clipboard. */
export function CopyButton({ text, label = 'Copy' }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      tell('Copied');
    } catch {
      tell('The browser does not allow copying here', 'bad');
    }
  };
  return html`<button type="button" class="quiet small" onClick=${copy}><${Icon} name="copy" size=${15} />${label}</button>`;
}
