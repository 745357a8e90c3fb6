import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { earlyCollection } from '../../../src/stores/sql/early-collection.ts';

const MEBIBYTE = 1024 * 1024;

describe('early collection', () => {
  it('comes when old objects have grown by 2 MB, and counts from what it leaves', () => {
    let bytes = 5 * MEBIBYTE;
    let collections = 0;
    const request = earlyCollection(
      () => bytes,
      () => {
        collections += 1;
        bytes = 6 * MEBIBYTE;
      },
    );
    const requests = (count: number) => {
      for (let at = 0; at < count; at += 1) request();
    };
    requests(5_000);
    expect(collections).toBe(0);
    bytes = 7 * MEBIBYTE;
    requests(499);
    expect(collections).toBe(0);
    requests(1);
    expect(collections).toBe(1);
    bytes = 7.9 * MEBIBYTE;
    requests(5_000);
    expect(collections).toBe(1);
    bytes = 8 * MEBIBYTE;
    requests(500);
    expect(collections).toBe(2);
  });

  it('takes old objects that nobody needs out of a thread', async () => {
    const module = new URL('../../../src/stores/sql/early-collection.ts', import.meta.url).href;
    const program = `
      import { getHeapSpaceStatistics } from 'node:v8';
      import { parentPort } from 'node:worker_threads';
      import { earlyCollection } from ${JSON.stringify(module)};
      const old = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space').space_used_size;
      const request = earlyCollection();
      let kept = [];
      while (old() < 20e6) for (let at = 0; at < 10_000; at += 1) kept.push({ at, text: [at, at] });
      kept = undefined;
      const before = old();
      for (let at = 0; at < 500; at += 1) request();
      parentPort.postMessage(before - old());`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
    const given = await new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    expect(given).toBeGreaterThan(10 * MEBIBYTE);
  }, 60_000);
});
