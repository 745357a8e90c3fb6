import { setFlagsFromString } from 'node:v8';
import type { Worker, WorkerOptions } from 'node:worker_threads';
import { startThread } from '../../worker-thread.ts';

/** What bin/launch.sh says about old objects; threads take it over. */
const OF_PROCESS = process.execArgv.find((argument) => argument.startsWith('--initial-old-space-size='));
const OF_THREAD = '--initial-old-space-size=4';

/**
 * Starts a thread whose old objects are collected for the first time when there are 4 MB of them. Those of the process wait for 64 MB, for
 * the sake of its start; a thread that only hands rows on gets there after hours, and looks like a leak until then (npm run bench -- soak).
 */
export function sparingThread(module: URL, options: WorkerOptions): Worker {
  if (OF_PROCESS === undefined) return startThread(module, options);
  setFlagsFromString(OF_THREAD);
  const worker = startThread(module, options);
  const restore = () => setFlagsFromString(OF_PROCESS);
  worker.once('online', restore);
  worker.once('exit', restore);
  return worker;
}
