import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const DEADLINE_MS = 60_000;
/** A process writes its profile when it ends by itself. */
const PROFILED = process.env.NODE_OPTIONS?.includes('--cpu-prof') === true;

/** Starts a module in a process of its own; it ends with ours. */
export function startModule(module: URL, args: readonly string[] = []): ChildProcess {
  return fork(fileURLToPath(module), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** The next message of a child. @throws Error when it ends instead, or says nothing for too long */
export async function nextMessage<T>(child: ChildProcess, deadlineMs = DEADLINE_MS): Promise<T> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)]);
  try {
    const ended = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`);
    });
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    return message as T;
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
  await ended;
}
