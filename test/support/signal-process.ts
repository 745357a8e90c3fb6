/**
 * Sends a signal to one process, and never to process 0, which means all that belong together with the caller.
 * @throws Error when there is none
 */
export function signalProcess(pid: number | undefined, signal: NodeJS.Signals): void {
  if (!pid) throw new Error(`there is no process to send ${signal} to`);
  process.kill(pid, signal);
}
