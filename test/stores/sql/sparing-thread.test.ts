import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** In the thread: what becomes old is dropped again, 100 MB in all; then the most that was in use is told, bytes. */
const DROPS = `
  import { getHeapStatistics } from 'node:v8';
  import { parentPort } from 'node:worker_threads';
  let most = 0;
  for (let round = 0; round < 200; round += 1) {
    const kept = Array.from({ length: 8000 }, (_, at) => ({ round, at }));
    for (let turn = 0; turn < 4; turn += 1) Array.from({ length: 30000 }, (_, at) => ({ at }));
    most = Math.max(most, getHeapStatistics().used_heap_size + kept.length * 0);
  }
  parentPort.postMessage(most);
`;
const PROGRAM = `
  import { Worker } from 'node:worker_threads';
  import { sparingThread } from ${JSON.stringify(new URL('../../../src/stores/sql/sparing-thread.ts', import.meta.url).href)};
  const module = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(DROPS)}));
  const most = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const sparing = await most(sparingThread(module, {}));
  const after = await most(new Worker(module));
  process.stdout.write(JSON.stringify({ sparing, after }));
`;

it('a sparing thread collects early, and threads that are started later do not', async () => {
  const flags = ['--initial-old-space-size=64', '--heap-growing-percent=30', '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 60_000 });
  const { sparing, after } = JSON.parse(stdout) as { sparing: number; after: number };
  expect(sparing).toBeLessThan(after / 1.5);
}, 70_000);
