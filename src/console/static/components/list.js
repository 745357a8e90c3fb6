import { useMemo, useState } from 'preact/hooks';
import { number } from '../format.js';
import { html } from '../html.js';
import { Card, Empty } from './page.js';
import { Table } from './table.js';

/** So few are looked through faster than something is typed. */
const FEW = 12;

/** Rows whose text contains what was typed. @param {any[]} rows @param {string} text @param {(row: any) => string} textOf */
export function matching(rows, text, textOf) {
  const wanted = text.trim().toLowerCase();
  return wanted ? rows.filter((row) => textOf(row).toLowerCase().includes(wanted)) : rows;
}

/**
 * A field to search in, and how many were found of how many.
 * @param {{label: string, text: string, onText: (text: string) => void, found?: number, of?: number, children?: any}} props
 */
export function Search({ label, text, onText, found, of, children }) {
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <input type="search" placeholder=${label} aria-label=${label} value=${text} onInput=${(event) => onText(event.target.value)} />
    ${children}<span class="found" role="status">${found !== of && `${number(found)} of ${number(of)}`}</span>
  </form>`;
}

/**
 * A table of the rows that match what was typed, page by page; a few rows go without a field to type in.
 * @param {{label: string, textOf: (row: any) => string, rows: any[], first?: string, few?: number, beside?: any} & Record<string, any>} props
 *   label: of the field; first: what is typed at first; beside: what is beside the field; the others are those of the table
 */
export function List({ label, textOf, rows, first = '', few = FEW, beside, ...table }) {
  const [text, setText] = useState(rows.length > few ? first : '');
  // Thousands of rows are not read anew with every key.
  const texts = useMemo(() => new Map(rows.map((row) => [row, textOf(row)])), [rows]);
  const shown = useMemo(() => matching(rows, text, (row) => texts.get(row)), [texts, text]);
  return html`${(rows.length > few || beside || text) && html`<${Search} label=${label} text=${text} onText=${setText} found=${shown.length} of=${rows.length}>${beside}<//>`}
    <${Card} flush>${shown.length > 0 ? html`<${Table} rows=${shown} ...${table} />` : html`<${Empty} icon="search" title="Nothing matches" />`}<//>`;
}
