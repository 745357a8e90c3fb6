import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** In the thread: keeps about 20 MB, and tells how often old objects were collected meanwhile. */
const KEEPS = `
  import { constants, PerformanceObserver } from 'node:perf_hooks';
  import { setTimeout as delay } from 'node:timers/promises';
  import { parentPort } from 'node:worker_threads';
  let collections = 0;
  const count = (list) => {
    for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections += 1;
  };
  const observer = new PerformanceObserver(count);
  observer.observe({ entryTypes: ['gc'] });
  const kept = [];
  for (let turn = 0; turn < 40; turn += 1) {
    for (let at = 0; at < 5_000; at += 1) kept.push({ turn, at, text: [at] });
    await delay(5);
  }
  parentPort.postMessage({ collections, kept: kept.length });
`;
const PROGRAM = `
  import { Worker } from 'node:worker_threads';
  import { sparingThread } from ${JSON.stringify(new URL('../../../src/stores/sql/sparing-thread.ts', import.meta.url).href)};
  const module = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(KEEPS)}));
  const told = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const sparing = await told(sparingThread(module, {}));
  const later = await told(new Worker(module));
  process.stdout.write(JSON.stringify({ sparing: sparing.collections, later: later.collections }));
`;

it('a sparing thread collects early, and threads that are started later do not', async () => {
  const flags = ['--initial-old-space-size=64', '--heap-growing-percent=30', '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 60_000 });
  const { sparing, later } = JSON.parse(stdout) as { sparing: number; later: number };
  expect(sparing).toBeGreaterThan(0);
  expect(later).toBe(0);
}, 70_000);
