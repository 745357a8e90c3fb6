// Runs before the first paint, so that nobody sees the other theme flash by. No module: those run too late.
{
  const system = matchMedia('(prefers-color-scheme: dark)');
  const chosen = () => {
    try {
      return localStorage.getItem('mini-synapse-theme');
    } catch {
      // Without storage it is what the system wants.
      return null;
    }
  };
  const apply = () => {
    const theme = chosen();
    document.documentElement.dataset.theme =
      theme === 'light' || theme === 'dark' ? theme : system.matches ? 'dark' : 'light';
    dispatchEvent(new Event('themechange'));
  };
  apply();
  system.addEventListener('change', apply);
}
