import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pagesTable } from './pages-table.ts';
import { PICTURES, shotsOf } from './pictures.ts';

const FOLDER = new URL('../../docs/console/', import.meta.url);
/** So that a clone stays small. */
const PICTURE_BYTES = 200 * 1024;
const ALL_BYTES = 7 * 1024 * 1024;

describe('the pictures of the console', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.png'));

  it('are shown on a page that names every page of the menu', async () => {
    expect(readFileSync(new URL('README.md', FOLDER), 'utf8')).toBe(await pagesTable());
  });

  it('are those that the script takes', () => {
    const wanted = PICTURES.flatMap((picture) => shotsOf(picture).map((shot) => `${picture.name}-${shot}.png`));
    expect(files.sort()).toEqual(wanted.sort());
  });

  it('are small', () => {
    const sizes = files.map((name) => statSync(fileURLToPath(new URL(name, FOLDER))).size);
    expect(Math.max(...sizes)).toBeLessThan(PICTURE_BYTES);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(ALL_BYTES);
  });

  it('that the README shows are there', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const shown = [...readme.matchAll(/\(docs\/console\/([^)]+\.png)\)/g)].map(([, name]) => name ?? '');
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.filter((name) => !files.includes(name))).toEqual([]);
  });
});
