import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Syntax that Node 22, the oldest one supported, does not parse; types are stripped, nothing is compiled down. */
const TOO_NEW = [
  { what: 'using declarations', pattern: /^\s*(await )?using \w+ =/m },
  { what: 'import defer', pattern: /^import defer /m },
];

it('what runs uses no syntax that Node 22 does not know', () => {
  const found: string[] = [];
  for (const folder of ['src', 'samples']) {
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts')) continue;
      const text = readFileSync(join(folder, entry), 'utf8');
      for (const { what, pattern } of TOO_NEW) if (pattern.test(text)) found.push(`${folder}/${entry}: ${what}`);
    }
  }
  expect(found).toEqual([]);
});
