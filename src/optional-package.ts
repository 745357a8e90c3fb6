import { findPackageJSON } from 'node:module';

/** A package that is installed unless its user has left it out (`npm install --omit=optional`), and that is not there. */
export class PackageMissingError extends Error {
  override readonly name = 'PackageMissingError';
}

/** Where a package is. @throws when it is not there */
export type FindPackage = (name: string) => unknown;

const installed: FindPackage = (name) => findPackageJSON(name, import.meta.url);

/** What has been found stays there; what is missing may be installed at any time. */
const found = new Set<string>();

/**
 * Finds an optional package without loading it (OP-103, OP-125).
 * @param neededBy who cannot do without it, as the beginning of a sentence
 * @throws PackageMissingError with what to do
 */
export function requirePackage(name: string, neededBy: string, find: FindPackage = installed): void {
  if (found.has(name) && find === installed) return;
  try {
    find(name);
  } catch (cause) {
    throw new PackageMissingError(
      `${neededBy} needs the package '${name}', which is not installed; install it with: npm install ${name}`,
      { cause },
    );
  }
  found.add(name);
}
