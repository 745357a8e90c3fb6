/** @returns {'light' | 'dark'} what is shown now; `theme.js` has decided it first */
export function themeNow() {
  return document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light';
}

/** Switches to the other theme and remembers it. @returns {'light' | 'dark'} */
export function nextTheme() {
  const theme = themeNow() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem('mini-synapse-theme', theme);
  } catch {
    // Without storage it lasts until the page is closed.
  }
  dispatchEvent(new Event('themechange'));
  return theme;
}
