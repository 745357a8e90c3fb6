/** Aborts at the first SIGINT or SIGTERM; a second one ends the process at once. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** As if somebody had pressed Ctrl-C. */
  interrupt(): void;
  close(): void;
}

export function interruption(): Interruption {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const close = () => {
    for (const name of signals) process.off(name, listener);
  };
  const listener = () => {
    close();
    controller.abort();
  };
  for (const name of signals) process.on(name, listener);
  return { signal: controller.signal, interrupt: listener, close };
}
