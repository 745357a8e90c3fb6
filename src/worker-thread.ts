import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a thread. All threads of the product are started here, because of what has to hold for a process that has some:
 *
 * V8 shares the compiled ways from WebAssembly to JavaScript among all threads of a process, and frees one that nobody uses any more. A thread
 * that asks for it in that moment gets it nevertheless, and it is freed a second time: the process dies of `Check failed: jit_page.has_value()`
 * or of SIGSEGV (V8 13.6; related: https://github.com/nodejs/node/issues/64500). WebAssembly is in undici, in what strips types, in scripts,
 * XSLT and schemas; so a thread that ends could take the server with it. Without V8's collection of such code nothing of it is freed before the
 * module that it belongs to: some hundred KB for each module in use, and a few for all that threads may ever call.
 */
export function startThread(module: URL, options: WorkerOptions): Worker {
  setFlagsFromString('--no-wasm-code-gc');
  return new Worker(module, options);
}
