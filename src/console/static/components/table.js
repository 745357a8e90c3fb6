import { useRef, useState } from 'preact/hooks';
import { number } from '../format.js';
import { html } from '../html.js';

/**
 * @typedef {{title: any, cell: (row: any) => any, class?: string}} Column
 * `class`: `num` for figures, `wide` for what may be cut off, `hide-s` for what narrow screens go without
 */

/** Rows that are drawn at once: thousands of them would hold up every keystroke. */
const PAGE = 100;

/**
 * A table, page by page; on phones its rows are cards. With `href`, a row leads there; with `selected`, rows can be chosen.
 * @param {{columns: Column[], rows: any[], keyOf?: (row: any) => string, href?: (row: any) => string | undefined, caption: string,
 *   selected?: Set<string>, onSelect?: (selected: Set<string>) => void, toneOf?: (row: any) => string, note?: string}} props note: beside the
 *   number of rows
 */
export function Table({
  columns,
  rows: all,
  keyOf = (row) => row.name,
  href,
  caption,
  selected,
  onSelect,
  toneOf,
  note,
}) {
  const { rows, pager, frame } = usePages(all, PAGE);
  const whole = selected && rows.length > 0 && rows.every((row) => selected.has(keyOf(row)));
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
  return html`<div class="table-frame" tabindex="0" role="region" aria-label=${caption} ref=${frame}>
      <table role="table" class=${`rows ${selected ? 'picks' : ''}`}>
        <caption class="sr">
          ${caption}
        </caption>
        <thead role="rowgroup">
          <tr role="row">
            ${
              selected &&
              html`<th role="columnheader" class="pick" scope="col">
              <input type="checkbox" checked=${whole} aria-label="Select all on this page"
                onChange=${() => onSelect(whole ? new Set() : new Set(rows.map(keyOf)))} />
            </th>`
            }
            ${columns.map(({ title, class: name }, index) => html`<th key=${index} role="columnheader" scope="col" class=${name}>${title}</th>`)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${rows.map((row) => {
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
    </div>
    ${pager(note)}`;
}

/**
 * A part of many rows, and the way to the others; without others nothing but the note is shown.
 * @returns {{rows: any[], pager: (note?: any) => any, frame: any}} frame: what is scrolled to when a page was turned
 */
export function usePages(all, size) {
  const [turned, setTurned] = useState(0);
  const frame = useRef();
  const last = Math.max(0, Math.ceil(all.length / size) - 1);
  const page = Math.min(turned, last);
  const rows = all.slice(page * size, (page + 1) * size);
  const turn = (to) => {
    setTurned(to);
    frame.current?.scrollIntoView({ block: 'nearest' });
  };
  const pager = (note) =>
    html`<${Pager} page=${page} last=${last} first=${page * size} drawn=${rows.length} of=${all.length} turn=${turn} note=${note} />`;
  return { rows, pager, frame };
}

/**
 * Which rows of how many are drawn, and buttons to the others; nothing where one page has all of them.
 * @param {{page: number, last: number, first: number, drawn: number, of: number, turn: (page: number) => void, note?: any}} props
 *   first: rows before the page; note: beside the numbers
 */
export function Pager({ page, last, first, drawn, of, turn, note }) {
  if (last === 0 && !note) return undefined;
  const button = (text, to, off) =>
    html`<button type="button" class="small" disabled=${off} data-turn=${text} onClick=${() => turn(to)}>${text}</button>`;
  return html`<div class="pager">
    <span>${last > 0 && `${number(first + 1)}–${number(first + drawn)} of ${number(of)}`}${last > 0 && note && ' · '}${note}</span>
    ${last > 0 && html`<div class="actions">${button('First', 0, page === 0)}${button('Previous', page - 1, page === 0)}${button('Next', page + 1, page === last)}${button('Last', last, page === last)}</div>`}
  </div>`;
}
