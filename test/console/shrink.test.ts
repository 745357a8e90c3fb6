import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAst } from 'vitest/node';
import { withoutRemarks } from '../../src/console/shrink.ts';

const folder = fileURLToPath(new URL('../../src/console/static/', import.meta.url));
const read = (name: string) => readFileSync(folder + name, 'utf8');
const files = readdirSync(folder, { recursive: true }).map(String);
const scripts = files.filter((name) => name.endsWith('.js'));

/** What a script says: its syntax tree without places, and without the indentation of its template literals. */
function meaning(text: string): string {
  return JSON.stringify(parseAst(text), (key, value) => {
    if (key === 'start' || key === 'end' || key === 'range' || key === 'loc') return undefined;
    const inTemplate = key === 'cooked' || (key === 'raw' && typeof value === 'string');
    return inTemplate && value !== null ? value.replace(/^[ \t]+/gm, '').replace(/\n{2,}/g, '\n') : value;
  });
}

describe('what is sent of the console', () => {
  it.each(scripts)('is the script %s without its remarks', (name) => {
    const text = read(name);
    const sent = withoutRemarks(text);
    expect(meaning(sent)).toBe(meaning(text));
    expect(sent.length).toBeLessThanOrEqual(text.length);
  });

  it('keeps every rule of a style sheet', () => {
    for (const name of files.filter((one) => one.endsWith('.css'))) {
      const bare = read(name).replace(/\/\*[\s\S]*?\*\//g, '');
      const sent = withoutRemarks(read(name)).replace(/\/\*[\s\S]*?\*\//g, '');
      expect(sent.replace(/\s+/g, ' ').trim()).toBe(bare.replace(/\s+/g, ' ').trim());
    }
  });

  it('drops comments on lines of their own, and indentation', () => {
    expect(withoutRemarks('/** one\n * two */\nlet a = 1; // stays\n\n  // goes\n  /* goes */\n  a += 1;\n')).toBe(
      'let a = 1; // stays\na += 1;\n',
    );
  });
});
