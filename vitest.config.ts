import { defineConfig } from 'vitest/config';

/**
 * Two kinds of tests: `unit` (test/**, beside the folders of src that they mirror, parallel) and `flows` (test/flows,
 * whole flows against real servers, one file at a time because they use the sample ports 9001-9003).
 */
export default defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/flows/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'flows',
          include: ['test/flows/**/*.test.ts'],
          globalSetup: ['./test/support/servers/run-folder.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
