import { createRequire } from 'node:module';
import type * as Undici from 'undici';

/*
 * The parts of undici that are used here, without the others: fetch, caches, mocks, WebSocket and the like come with its index and
 * take 16 MB of memory in every process (OP-102). Its files have kept their places for several major versions; should one move, the
 * index is loaded instead.
 */

/** What of undici is used. */
export type UndiciParts = Pick<typeof Undici, 'Client' | 'Pool' | 'buildConnector'>;

const load = createRequire(import.meta.url);

function part<T>(path: string, whole: (undici: typeof Undici) => T): T {
  try {
    return load(`undici/lib/${path}.js`) as T;
  } catch {
    return whole(load('undici') as typeof Undici);
  }
}

let parts: UndiciParts | undefined;

/** Loads it when it is asked for the first time, which takes 20 ms: a server does so when it is ready, before its first message. */
export function undiciParts(): UndiciParts {
  parts ??= {
    Client: part('dispatcher/client', (undici) => undici.Client),
    Pool: part('dispatcher/pool', (undici) => undici.Pool),
    buildConnector: part('core/connect', (undici) => undici.buildConnector),
  };
  return parts;
}
