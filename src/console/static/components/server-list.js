import { useEffect, useRef, useState } from 'preact/hooks';
import { query } from '../api.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { Search } from './list.js';
import { Card, Empty, Loading } from './page.js';
import { Pager, Table } from './table.js';

/** Rows that are asked for and drawn at once. */
const PAGE = 100;
/** What is typed is asked for after this pause, ms. */
const PAUSE_MS = 150;

/**
 * A table of a list that the server searches and hands out page by page: thousands of rows are never all on their way.
 * @param {{path: string, what: string, label: string, of?: number, events?: string[], every?: number} & Record<string, any>} props
 *   what: for what is said while it is read; label: of the field to search in; of: how many there are without a search; the others are
 *   those of the table
 */
export function ServerList({ path, what, label, of, events, every, ...table }) {
  const [text, setText] = useState('');
  const [wanted, setWanted] = useState({ searchKey: '', offset: 0 });
  const frame = useRef();
  const kept = useRef();
  const found = useResource(`${path}${query({ ...wanted, limit: PAGE })}`, { events, every });
  // The page before stays until the next one is there.
  if (found.data) kept.current = found.data;
  const data = kept.current;
  useEffect(() => {
    const searchKey = text.trim();
    const timer = setTimeout(
      () => setWanted((before) => (before.searchKey === searchKey ? before : { searchKey, offset: 0 })),
      PAUSE_MS,
    );
    return () => clearTimeout(timer);
  }, [text]);
  const { total = 0, offset = 0, list = [] } = data ?? {};
  const last = Math.max(0, Math.ceil(total / PAGE) - 1);
  const turn = (page) => {
    setWanted((before) => ({ ...before, offset: page * PAGE }));
    frame.current?.scrollIntoView({ block: 'nearest' });
  };
  // The page that was looked at may be gone.
  useEffect(() => {
    if (list.length === 0 && total > 0) turn(last);
  }, [list.length, total]);
  const pager = html`<${Pager} page=${Math.floor(offset / PAGE)} last=${last} first=${offset} drawn=${list.length} of=${total} turn=${turn} />`;
  return html`<div class="stack" ref=${frame}>
    <${Search} label=${label} text=${text} onText=${setText} found=${total} of=${wanted.searchKey ? (of ?? total) : total} />
    <${Loading} of=${{ ...found, data, loading: !data && found.loading }} what=${what}>
      ${() => html`<${Card} flush>${list.length > 0 ? html`<${Table} rows=${list} ...${table} />${pager}` : html`<${Empty} icon="search" title="Nothing matches" />`}<//>`}
    <//>
  </div>`;
}
