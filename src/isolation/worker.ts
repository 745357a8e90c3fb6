import { parentPort } from 'node:worker_threads';
import { JobError, type JobKind, type JobReport, type JobRequest, type Runner } from './jobs.ts';

/*
 * One isolated thread: runs one job after the other. What runs here may loop, exhaust memory or break its library; the other side
 * (`worker-pool.ts`) ends the thread then, and nothing of the server is in it.
 */

const LOADERS: { readonly [K in JobKind]: () => Promise<Runner<K>> } = {
  script: async () => (await import('../scripting/run-script.ts')).scriptRunner(),
  mapping: async () => (await import('../scripting/run-mapping.ts')).mappingRunner(),
  xslt: async () => (await import('../transform/run-xslt.ts')).xsltRunner(),
  xquery: async () => (await import('../transform/run-xquery.ts')).xqueryRunner(),
};

const runners = new Map<JobKind, Runner<JobKind>>();
const port = parentPort;

port?.on('message', (request: JobRequest) => {
  void answerTo(request).then((report) => port.postMessage(report));
});

async function answerTo({ id, kind, job }: JobRequest): Promise<JobReport> {
  try {
    const runner = await loaded(kind);
    port?.postMessage({ id, running: true } satisfies JobReport);
    const result = await runner.run(job as never);
    return { id, result, spent: runner.spent?.() ?? false };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof JobError) {
      const spent = error.spent || (runners.get(kind)?.spent?.() ?? false);
      return { id, failure: { message, detail: error.detail }, spent };
    }
    // A library that failed in a way it does not know itself cannot be trusted any more.
    return { id, failure: { message, detail: undefined }, spent: true };
  }
}

async function loaded(kind: JobKind): Promise<Runner<JobKind>> {
  const known = runners.get(kind);
  if (known) return known;
  const runner = (await LOADERS[kind]()) as Runner<JobKind>;
  runners.set(kind, runner);
  return runner;
}
