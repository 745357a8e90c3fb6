import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PackageMissingError, requirePackage } from '../src/optional-package.ts';

describe('an optional package', () => {
  it('is found where it is installed, also one that can only be imported', () => {
    expect(() => requirePackage('libxslt-wasm', 'xslt')).not.toThrow();
    expect(() => requirePackage('pg', 'PostgreSQL')).not.toThrow();
  });

  it('that is missing is told with who needs it and what to do', () => {
    expect(() => requirePackage('no-such-package', '<xquery>')).toThrow(
      "<xquery> needs the package 'no-such-package', which is not installed; install it with: npm install no-such-package",
    );
    expect(() => requirePackage('no-such-package', '<xquery>')).toThrow(PackageMissingError);
  });

  it('is looked for again after it was missing', () => {
    let there = false;
    const find = () => {
      if (!there) throw new Error('not found');
    };
    expect(() => requirePackage('later', 'It', find)).toThrow(PackageMissingError);
    there = true;
    expect(() => requirePackage('later', 'It', find)).not.toThrow();
  });

  // npm leaves out, without a word, an optional package that does not allow the Node.js that npm itself runs on, which need not be
  // the one in node_modules/.bin: such a package is also one for development, or a checkout's tests could not count on it.
  it('is there in a checkout whatever Node.js npm runs on', () => {
    const manifest = (path: string) =>
      JSON.parse(readFileSync(new URL(`../${path}package.json`, import.meta.url), 'utf8'));
    const { optionalDependencies, devDependencies } = manifest('');
    const demanding = Object.keys(optionalDependencies).filter((name) =>
      />=\s*(2[1-9]|[3-9]\d)/.test(manifest(`node_modules/${name}/`).engines?.node ?? ''),
    );
    expect(demanding).toContain('@opentelemetry/sdk-trace');
    for (const name of demanding) expect(devDependencies[name]).toBe(optionalDependencies[name]);
  });
});
