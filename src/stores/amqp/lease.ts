import { type Cluster, leaseName } from '../../coordination/cluster.ts';
import type { Grant, LeaseMedium, Refusal } from '../../coordination/lease-medium.ts';
import { logger } from '../../logging/index.ts';
import { ConnectionSupervisor } from '../broker/supervisor.ts';
import type { AmqpAddress } from './address.ts';
import type { AmqpConnection } from './connection.ts';
import { attempt } from './topology.ts';

const log = logger('RabbitMQStore');

/** RabbitMQ ends a connection that was silent for two to three intervals of its heart-beats, which are whole seconds. */
const INTERVALS_PER_LEASE = 3;
const SHORTEST_SILENCE = 2;
/** The share of it in which work goes on; the rest is for stopping it. */
const VALID_SHARE = 0.85;
/** How often a task that others have is asked for, ms. */
const ASK_EVERY_MS = 1_500;
const RESOURCE_LOCKED = 405;
const NOT_FOUND = 404;

/** The heart-beat with which a broker gives up a node that is silent within the time of a lease, ms. */
export function leaseHeartBeatMs({ leaseMs }: Cluster): number {
  return Math.max(1, Math.floor(leaseMs / 1_000 / INTERVALS_PER_LEASE)) * 1_000;
}

export interface AmqpLeaseOptions {
  /** For the log. */
  readonly store: string;
  readonly addresses: readonly AmqpAddress[];
  open(address: AmqpAddress, heartBeatMs: number, signal: AbortSignal): Promise<AmqpConnection>;
  readonly where: string;
  readonly cluster: Cluster;
}

/**
 * Tasks are given away by a broker: each has an exclusive queue, which RabbitMQ lets one connection have, refuses to all others, and
 * deletes when that connection is gone. When the broker hears nothing any more it ends the connection by itself; every answer of the
 * broker proves that this has not begun before the question was sent.
 */
export class AmqpLeases implements LeaseMedium {
  readonly where: string;
  readonly states = undefined;
  readonly #options: AmqpLeaseOptions;
  readonly #supervisor: ConnectionSupervisor<AmqpAddress, AmqpConnection>;
  readonly #closed = new AbortController();
  readonly #validMs: number;

  constructor(options: AmqpLeaseOptions) {
    const { store, addresses, cluster, where } = options;
    const heartBeatMs = leaseHeartBeatMs(cluster);
    this.where = where;
    this.#options = options;
    this.#validMs = heartBeatMs * SHORTEST_SILENCE * VALID_SHARE;
    this.#supervisor = new ConnectionSupervisor({
      endpoints: addresses,
      open: (address, signal) => options.open(address, heartBeatMs, signal),
      onConnected: () => undefined,
      onFailure: (error) =>
        log.debug(`Store [${store}]: tasks cannot be coordinated at ${where}: ${error.message}`, { store }),
    });
    this.#supervisor.start();
  }

  async acquire(task: string, signal: AbortSignal): Promise<Grant | Refusal> {
    const refusal: Refusal = { granted: false, holder: undefined, retryMs: ASK_EVERY_MS };
    const connection = await this.#supervisor.connected(AbortSignal.any([signal, this.#closed.signal]));
    if (!connection) return refusal;
    const queue = leaseName(this.#options.cluster.group, task);
    const askedAt = performance.now();
    const { code, reason } = await attempt(connection, (channel) =>
      channel.assertQueue(queue, { exclusive: true, durable: false }),
    );
    if (code === RESOURCE_LOCKED) return { ...refusal, state: 'RUNNING' };
    if (code !== undefined) throw new Error(`the queue '${queue}' of the task: ${reason}`);
    return this.#grant(connection, queue, askedAt);
  }

  close(): Promise<void> {
    this.#closed.abort();
    return this.#supervisor.close();
  }

  #grant(connection: AmqpConnection, queue: string, askedAt: number): Grant {
    const over = new AbortController();
    void connection.ended.then(() => over.abort());
    return {
      granted: true,
      askedAt,
      validMs: this.#validMs,
      lost: over.signal,
      renew: async () => {
        if (connection.lost) return false;
        const { code, reason } = await attempt(connection, (channel) => channel.checkQueue(queue));
        if (code === undefined) return true;
        // Somebody has deleted it, and others may have it already.
        if (code === NOT_FOUND || code === RESOURCE_LOCKED) return false;
        throw new Error(`the queue '${queue}' of the task: ${reason}`);
      },
      release: async () => {
        if (connection.lost) return;
        try {
          await attempt(connection, (channel) => channel.deleteQueue(queue));
        } catch (error) {
          // Nobody else could have the task while the broker believes that it is ours.
          connection.destroy(`a task could not be given back: ${String(error)}`);
        }
      },
    };
  }
}
