import { useEffect } from 'preact/hooks';
import { ROUTES } from './routes.js';
import { nextTheme } from './themes.js';

/** How long a `g` waits for the key behind it, ms. */
const SEQUENCE_MS = 1200;

/** What the help lists. */
export const HELP = [
  { title: 'Go to', keys: ROUTES.filter(({ key }) => key).map(({ key, text }) => [`g ${key}`, text]) },
  {
    title: 'Lists',
    keys: [
      ['j', 'Next row'],
      ['k', 'Previous row'],
      ['Enter', 'Open the row'],
      ['x', 'Select the row'],
      ['n', 'Next page'],
      ['p', 'Previous page'],
      ['/', 'Filter'],
    ],
  },
  {
    title: 'Everywhere',
    keys: [
      ['Ctrl K', 'Jump to a store, processor, page …'],
      ['.', 'Light or dark'],
      ['?', 'This list'],
      ['Esc', 'Close'],
    ],
  },
];

/** Keys without a modifier, unless somebody is typing. */
export function useShortcuts({ onHelp, onPalette }) {
  useEffect(() => {
    let awaited = 0;
    const pressed = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        if (!document.querySelector('dialog[open]')) onPalette();
        return;
      }
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        isTyping(event.target) ||
        document.querySelector('dialog[open]')
      )
        return;
      if (performance.now() < awaited) {
        awaited = 0;
        const route = ROUTES.find(({ key }) => key === event.key);
        if (route) location.hash = `#/${route.path}`;
        return;
      }
      const act = ACTS[event.key] ?? { '?': onHelp }[event.key];
      if (event.key === 'g') awaited = performance.now() + SEQUENCE_MS;
      else if (act) {
        event.preventDefault();
        act();
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [onHelp, onPalette]);
}

const ACTS = {
  j: () => moveBy(1),
  k: () => moveBy(-1),
  n: () => turn('Next'),
  p: () => turn('Previous'),
  x: () => currentRow()?.querySelector('input[type=checkbox]')?.click(),
  '/': () => document.querySelector('main input[type=search]')?.focus(),
  '.': nextTheme,
};

function turn(way) {
  document.querySelector(`main [data-turn=${way}]`)?.click();
}

function currentRow() {
  return document.activeElement?.closest('tbody tr');
}

/** The focus goes to the link of the next row, or to the row's check box. */
function moveBy(step) {
  const rows = [...document.querySelectorAll('main tbody tr')];
  const index = rows.indexOf(currentRow());
  const row = rows[Math.min(rows.length - 1, Math.max(0, index + step))];
  (row?.querySelector('a') ?? row?.querySelector('input, button'))?.focus();
}

function isTyping(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
    target.type !== 'checkbox'
  );
}
