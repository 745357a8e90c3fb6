import { expect, it } from 'vitest';
import { onLogRecord } from '../../src/logging/index.ts';
import { serve } from '../support/in-process.ts';

it('a start and an end leave the lines that scripts wait for (spec proxies 9.2, 9.3)', async () => {
  const runtime = await serve({});
  const started = runtime.records.filter(({ category }) => category === 'StartupFinalizer');
  expect(started.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^WSO2 Micro Integrator started in \d+\.\d\d seconds$/),
  ]);
  expect(runtime.lines()).toContain(
    'INFO This engine will expire all callbacks after GLOBAL_TIMEOUT: 120 seconds, irrespective of the timeout action, after the specified or optional timeout',
  );
  const ended: string[] = [];
  const stopListening = onLogRecord(({ category, message }) => {
    if (category === 'ServerManagement') ended.push(message);
  });
  await runtime.stop();
  stopListening();
  expect(ended).toEqual([
    'Gracefully shutting down WSO2 Micro Integrator...',
    'Stopped all transport listeners',
    'Waiting for request service completion...',
    'All requests have been served.',
    'Micro Integrator Shutdown complete',
  ]);
}, 60_000);
