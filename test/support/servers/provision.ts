import { canInstallPackages, type InstallOptions, installDebianPackage } from './debian-package.ts';
import type { RunningServer, ServerKind } from './kind.ts';

/** A server that tests need is missing where none may be missing (CI). */
export class MissingServerError extends Error {
  override readonly name = 'MissingServerError';
}

/** The world around `provision`, so that its decisions can be tested. */
export interface Surroundings {
  /** With CI=true a missing server is a failure. */
  readonly ci: boolean;
  readonly canInstall: boolean;
  install(debianPackage: string, options: InstallOptions): Promise<void>;
  say(line: string): void;
}

export type Provision<Installation> =
  | { readonly found: Installation; readonly missing?: undefined }
  | { readonly found?: undefined; readonly missing: string };

export function ourSurroundings(say: (line: string) => void): Surroundings {
  const ci = /^(true|1)$/i.test(process.env.CI ?? '');
  return { ci, canInstall: canInstallPackages(), install: installDebianPackage, say };
}

/**
 * Finds an installed server, else installs its Debian package where that can be done, else says in one line how to get it.
 * @throws MissingServerError instead of saying so in CI
 */
export async function provision<Installation, Options, Running extends RunningServer>(
  kind: ServerKind<Installation, Options, Running>,
  surroundings: Surroundings,
): Promise<Provision<Installation>> {
  const { ci, canInstall, install, say } = surroundings;
  let missing: string;
  try {
    return { found: kind.find() };
  } catch (error) {
    missing = messageOf(error);
  }
  if (canInstall) {
    try {
      for (const name of kind.debianPackage.split(' ')) await install(name, { say });
      return { found: kind.find() };
    } catch (error) {
      missing += `\nInstalling it did not help: ${messageOf(error)}`;
    }
  }
  if (ci) throw new MissingServerError(`${kind.name} is missing, and with CI=true that is a failure: ${missing}`);
  say(`SKIPPING the tests that need ${kind.name}: ${firstLine(missing)}`);
  return { missing };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
