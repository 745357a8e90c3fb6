import { useTitle } from '../hooks.js';
import { html } from '../html.js';
import { Icon } from './icon.js';

/**
 * A page: its heading, what can be done, its content.
 * @param {{title: any, name?: string, lead?: any, actions?: any, crumbs?: Array<{text: string, href: string}>, children?: any}} props
 */
export function Page({ title, name, lead, actions, crumbs, children }) {
  useTitle(name ?? (typeof title === 'string' ? title : ''));
  return html`<article class="page">
    <header class="page-head">
      <div class="page-title">
        ${
          crumbs &&
          html`<nav aria-label="Breadcrumb" class="crumbs">
            ${crumbs.map(({ text, href }) => html`<a key=${href} href=${href}>${text}</a><span aria-hidden="true">/</span>`)}
          </nav>`
        }
        <h1 id="page-heading" tabindex="-1">${title}</h1>
        ${lead && html`<div class="lead">${lead}</div>`}
      </div>
      ${actions && html`<div class="actions">${actions}</div>`}
    </header>
    ${children}
  </article>`;
}

/** A part of a page on a surface. @param {{title?: any, note?: any, actions?: any, flush?: boolean, class?: string, children?: any}} props */
export function Card({ title, note, actions, flush, class: name = '', children }) {
  return html`<section class=${`card ${flush ? 'flush' : ''} ${name}`}>
    ${
      (title || actions) &&
      html`<header class="card-head">
        ${title && html`<h2>${title}</h2>`} ${note && html`<span class="note">${note}</span>`}
        ${actions && html`<div class="actions">${actions}</div>`}
      </header>`
    }
    ${children}
  </section>`;
}

/** Where there is nothing to show: why, and what would change that. */
export function Empty({ icon = 'check', title, children }) {
  return html`<div class="empty">
    <span class="empty-icon"><${Icon} name=${icon} size=${24} /></span>
    <p class="empty-title">${title}</p>
    ${children && html`<div class="empty-text">${children}</div>`}
  </div>`;
}

/**
 * Shows what was loaded, or that it is loading, or why it is not there.
 * @param {{of: import('../hooks.js').Loaded, what: string, children: (data: any) => any}} props
 */
export function Loading({ of, what, children }) {
  const { data, error } = of;
  if (data !== undefined)
    return html`${error && html`<${Problem} error=${error} what=${what} again=${of.reload} />`}${children(data)}`;
  if (!error)
    return html`<div class="skeleton" role="status"><span class="sr">Loading ${what} …</span><i></i><i></i><i></i></div>`;
  if (error.missing)
    return html`<${Card}><${Empty} icon="artifact" title=${`Not available: ${what}`}>
      <p>This server does not offer it.</p>
    <//><//>`;
  return html`<${Problem} error=${error} what=${what} again=${of.reload} />`;
}

/** Something went wrong, and how to go on. */
export function Problem({ error, what, again }) {
  return html`<div class="notice bad" role="alert">
    <${Icon} name="warning" />
    <div><strong>Could not load ${what}.</strong> ${error.message}</div>
    ${again && html`<button type="button" class="quiet" onClick=${again}>Try again</button>`}
  </div>`;
}

/** A notice within a page. @param {{tone?: 'bad'|'busy'|'idle', children?: any}} props */
export function Notice({ tone = 'idle', children }) {
  return html`<div class=${`notice ${tone}`}><${Icon} name=${tone === 'idle' ? 'health' : 'warning'} /><div>${children}</div></div>`;
}

/** Names and values. @param {{rows: Array<[any, any] | false | undefined | null | ''>}} props */
export function Facts({ rows }) {
  return html`<dl class="facts">
    ${rows.filter(Boolean).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value ?? '–'}</dd></div>`)}
  </dl>`;
}

/** One number that matters. @param {{label: string, value: any, unit?: string, tone?: string, note?: any, href?: string, children?: any}} props */
export function Figure({ label, value, unit, tone = '', note, href, children }) {
  const content = html`<span class="figure-label">${label}</span>
    <span class="figure-value">${value}${unit && html`<small> ${unit}</small>`}</span>
    ${note && html`<span class="figure-note">${note}</span>`} ${children}`;
  return href
    ? html`<a class=${`figure ${tone}`} href=${href}>${content}</a>`
    : html`<div class=${`figure ${tone}`}>${content}</div>`;
}

/** Views of one thing. @param {{tabs: Array<{text: string, href: string, current: boolean, count?: any}>, label: string}} props */
export function Tabs({ tabs, label }) {
  return html`<nav class="tabs" aria-label=${label}>
    ${tabs.map(
      ({ text, href, current, count }) =>
        html`<a key=${text} href=${href} aria-current=${current ? 'page' : undefined}>
          ${text}${count !== undefined && html` <span class="count">${count}</span>`}
        </a>`,
    )}
  </nav>`;
}
