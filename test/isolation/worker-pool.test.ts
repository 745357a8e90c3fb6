import { afterAll, expect, test } from 'vitest';
import { closeIsolation, IsolationError, runIsolated } from '../../src/isolation/worker-pool.ts';
import type { ScriptJob } from '../../src/scripting/script-job.ts';

const job = (code: string, limitMs = 2_000): ScriptJob => ({
  sources: [{ name: 's', code }],
  call: undefined,
  xmlObjects: false,
  limitMs,
  message: {
    properties: {},
    variables: {},
    addresses: {},
    messageId: 'm',
    relatesTo: undefined,
    isResponse: false,
    isRest: false,
    isGet: false,
    isSoap11: true,
    payload: {},
    entries: {},
  },
});
const run = (code: string, limitMs = 2_000) => runIsolated('script', job(code, limitMs), limitMs);

afterAll(() => closeIsolation());

test('many jobs share few threads, and each gets its own answer', async () => {
  const results = await Promise.all(Array.from({ length: 40 }, (_, index) => run(`${index} * 2`)));
  expect(results.map((result) => result.ended && result.value)).toEqual(
    results.map((_, index) => ({ kind: 'number', value: index * 2 })),
  );
});

test('a job that cannot be interrupted is ended with its thread; those that wait are served', async () => {
  const stuck = run('[].concat(Array(1e9))', 200);
  const also = run('[].concat(Array(1e9))', 200);
  const waiting = run('"served"');
  for (const outcome of await Promise.allSettled([stuck, also])) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { reason: 'too-slow' } });
  }
  expect(await waiting).toMatchObject({ value: { value: 'served' } });
});

test('a thread that runs out of memory is replaced', async () => {
  const deep = `<q>${'a'.repeat(1000)}</q>`;
  const query = 'string-join(for $a in 1 to 100000000 return concat("xxxxxxxxxxxxxxxxxxxxxxxxxxxx", $a))';
  const variables = [{ name: 'x', type: 'node' as const, value: deep }];
  const failure = await runIsolated('xquery', { query, variables }, 20_000).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(IsolationError);
  expect(['lost', 'too-slow', 'failed']).toContain((failure as IsolationError).reason);
  expect(await run('1')).toMatchObject({ ended: true });
}, 60_000);

test('closing ends what runs; later jobs are served', async () => {
  const running = run('for(;;);', 30_000);
  const stopped = expect(running).rejects.toMatchObject({ reason: 'lost', message: 'the server is stopping' });
  closeIsolation();
  await stopped;
  expect(await run('1')).toMatchObject({ ended: true });
});

test('more waiting jobs than there is room for are refused', async () => {
  const flood = Array.from({ length: 1_100 }, () => run('1').catch((error: IsolationError) => error.reason));
  const answers = await Promise.all(flood);
  expect(answers.filter((answer) => answer === 'overloaded').length).toBe(1_100 - 1_000 - 2);
}, 120_000);
