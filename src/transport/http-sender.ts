import type { buildConnector as Connectors } from 'undici';
import { logger } from '../logging/index.ts';
import { ownCopy } from '../own-copy.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { HttpRequest, HttpResponse } from './http-exchange.ts';
import { SendAttempt } from './send-attempt.ts';
import { SendClock } from './send-clock.ts';
import { invalidAddress, sendAborted } from './send-failure.ts';
import { type TlsTrust, trustOptions } from './tls-trust.ts';
import { undiciParts } from './undici.ts';

export type { HttpRequest, HttpResponse } from './http-exchange.ts';
export type { TlsTrust } from './tls-trust.ts';

declare module '../message/configuration.ts' {
  interface Services {
    http: HttpSender;
  }
}

const log = logger('HttpSender');

export interface HttpSenderOptions {
  /** Open connections to one back end at most; more requests wait. Default 256. */
  readonly connectionsPerOrigin?: number;
  /** Requests that may wait for a connection to one back end. Default 10,000. */
  readonly waitingPerOrigin?: number;
  /** Back ends whose connections are kept. Default 1,024. */
  readonly origins?: number;
  /** Upper limit of every connect deadline, ms. Default 90,000 (spec proxies 2.2). */
  readonly connectTimeoutMs?: number;
  /** Longest silence of a back end, ms. Default 180,000 (spec proxies 2.2). */
  readonly socketTimeoutMs?: number;
  /** How long an unused connection is kept, ms; a back end's own hint goes first. Default 15,000. */
  readonly keepAliveTimeoutMs?: number;
  /** Largest response body that is held, bytes; one that is passed on may be of any size. Default 16 MiB (REQ-23). */
  readonly maxResponseBytes?: number;
  readonly tls?: TlsTrust;
}

const DEFAULTS = {
  connectionsPerOrigin: 256,
  waitingPerOrigin: 10_000,
  origins: 1024,
  connectTimeoutMs: 90_000,
  socketTimeoutMs: 180_000,
  keepAliveTimeoutMs: 15_000,
  maxResponseBytes: 16 * 1024 * 1024,
} as const;

const KNOWN_ADDRESSES = 256;
/** Characters. */
const LONGEST_KNOWN_ADDRESS = 512;
/** undici's own timers tick twice a second, so its connect deadline only backs up ours. */
const CONNECT_BACKUP_MS = 1000;

/**
 * Sends requests to back ends over kept-alive connections, with a limit of connections per back end and a deadline for everything
 * (spec proxies 2.4, 2.5). Statuses are answers, not errors.
 */
export class HttpSender {
  readonly #limits: Required<Omit<HttpSenderOptions, 'tls'>>;
  readonly #trust: ReturnType<typeof trustOptions>;
  /** Made for the first connection. */
  #connect: Connectors.connector | undefined;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #addresses = new Map<string, URL>();
  #closed = false;

  constructor(options: HttpSenderOptions = {}) {
    const { tls, ...limits } = options;
    this.#limits = { ...DEFAULTS, ...limits };
    this.#trust = trustOptions(tls ?? {});
  }

  /**
   * Sends a request and waits for the complete response, or, with `passFrom`, for the beginning of a large one.
   * @throws MediationError with the composed code, BASE_ERROR_CODE and ERROR_CAUSE of spec proxies 3.7 and REQ-5
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    try {
      const clock = request.responseTimeoutMs === undefined ? undefined : new SendClock(request.responseTimeoutMs);
      const url = this.#address(request.url);
      const first = await this.#attempt(request, url, clock, request.retryStale !== false);
      if (first !== 'stale') return first;
      log.debug(`A kept connection to ${url.host} had been closed; the request is sent once more`, request.about?.());
      clock?.run();
      const second = await this.#attempt(request, url, clock, false);
      if (second !== 'stale') return second;
      throw new Error('unreachable: only an attempt that may be repeated reports a stale connection');
    } catch (error) {
      // Nobody will take the rest.
      request.stream?.cancel();
      throw error;
    }
  }

  /**
   * Waits for what is under way, at most that long (ms), then closes every connection. Sends that are cut off then, and later ones,
   * fail as aborted.
   */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([Promise.allSettled(pools.map((pool) => pool.close())), expired]);
    clearTimeout(timer);
    await Promise.allSettled(pools.map((pool) => pool.destroy()));
  }

  /** Most addresses stand in an artifact and are the same for every message. */
  #address(address: string): URL {
    const known = this.#addresses.get(address);
    if (known) return known;
    if (address.length > LONGEST_KNOWN_ADDRESS) return parseAddress(address);
    const own = ownCopy(address);
    const url = parseAddress(own);
    if (this.#addresses.size >= KNOWN_ADDRESSES) this.#addresses.clear();
    this.#addresses.set(own, url);
    return url;
  }

  #attempt(
    request: HttpRequest,
    url: URL,
    clock: SendClock | undefined,
    mayRepeat: boolean,
  ): Promise<HttpResponse | 'stale'> {
    if (this.#closed) throw sendAborted(undefined);
    if (request.signal?.aborted) throw sendAborted(request.signal.reason);
    const pool = this.#poolFor(url);
    const attempt = new SendAttempt({ request, url, pool, clock, mayRepeat, limits: this.#limits });
    return attempt.run();
  }

  #poolFor(url: URL): ConnectionPool {
    const known = this.#pools.get(url.origin);
    if (known) return known;
    if (this.#pools.size >= this.#limits.origins) this.#dropIdlePool();
    this.#connect ??= undiciParts().buildConnector({
      ...this.#trust,
      timeout: this.#limits.connectTimeoutMs + CONNECT_BACKUP_MS,
    });
    const pool = new ConnectionPool(url.origin, {
      connections: this.#limits.connectionsPerOrigin,
      keepAliveTimeoutMs: this.#limits.keepAliveTimeoutMs,
      socketTimeoutMs: this.#limits.socketTimeoutMs,
      connect: this.#connect,
    });
    this.#pools.set(url.origin, pool);
    return pool;
  }

  /** Forgets the back end that was not used for the longest time. If all are busy, their number is bounded by what is under way. */
  #dropIdlePool(): void {
    let oldest: [string, ConnectionPool] | undefined;
    for (const entry of this.#pools) {
      if (entry[1].active === 0 && (!oldest || entry[1].lastUsed < oldest[1].lastUsed)) oldest = entry;
    }
    if (!oldest) return;
    this.#pools.delete(oldest[0]);
    oldest[1].close().catch((error: unknown) => log.warn(`Connections could not be closed: ${String(error)}`));
  }
}

function parseAddress(address: string): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch (error) {
    throw invalidAddress(address, error);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalidAddress(address);
  return url;
}
