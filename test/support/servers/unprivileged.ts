import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync, readFileSync } from 'node:fs';

/*
 * Database servers refuse to run as root, or should not. Where tests run as root (containers) they run as `nobody`, whom every
 * system has; elsewhere as who we are.
 */

const NOBODY = 65_534;

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Gives a file or folder to whom the server runs as. */
export function giveToServer(path: string): void {
  if (isRoot()) chownSync(path, NOBODY, NOBODY);
}

/** The command line with which a program runs as `nobody`, and still ends with its parent. */
export function unprivileged(command: string, args: readonly string[]): { command: string; args: readonly string[] } {
  if (!isRoot()) return { command, args };
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--pdeathsig=KILL'];
  return { command: 'setpriv', args: [...ids, '--', command, ...args] };
}

/** Runs a program to its end. @throws with its output when it fails or takes longer than a minute */
export async function run(command: string, args: readonly string[], input = ''): Promise<void> {
  const program = unprivileged(command, args);
  const child = spawn(program.command, [...program.args], { timeout: 60_000, cwd: '/' });
  // A program that ends without reading it says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000);
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} failed (${String(code)}):\n${output}`);
}

/**
 * A process and all that it has started. PostgreSQL's processes each lead a session of their own, so that a signal to the group of
 * the first one does not reach them.
 */
export function family(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const [, id, parent] = /^(\d+) \(.*\) \S (\d+)/s.exec(processStatus(name)) ?? [];
    if (id !== undefined) children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(id)]);
  }
  const found = [pid];
  for (const member of found) found.push(...(children.get(member) ?? []));
  return found;
}

function processStatus(name: string): string {
  if (!/^\d+$/.test(name)) return '';
  try {
    return readFileSync(`/proc/${name}/stat`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

/** Sends a signal to each of them that is still there. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Whether a process is there and is not a zombie. */
export function isThere(pid: number): boolean {
  const status = processStatus(String(pid));
  return status !== '' && !/^\d+ \(.*\) [ZX]/s.test(status);
}
