import type { ConfigurationFlags } from '../config/config.ts';
import type { EndCause, WorkerReady } from './supervisor.ts';

/** The variable by which a process knows that it is a worker, and which; only the supervising process sets it. */
export const ROLE_VARIABLE = 'MINI_SYNAPSE_WORKER_ROLE';

/** What the supervising process tells a worker. */
export type ToWorker =
  | {
      readonly type: 'begin';
      /** Those of the command. */
      readonly flags: ConfigurationFlags;
      /** Of the owner's socket. */
      readonly socket: string;
    }
  | { readonly type: 'stop'; readonly cause: EndCause };

/** What a worker tells the supervising process. */
export type FromWorker =
  /** It listens: what it was told before that, nobody has heard. */
  | { readonly type: 'up' }
  | { readonly type: 'ready'; readonly ready: WorkerReady }
  | { readonly type: 'asked'; readonly how: 'shutdown' | 'restart' };
