import { useEffect, useState } from 'preact/hooks';
import { get } from './api.js';
import { Dialog } from './components/dialog.js';
import { Icon } from './components/icon.js';
import { html } from './html.js';
import { placeOf, sourceAt, to } from './router.js';
import { ROUTES } from './routes.js';

const SHOWN = 12;

/** Jumps to whatever has a name: pages, stores, processors, artifacts; a long id is looked for among the traces. */
export function Palette({ onClose }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [artifacts, setArtifacts] = useState([]);
  useEffect(() => {
    get('artifacts').then(
      ({ list }) => setArtifacts(list.map(artifactEntry)),
      // The pages are there all the same.
      () => {},
    );
  }, []);
  const found = search([...PAGES, ...artifacts], text);
  if (text.length > 12)
    found.push({ text: `Trace of the message ${text}`, kind: 'trace', href: to(['traces'], { id: text.trim() }) });
  const follow = (entry) => {
    if (!entry) return;
    onClose();
    location.hash = entry.href;
  };
  const pressed = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt(Math.min(found.length - 1, Math.max(0, at + step)));
    else if (event.key === 'Enter') follow(found[at]);
    else return;
    event.preventDefault();
  };
  return html`<${Dialog} title="Jump to" onClose=${onClose}>
    <input class="palette-input" value=${text} placeholder="Name of a store, processor, page …" aria-label="Name" autocomplete="off" autofocus
      role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant=${found[at] ? `palette-${at}` : undefined}
      onKeyDown=${pressed} onInput=${(event) => {
        setText(event.target.value);
        setAt(0);
      }} />
    <ul class="palette" id="palette-list" role="listbox" aria-label="Found">
      ${found.map(
        (
          entry,
          index,
        ) => html`<li key=${entry.href + entry.text} id=${`palette-${index}`} role="option" aria-selected=${index === at} onClick=${() => follow(entry)}>
          <${Icon} name=${entry.icon ?? entry.kind} size=${16} /><span>${entry.text}</span><small>${entry.kind}</small>
        </li>`,
      )}
    </ul>
  <//>`;
}

const PAGES = ROUTES.filter(({ hidden }) => !hidden).map(({ path, text, icon }) => ({
  text,
  icon,
  kind: 'page',
  href: `#/${path}`,
}));
const ICONS = {
  messageStore: 'store',
  messageProcessor: 'processor',
  endpoint: 'endpoint',
  proxy: 'proxy',
  sequence: 'sequence',
  task: 'schedule',
};

function artifactEntry({ kind, name, file, line }) {
  return { text: name, kind, icon: ICONS[kind] ?? 'artifact', href: placeOf(kind, name) ?? sourceAt(file, line) };
}

/** Names that begin with the text, then those that contain it. */
function search(entries, text) {
  const wanted = text.trim().toLowerCase();
  const rank = (entry) => {
    const name = entry.text.toLowerCase();
    return name.startsWith(wanted) ? 0 : name.includes(wanted) ? 1 : 2;
  };
  return entries
    .map((entry) => ({ entry, rank: rank(entry) }))
    .filter((found) => found.rank < 2)
    .sort((left, right) => left.rank - right.rank)
    .slice(0, SHOWN)
    .map(({ entry }) => entry);
}
