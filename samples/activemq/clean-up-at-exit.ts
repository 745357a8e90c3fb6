/**
 * Runs a synchronous action when this process ends, however it ends short of `kill -9`: normally, by an uncaught error,
 * or by SIGINT, SIGTERM or SIGHUP. Where nobody else listens for such a signal its default effect is kept.
 */

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const actions = new Set<() => void>();

/** Registers `action` (must not throw, must not wait) and returns the function that takes it back. */
export function cleanUpAtExit(action: () => void): () => void {
  if (actions.size === 0) listen();
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size === 0) stopListening();
  };
}

function runAll(): void {
  for (const action of actions) action();
  actions.clear();
}

function onSignal(signal: NodeJS.Signals): void {
  runAll();
  stopListening();
  // A program that handles the signal itself decides when to end; otherwise our listener must not keep it alive.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function listen(): void {
  process.on('exit', runAll);
  for (const signal of signals) process.on(signal, onSignal);
}

function stopListening(): void {
  process.off('exit', runAll);
  for (const signal of signals) process.off(signal, onSignal);
}
