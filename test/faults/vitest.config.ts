import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `npm run test:faults`: long, therefore no part of `npm test`, which has a short selection in test/flows/faults-short.test.ts. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'faults',
    pool: 'forks',
    include: ['test/faults/*.faults.ts'],
    globalSetup: ['./test/support/servers/run-folder.ts', './test/faults/report.ts'],
    // They share two processors with real servers, and measure how long those take.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 180_000,
  },
});
