import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanUpAtExit } from '../../../samples/activemq/clean-up-at-exit.ts';
import { within } from './deadline.ts';

const DEADLINE_MS = 60_000;
/** A process that writes its profile takes a while to end. */
const END_DEADLINE_MS = 20_000;
/** A process writes its profile when it ends by itself. */
const PROFILED = process.env.NODE_OPTIONS?.includes('--cpu-prof') === true;

/** Starts a module in a process of its own; it ends with ours. */
export function startModule(module: URL, args: readonly string[] = []): ChildProcess {
  return owned(fork(fileURLToPath(module), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
}

/** Sees to it that a child ends when we do, also by Ctrl-C. */
export function owned<Child extends ChildProcess>(child: Child): Child {
  const forget = cleanUpAtExit(() => child.kill('SIGKILL'));
  child.once('exit', forget);
  return child;
}

/** The next message of a child. @throws Error when it ends instead, or says nothing for too long */
export async function nextMessage<T>(child: ChildProcess, deadlineMs = DEADLINE_MS): Promise<T> {
  const stop = new AbortController();
  const { signal } = stop;
  const name = basename(child.spawnargs[1] ?? child.spawnfile);
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${name} ended with ${code}`);
  });
  const message = once(child, 'message', { signal });
  // Only one of both comes; the other one is told to stop.
  for (const either of [ended, message]) either.catch(() => undefined);
  try {
    const [told] = await within(Promise.race([message, ended]), deadlineMs, `an answer of ${name}`);
    return told as T;
  } finally {
    stop.abort();
  }
}

/** Ends a child and waits for its end. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  if (!PROFILED) child.kill('SIGKILL');
  else if (child.connected) child.disconnect();
  else child.kill('SIGTERM');
  await within(ended, END_DEADLINE_MS, `the end of ${basename(child.spawnfile)}`).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
}
