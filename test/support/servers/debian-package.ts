import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cleanUpAtExit } from '../../../samples/activemq/clean-up-at-exit.ts';
import { findOnPath } from './process.ts';

/** A package could not be installed; the message has apt's last lines. */
export class DebianPackageError extends Error {
  override readonly name = 'DebianPackageError';
}

export interface InstallOptions {
  /** Is told the beginning, the end, and every 15 s what apt is at. */
  readonly say: (line: string) => void;
  /** For everything, another process's installation included; default 10 minutes. */
  readonly deadlineMs?: number;
}

/** Whether packages can be installed here without asking anybody: as root, on Debian or one of its children. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && ['apt-get', 'dpkg-query', 'flock'].every((tool) => findOnPath(tool) !== undefined);
}

// Test files run at the same time: who comes second waits for the lock (the kernel drops it with its holder) and then finds
// the package there. dpkg's own lock does not cover `update`.
const script = `
status=$(dpkg-query --show --showformat='\${Status}' "$1" 2>/dev/null || true)
[ "$status" = "install ok installed" ] && exit 0
apt-get -q update && apt-get -q install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$1"
`;

/** Installs a Debian package, unless it is there already. @throws DebianPackageError */
export async function installDebianPackage(name: string, options: InstallOptions): Promise<void> {
  const { say, deadlineMs = 600_000 } = options;
  const begin = performance.now();
  const seconds = (): string => `${Math.round((performance.now() - begin) / 1000)} s`;
  const patience = `${Math.ceil(deadlineMs / 1000)}`;
  const child = spawn('flock', ['--wait', patience, '/var/lib/dpkg', 'sh', '-c', script, 'install', name], {
    // RUNLEVEL 1: the package's own service is not started; the tests start servers of their own.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
    });
  }
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGTERM');
  };
  const takeBack = cleanUpAtExit(stop);
  const deadline = setTimeout(stop, deadlineMs);
  const progress = setInterval(
    () => say(`still installing ${name} (${seconds()}): ${lines.at(-1) ?? 'waiting'}`),
    15_000,
  );
  say(`installing the Debian package ${name} (apt-get update, apt-get install) …`);
  try {
    const [code, signal] = await once(child, 'close');
    if (code !== 0) throw failure(name, signal === null ? `exit code ${code}` : `stopped after ${seconds()}`, lines);
  } finally {
    clearTimeout(deadline);
    clearInterval(progress);
    takeBack();
  }
  say(`installed ${name} in ${seconds()}`);
}

function failure(name: string, how: string, lines: readonly string[]): DebianPackageError {
  return new DebianPackageError(`apt-get could not install ${name} (${how}):\n    ${lines.join('\n    ')}`);
}
