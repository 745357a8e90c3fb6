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
});
