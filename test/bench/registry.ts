/** One bench: a module that measures when it is run by itself, with arguments of its own. */
export interface Bench {
  /** Relative to this folder. */
  readonly module: string;
  /** What it measures, in one line. */
  readonly title: string;
  /** How long it takes on two cores. */
  readonly minutes: number;
  /** Left out of a run of all, which is to take less than ten minutes. */
  readonly onlyByName?: boolean;
}

/**
 * All benches, in the order of a run of all, those with a goal first. Each runs in a process of its own, so that none inherits another one's heap and compiled code,
 * tells its progress on standard error and its table on standard output, and ends with 0 when its goals are met, 1 when one is not.
 * A new one is a module and a line here; its figures go to `docs/bench` with `writeResult`.
 */
export const BENCHES: Readonly<Record<string, Bench>> = {
  http: { module: 'http.ts', title: 'HTTP paths against bare koa and undici', minutes: 2.25 },
  start: { module: 'start.ts', title: 'start to ready, memory when idle', minutes: 1 },
  'store-paths': {
    module: 'store-paths.ts',
    title: 'storing and draining on real servers against bare drivers and Java',
    minutes: 4.25,
  },
  workers: { module: 'workers.ts', title: 'two workers against one, on a path that is bound by the CPU', minutes: 0.5 },
  latency: { module: 'latency.ts', title: 'store to back end when idle, against a bare relay', minutes: 0.5 },
  deployment: {
    module: 'deployment.ts',
    title: 'a thousand artifacts: first deployment, one changed file',
    minutes: 0.5,
  },
  expressions: {
    module: 'expressions.ts',
    title: 'XPath, json-eval and synapse expressions, 10 KB to 10 MB',
    minutes: 2,
    onlyByName: true,
  },
  tracing: {
    module: 'tracing.ts',
    title: 'what following messages costs: off, sampled, on',
    minutes: 3,
    onlyByName: true,
  },
  soak: { module: 'soak.ts', title: 'an hour of steady load: whether memory grows', minutes: 61, onlyByName: true },
  stops: {
    module: 'stops.ts',
    title: 'who stands still when a store on ActiveMQ does: broker, disk, machine or we',
    minutes: 1.25,
    onlyByName: true,
  },
  stores: { module: 'stores.ts', title: 'every kind of store against its real server', minutes: 2, onlyByName: true },
  backlog: {
    module: 'backlog.ts',
    title: 'a million messages waiting: memory, counts, restart',
    minutes: 2,
    onlyByName: true,
  },
};

/** What a run of all runs. */
export function wholeSet(benches: Readonly<Record<string, Bench>>): Array<[string, Bench]> {
  return Object.entries(benches).filter(([, { onlyByName }]) => !onlyByName);
}

/** How long that takes on two cores. */
export function minutesOfAll(benches: Readonly<Record<string, Bench>>): number {
  return Math.ceil(wholeSet(benches).reduce((sum, [, { minutes }]) => sum + minutes, 0));
}
