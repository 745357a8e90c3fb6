import { type Cluster, leaseName } from '../../coordination/cluster.ts';
import type { Grant, LeaseMedium, Refusal } from '../../coordination/lease-medium.ts';
import { logger } from '../../logging/index.ts';
import { within } from '../broker/deadline.ts';
import { ConnectionSupervisor } from '../broker/supervisor.ts';
import { formatEndpoint, type StompEndpoint } from './address.ts';
import type { StompConnection, StompMessage } from './connection.ts';
import { queueHeaders } from './queue-name.ts';

const log = logger('JmsStore');

/**
 * What the broker waits for, in heart-beats as we ask for them; we promise to beat in two of those (heart-beat.ts). A broker must not
 * end a session before that has passed in silence. ActiveMQ takes up to four times as long, and then the lease is over at the latest.
 */
const ASKED_INTERVALS_PER_LEASE = 8;
const SHORTEST_SILENCE = 2;
/** The share of it in which work goes on; the rest is for stopping it. */
const VALID_SHARE = 0.85;
/** Tokens that may wait at the one who has the task; he removes all but one. */
const PREFETCH = 10;
const ANSWER_MS = 4_000;
const RETRY_MS = 1_000;

/** The heart-beat with which a broker gives up a node that is silent within the time of a lease, ms. */
export function leaseHeartBeatMs({ leaseMs }: Cluster): number {
  return Math.floor(leaseMs / ASKED_INTERVALS_PER_LEASE);
}

export interface StompLeaseOptions {
  /** For the log. */
  readonly store: string;
  readonly endpoints: readonly StompEndpoint[];
  open(endpoint: StompEndpoint, heartBeatMs: number, signal: AbortSignal): Promise<StompConnection>;
  readonly cluster: Cluster;
}

/**
 * Tasks are given away by a broker: each has a queue, of which ActiveMQ lets one consumer have everything (`activemq.exclusive`) until
 * it is gone; then it chooses the next one. Who is given a token from there has the task, for as long as he does not acknowledge it:
 *
 *   subscribe ──► a token comes ──► kept, unacknowledged: the task is ours ──► unsubscribe, or the end of the connection
 *        └── none comes: puts one there, for the case that there is none ──► goes on waiting
 *
 * As one consumer gets all of them, it does not matter how many tokens there are. When the broker hears nothing any more it ends the
 * connection by itself, after the interval of the heart-beats; every answer of the broker proves that this has not begun before the
 * question was sent.
 */
export class StompLeases implements LeaseMedium {
  readonly where: string;
  readonly states = undefined;
  readonly #options: StompLeaseOptions;
  readonly #supervisor: ConnectionSupervisor<StompEndpoint, StompConnection>;
  readonly #closed = new AbortController();
  readonly #validMs: number;
  #transactions = 0;

  constructor(options: StompLeaseOptions) {
    const { store, endpoints, cluster } = options;
    const heartBeatMs = leaseHeartBeatMs(cluster);
    this.#options = options;
    this.#validMs = heartBeatMs * SHORTEST_SILENCE * VALID_SHARE;
    this.where = endpoints.map(formatEndpoint).join(', ');
    this.#supervisor = new ConnectionSupervisor({
      endpoints,
      open: (endpoint, signal) => options.open(endpoint, heartBeatMs, signal),
      onConnected: () => undefined,
      onFailure: (error) =>
        log.debug(`Store [${store}]: tasks cannot be coordinated at ${this.where}: ${error.message}`, { store }),
    });
    this.#supervisor.start();
  }

  async acquire(task: string, signal: AbortSignal): Promise<Grant | Refusal> {
    const connection = await this.#supervisor.connected(AbortSignal.any([signal, this.#closed.signal]));
    if (!connection) return { granted: false, holder: undefined, retryMs: RETRY_MS };
    return new TokenWait(connection, leaseName(this.#options.cluster.group, task), {
      node: this.#options.cluster.node,
      validMs: this.#validMs,
      againMs: this.#options.cluster.leaseMs,
      prove: () => this.#prove(connection),
    }).run(AbortSignal.any([signal, this.#closed.signal]));
  }

  close(): Promise<void> {
    this.#closed.abort();
    return this.#supervisor.close();
  }

  /** A question that changes nothing: an empty transaction. @throws an error when there is no answer */
  async #prove(connection: StompConnection): Promise<void> {
    this.#transactions += 1;
    const transaction = `lease-${this.#transactions}`;
    await within(connection.request('BEGIN', { transaction }), ANSWER_MS, 'an answer of the broker');
    // Whether it is gone does not matter; that it cannot be said will show with the next question.
    connection.request('ABORT', { transaction }).catch(() => undefined);
  }
}

interface TokenWaitOptions {
  readonly node: string;
  readonly validMs: number;
  /** When to put another token there, ms: the broker may have lost the first one. */
  readonly againMs: number;
  prove(): Promise<void>;
}

/** One subscription to the queue of one task, up to its end. */
class TokenWait {
  readonly #connection: StompConnection;
  readonly #destination: Readonly<Record<string, string>>;
  readonly #options: TokenWaitOptions;
  readonly #over = new AbortController();
  readonly #token = Promise.withResolvers<void>();
  #held = false;
  #unsubscribe: (() => Promise<void>) | undefined;

  constructor(connection: StompConnection, queue: string, options: TokenWaitOptions) {
    this.#connection = connection;
    this.#destination = { ...queueHeaders(queue, connection.server) };
    this.#options = options;
  }

  /** @throws an error when the connection ends, or the broker refuses the queue */
  async run(signal: AbortSignal): Promise<Grant | Refusal> {
    const ended = this.#connection.ended.then((reason) => {
      this.#over.abort();
      throw reason;
    });
    ended.catch(() => undefined);
    const given = new AbortController();
    const stop = () => this.#token.resolve();
    signal.addEventListener('abort', stop);
    try {
      await this.#subscribe();
      const offering = this.#offer(given.signal);
      offering.catch(() => undefined);
      await Promise.race([this.#token.promise, ended, offering]);
      if (signal.aborted) {
        await this.#leave();
        return { granted: false, holder: undefined, retryMs: RETRY_MS };
      }
      const askedAt = performance.now();
      await Promise.race([this.#options.prove(), ended]);
      return this.#grant(askedAt);
    } catch (error) {
      await this.#leave();
      throw error;
    } finally {
      given.abort();
      signal.removeEventListener('abort', stop);
    }
  }

  async #subscribe(): Promise<void> {
    const subscription = this.#connection.subscribe(
      {
        ...this.#destination,
        ack: 'client-individual',
        'activemq.exclusive': 'true',
        'activemq.prefetchSize': String(PREFETCH),
      },
      (message) => this.#onToken(message),
    );
    this.#unsubscribe = () => subscription.unsubscribe();
    await within(subscription.confirmed, ANSWER_MS, 'the queue of the task');
  }

  /** The first one is kept, the others are removed. */
  #onToken({ headers }: StompMessage): void {
    if (!this.#held) {
      this.#held = true;
      this.#token.resolve();
      return;
    }
    const id = headers.ack ?? headers['message-id'] ?? '';
    this.#connection.request('ACK', { id }).catch(() => undefined);
  }

  /** Rejects when the broker does not take a token; else it never ends before the signal. */
  async #offer(given: AbortSignal): Promise<never> {
    for (;;) {
      const headers = { ...this.#destination, persistent: 'true', 'content-type': 'text/plain' };
      const body = Buffer.from(this.#options.node, 'utf8');
      await within(this.#connection.request('SEND', headers, body), ANSWER_MS, 'an answer of the broker');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#options.againMs);
        given.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
      if (given.aborted) return new Promise<never>(() => undefined);
    }
  }

  #grant(askedAt: number): Grant {
    return {
      granted: true,
      askedAt,
      validMs: this.#options.validMs,
      lost: this.#over.signal,
      renew: async () => {
        if (this.#connection.lost) return false;
        await this.#options.prove();
        return true;
      },
      release: () => this.#leave(),
    };
  }

  /** Never throws. A connection that is gone has let it go. */
  async #leave(): Promise<void> {
    const unsubscribe = this.#unsubscribe;
    this.#unsubscribe = undefined;
    if (!unsubscribe || this.#connection.lost) return;
    try {
      await within(unsubscribe(), ANSWER_MS, 'the end of the subscription');
    } catch (error) {
      // Nobody else could have the task while the broker believes that it is ours.
      this.#connection.destroy(`a task could not be given back: ${String(error)}`);
    }
  }
}
