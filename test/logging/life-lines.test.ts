import { expect, it } from 'vitest';
import { onLogRecord } from '../../src/logging/index.ts';
import { serve } from '../support/in-process.ts';

it('a start and an end leave the lines that scripts wait for (spec proxies 9.2, 9.3)', async () => {
  const runtime = await serve({});
  const started = runtime.records.filter(({ category }) => category === 'StartupFinalizer');
  expect(started.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^WSO2 Micro Integrator started in \d+\.\d\d seconds$/),
  ]);
  const ended: string[] = [];
  const stopListening = onLogRecord(({ category, message }) => {
    if (category === 'ServerManagement') ended.push(message);
  });
  await runtime.stop();
  stopListening();
  expect(ended).toEqual(['Stopped all transport listeners', 'All requests have been served.']);
}, 60_000);
