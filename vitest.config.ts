import { defineConfig } from 'vitest/config';

/** Flows that need the ports of the samples (8280, 8243, 9164, 9000-9003, 61616, 61613) for themselves. */
const ON_SAMPLE_PORTS = [
  'cluster',
  'demo',
  'failover',
  'load-balancing',
  'newcomer',
  'numbered-jms',
  'sample-readmes',
].map((name) => `test/flows/${name}.test.ts`);

/** Of whole flows against real servers, which mostly wait. */
const flows = {
  globalSetup: ['./test/support/servers/run-folder.ts'],
  testTimeout: 120_000,
  hookTimeout: 180_000,
};

/**
 * Two kinds of tests: `unit` (test/**, beside the folders of src that they mirror, parallel) and `flows` (test/flows, two files at a
 * time; `flows-sample-ports` are those that have to be alone).
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
          ...flows,
          name: 'flows',
          include: ['test/flows/**/*.test.ts'],
          exclude: ON_SAMPLE_PORTS,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...flows,
          name: 'flows-sample-ports',
          include: ON_SAMPLE_PORTS,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
