import { useState } from 'preact/hooks';
import { number } from '../format.js';
import { html } from '../html.js';

/**
 * @typedef {{title: any, cell: (row: any) => any, class?: string}} Column
 * `class`: `num` for figures, `wide` for what may be cut off, `hide-s` for what narrow screens go without
 */

/** Rows that are drawn before somebody asks for more: thousands of them would hold up every keystroke. */
const DRAWN = 200;

/**
 * A table; on phones its rows are cards. With `href`, a row leads there; with `selected`, rows can be chosen.
 * @param {{columns: Column[], rows: any[], keyOf?: (row: any) => string, href?: (row: any) => string | undefined, caption: string,
 *   selected?: Set<string>, onSelect?: (selected: Set<string>) => void, toneOf?: (row: any) => string}} props
 */
export function Table({ columns, rows, keyOf = (row) => row.name, href, caption, selected, onSelect, toneOf }) {
  const [drawn, setDrawn] = useState(DRAWN);
  const all = selected && rows.length > 0 && rows.every((row) => selected.has(keyOf(row)));
  const toggle = (key) => {
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect(next);
  };
  const follow = (event, row) => {
    const target = href?.(row);
    if (!target || event.target.closest('a, button, input, label, select') || getSelection()?.toString()) return;
    location.hash = target;
  };
  return html`<div class="table-frame" tabindex="0" role="region" aria-label=${caption}>
    <table role="table" class=${`rows ${selected ? 'picks' : ''}`}>
      <caption class="sr">
        ${caption}
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          ${
            selected &&
            html`<th role="columnheader" class="pick" scope="col">
              <input type="checkbox" checked=${all} aria-label="Select all on this page"
                onChange=${() => onSelect(all ? new Set() : new Set(rows.map(keyOf)))} />
            </th>`
          }
          ${columns.map(({ title, class: name }, index) => html`<th key=${index} role="columnheader" scope="col" class=${name}>${title}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.slice(0, drawn).map((row) => {
          const key = keyOf(row);
          const classes = [href?.(row) && 'leads', selected?.has(key) && 'picked', toneOf?.(row)]
            .filter(Boolean)
            .join(' ');
          return html`<tr key=${key} role="row" class=${classes} onClick=${(event) => follow(event, row)} data-key=${key}>
            ${
              selected &&
              html`<td role="cell" class="pick">
                <input type="checkbox" checked=${selected.has(key)} aria-label=${`Select ${key}`} onChange=${() => toggle(key)} />
              </td>`
            }
            ${columns.map(({ title, cell, class: name = '' }, index) => html`<td key=${index} role="cell" class=${index ? name : `${name} lead-cell`} data-label=${typeof title === 'string' ? title : undefined}>${cell(row)}</td>`)}
          </tr>`;
        })}
      </tbody>
    </table>
    ${
      rows.length > drawn &&
      html`<div class="pager">
        <span>${number(drawn)} of ${number(rows.length)}</span>
        <button type="button" class="small" onClick=${() => setDrawn(drawn * 2)}>Show ${number(Math.min(drawn, rows.length - drawn))} more</button>
      </div>`
    }
  </div>`;
}
