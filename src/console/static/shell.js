import { Component } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { change, get, useCsrf, whenLoginNeeded } from './api.js';
import { Dialog } from './components/dialog.js';
import { Icon } from './components/icon.js';
import { Card, Empty, Page, Problem } from './components/page.js';
import { Toasts } from './components/toast.js';
import { span } from './format.js';
import { useNow } from './hooks.js';
import { html } from './html.js';
import { retryNow, startLive, stopLive, useLive } from './live.js';
import { Login } from './pages/login.js';
import { Palette } from './palette.js';
import { usePlace } from './router.js';
import { ROUTES, routeOf } from './routes.js';
import { HELP, useShortcuts } from './shortcuts.js';
import { nextTheme, themeNow } from './themes.js';

/** Numbers older than this are not shown as if they were of now (OP-43), ms. Events come every second. */
const FRESH_MS = 2000;

/** The page around the pages: menu, state of the connection, session. */
export function Shell() {
  const [session, setSession] = useState(undefined);
  const [login, setLogin] = useState(false);
  const recognise = useCallback(async () => {
    try {
      const known = await get('session');
      useCsrf(known.csrf);
      setSession(known);
      setLogin(false);
      startLive();
    } catch (error) {
      if (error.status === 401) setLogin(true);
      // Pages say themselves what cannot be read.
      else startLive();
    }
  }, []);
  useEffect(() => {
    whenLoginNeeded(() => {
      stopLive();
      setLogin(true);
    });
    void recognise();
  }, [recognise]);
  return html`${login ? html`<${Login} onDone=${recognise} />` : html`<${Frame} session=${session} />`}<${Toasts} />`;
}

function Frame({ session }) {
  const place = usePlace();
  const [menu, setMenu] = useState(false);
  const [dialog, setDialog] = useState(undefined);
  const close = useCallback(() => setDialog(undefined), []);
  useShortcuts({ onHelp: () => setDialog('help'), onPalette: () => setDialog('palette') });
  useEffect(() => setMenu(false), [place]);
  return html`<a class="skip" href="#page-heading" onClick=${skip}>Skip to the content</a>
    <div class=${menu ? 'frame menu-open' : 'frame'}>
      <header class="bar">
        <button type="button" class="quiet icon-only menu-button" aria-expanded=${menu} aria-controls="menu" aria-label="Menu" onClick=${() => setMenu(!menu)}>
          <${Icon} name="menu" size=${22} />
        </button>
        <a class="brand" href="#/"><img src="./favicon.svg" alt="" width="26" height="26" /><span>mini-synapse</span></a>
        <button type="button" class="jump" onClick=${() => setDialog('palette')}>
          <${Icon} name="search" size=${16} /><span>Jump to …</span><kbd>Ctrl K</kbd>
        </button>
        <div class="bar-end">
          <${Freshness} />
          <${ThemeButton} />
          <button type="button" class="quiet icon-only hide-s" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick=${() => setDialog('help')}>
            <${Icon} name="keyboard" size=${20} />
          </button>
          <${Session} session=${session} />
        </div>
      </header>
      <${Menu} place=${place} />
      <main id="content"><${CutOff} /><${Guard} key=${location.hash.split('?')[0]}><${Routed} place=${place} /><//></main>
    </div>
    ${dialog === 'help' && html`<${Help} onClose=${close} />`} ${dialog === 'palette' && html`<${Palette} onClose=${close} />`}`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById('page-heading')?.focus();
}

function Menu({ place }) {
  const { overview } = useLive();
  const current = routeOf(place.segments);
  const groups = Map.groupBy(
    ROUTES.filter((route) => !route.hidden),
    ({ group }) => group,
  );
  const alarms = {
    artifacts: overview?.counts?.faulty ?? overview?.faulty?.length ?? 0,
    processors: (overview?.processors ?? []).filter(
      ({ state, stuck }) => state === 'DEACTIVATED' || state === 'FAULTY' || stuck,
    ).length,
    stores: (overview?.stores ?? []).filter(({ state }) => state === 'DOWN').length,
  };
  return html`<nav id="menu" class="menu" aria-label="Pages">
    ${[...groups].map(
      ([group, routes]) => html`<div key=${group} class="menu-group">
        ${group && html`<p class="menu-heading">${group}</p>`}
        ${routes.map(
          ({
            path,
            text,
            icon,
          }) => html`<a key=${path} href=${`#/${path}`} aria-current=${current?.path === path ? 'page' : undefined}>
            <${Icon} name=${icon} /><span>${text}</span>
            ${alarms[path] > 0 && html`<b class="alarm" title=${`${alarms[path]} need attention`}>${alarms[path]}<span class="sr"> need attention</span></b>`}
          </a>`,
        )}
      </div>`,
    )}
    <p class="menu-foot">${overview?.server ? `mini-synapse ${overview.server.version}` : ''}</p>
  </nav>`;
}

/** Says in all clearness that nobody answers, since when, and when they are asked again. */
function CutOff() {
  const { overviewAt, error, retryAt } = useLive();
  const now = useNow(500);
  if (!error || now - overviewAt <= FRESH_MS + 500) return null;
  const left = Math.max(0, Math.ceil(((retryAt ?? now) - now) / 1000));
  return html`<div class="cut-off">
    <${Icon} name="warning" />
    <p><strong role="alert">Not connected to the server.</strong> ${overviewAt > 0 && `What is shown is ${span(now - overviewAt)} old.`} ${left > 0 ? `Trying again in ${left} s.` : 'Trying again …'}</p>
    <button type="button" class="small" onClick=${retryNow}>Try now</button>
  </div>`;
}

const STREAMS = {
  live: { word: 'Live', why: 'Updated every second by the server' },
  connecting: { word: 'Connecting', why: 'The event stream begins' },
  down: { word: 'Polling', why: 'The event stream is down; numbers are asked for every two seconds' },
};

/** Says whether the numbers are of now, and how old they are when not (OP-43). */
function Freshness() {
  const { overviewAt, stream, error } = useLive();
  const now = useNow(500);
  if (!overviewAt)
    return html`<span class=${`freshness ${error ? 'bad' : 'busy'}`} role="status" title=${error}><i></i>${error ? 'Not connected' : 'Connecting'}</span>`;
  const age = now - overviewAt;
  const stale = age > FRESH_MS + 500;
  if (stale && error) return html`<span class="freshness bad" role="status" title=${error}><i></i>Not connected</span>`;
  const { word, why } = STREAMS[stream];
  return html`<span class=${`freshness ${stale ? 'bad' : stream === 'live' ? 'good' : 'busy'}`} title=${why} role="status">
    <i></i>${stale ? `Numbers are ${span(age)} old` : word}
  </span>`;
}

function ThemeButton() {
  const [theme, setTheme] = useState(themeNow);
  useEffect(() => {
    const changed = () => setTheme(themeNow());
    addEventListener('themechange', changed);
    return () => removeEventListener('themechange', changed);
  }, []);
  const other = theme === 'dark' ? 'light' : 'dark';
  return html`<button type="button" class="quiet icon-only" aria-label=${`Use the ${other} theme`} title=${`Use the ${other} theme`} onClick=${nextTheme}>
    <${Icon} name=${theme === 'dark' ? 'sun' : 'moon'} size=${20} />
  </button>`;
}

function Session({ session }) {
  if (!session?.login) return null;
  const leave = async () => {
    await change('DELETE', 'session').catch(() => {});
    location.reload();
  };
  return html`<span class="who hide-s" title=${`Role: ${session.role}`}>${session.user}</span>
    <button type="button" class="quiet icon-only" aria-label="Log out" title="Log out" onClick=${leave}><${Icon} name="leave" size=${20} /></button>`;
}

/** Loads the module of the page we are at. */
function Routed({ place }) {
  const route = routeOf(place.segments);
  const [loaded, setLoaded] = useState({ route: undefined, page: undefined });
  useEffect(() => {
    let gone = false;
    route?.load().then(
      (module) => gone || setLoaded({ route, page: module.default }),
      (error) => gone || setLoaded({ route, error }),
    );
    return () => {
      gone = true;
    };
  }, [route]);
  if (!route)
    return html`<${Page} title="There is no such page"><${Card}><${Empty} icon="search" title="Nothing is here"><a href="#/">Go to the overview</a><//><//><//>`;
  if (loaded.route !== route)
    return html`<div class="skeleton" role="status"><span class="sr">Loading …</span><i></i><i></i><i></i></div>`;
  if (loaded.error) throw loaded.error;
  return html`<${loaded.page} place=${place} />`;
}

/** A page that fails takes nothing with it. */
class Guard extends Component {
  componentDidCatch(error) {
    this.setState({ error });
  }

  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    // What a browser could not load it does not try again before the document is loaded anew.
    return html`<${Page} title="Something went wrong"><${Problem} error=${error} what="this page" again=${() => location.reload()} /><//>`;
  }
}

function Help({ onClose }) {
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${onClose} wide>
    <div class="shortcuts">
      ${HELP.map(
        ({ title, keys }) => html`<section key=${title}>
          <h3>${title}</h3>
          <dl>${keys.map(([key, text]) => html`<div key=${key}><dt>${key.split(' ').map((part) => html`<kbd key=${part}>${part}</kbd>`)}</dt><dd>${text}</dd></div>`)}</dl>
        </section>`,
      )}
    </div>
    <div class="dialog-actions"><button type="button" class="primary" onClick=${onClose}>Close</button></div>
  <//>`;
}
