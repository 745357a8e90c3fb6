import { type Browser, chromium as playwright } from 'playwright-core';
import type { ServerKind } from '../support/servers/kind.ts';
import { findOnPath } from '../support/servers/process.ts';

/** A browser of our own, with an empty profile of its own, that talks to nobody by itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's chromium, steered by playwright-core. */
export const chromium: ServerKind<string, undefined, Browser> = {
  name: 'chromium',
  debianPackage: 'chromium',
  find() {
    const found = findOnPath('chromium');
    if (found === undefined)
      throw new Error('no chromium is installed: install the Debian package (apt-get install chromium)');
    return found;
  },
  start: (executablePath) => playwright.launch({ executablePath, headless: true, args: FLAGS, timeout: 60_000 }),
};
