import { PackageMissingError, requirePackage } from '../optional-package.ts';
import type { ConfigElement } from './element.ts';
import type { ArtifactReader } from './reader.ts';

/**
 * Reports the first of these optional packages that is not installed, so that no message meets what cannot run.
 * @param user what needs them, as the beginning of a sentence
 * @returns whether all are there
 */
export function allInstalled(
  packages: readonly string[],
  user: string,
  element: ConfigElement,
  reader: ArtifactReader,
): boolean {
  try {
    for (const name of packages) requirePackage(name, user);
    return true;
  } catch (error) {
    if (!(error instanceof PackageMissingError)) throw error;
    reader.error(element, error.message);
    return false;
  }
}
