import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8');
const locked = JSON.parse(read('package-lock.json')).packages as Readonly<Record<string, Locked>>;
const root = locked[''] ?? {};
const direct = Object.keys(root.dependencies ?? {}).length;
const optional = Object.keys(root.optionalDependencies ?? {}).length;
const installed = Object.entries(locked).filter(([path, { dev }]) => path !== '' && !dev);
/** What `npm install --omit=optional` brings. */
const always = installed.filter(([, { optional: left, devOptional }]) => !left && !devOptional);

/** Bytes of a package's own files, those of packages inside it not counted. */
function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? sum : sum + bytesOf(path);
    return sum + lstatSync(path).size;
  }, 0);
}

describe('what an installation brings along (OP-125)', () => {
  it('is as much as the documents say', () => {
    const [, told = ''] = /^(\*\*Twelve dependencies\*\*[\s\S]*?)\n\n/m.exec(read('docs/differences.md')) ?? [];
    const text = told.replaceAll('\n', ' ');
    const megabytes = Math.round(always.reduce((sum, [path]) => sum + bytesOf(join(CHECKOUT, path)), 0) / 1e6);
    expect(text).toContain(
      `There are ${direct} that every installation has, which bring ${always.length - direct} others:`,
    );
    expect(text).toContain(`: ${always.length} packages,`);
    expect(text).toContain(` ${optional} more are optional:`);
    // Builds of the same versions differ by little.
    const [, size] = / (\d+) MB of files/.exec(text) ?? [];
    expect(Math.abs(Number(size) - megabytes)).toBeLessThanOrEqual(1);
    // With our own.
    expect(read('README.md')).toContain(`(${always.length + 1} packages and `);
  });

  it('is neither compiled nor run when it is installed, what is optional included', () => {
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
    // Some of the optional ones are of other systems.
    const here = installed.filter(([path]) => existsSync(join(CHECKOUT, path)));
    const built = here.filter(([path]) => {
      return existsSync(join(CHECKOUT, path, 'binding.gyp'));
    });
    expect(here.length).toBeGreaterThan(always.length);
    expect(built).toEqual([]);
  });
});
