import { isPinnedTo, taskNames } from '../coordination/cluster.ts';
import { Lease, type LeaseStatus } from '../coordination/lease.ts';
import type { LeaseMedium, Wanted } from '../coordination/lease-medium.ts';
import { SharedState } from '../coordination/shared-state.ts';
import type { ProcessorServices } from './component.ts';

/** What is coordinated of a processor, for operators. */
export interface CoordinationStatus {
  /** This node. */
  readonly node: string;
  readonly tasks: readonly LeaseStatus[];
}

export interface CoordinationOptions {
  readonly processor: string;
  readonly storeName: string;
  /** `member.count`: workers in the whole cluster (spec stores 6.2). */
  readonly members: number;
  readonly services: ProcessorServices;
  /** Whether it is active here. */
  current(): Wanted;
  /** Another node wants it active, or inactive. */
  apply(wanted: Wanted): Promise<void>;
}

/**
 * A processor among those of the same name on other nodes: a lease for each of its tasks, and one state for all where the medium
 * keeps it. Everything is coordinated through the store that it empties; one in memory has no others to agree with.
 */
export class Coordination {
  readonly leases: readonly Lease[];
  readonly #node: string;
  readonly #shared: SharedState;

  private constructor(node: string, leases: readonly Lease[], shared: SharedState) {
    this.#node = node;
    this.leases = leases;
    this.#shared = shared;
  }

  /** Undefined: this server belongs to no cluster. */
  static of(options: CoordinationOptions): Coordination | undefined {
    const { processor, members, storeName, services, current, apply } = options;
    const { cluster } = services;
    if (!cluster) return undefined;
    const medium = (): LeaseMedium | 'local' | undefined => {
      const store = services.configuration().find('messageStore', storeName);
      if (!store) return undefined;
      return store.leases ? store.leases(cluster) : 'local';
    };
    const tasks = taskNames(processor, members);
    const leases = tasks.map((task) => new Lease({ task, node: cluster.node, medium }));
    const states = () => {
      const found = medium();
      return found === 'local' ? undefined : found?.states;
    };
    return new Coordination(cluster.node, leases, new SharedState({ tasks, states, current, apply }));
  }

  start(): void {
    this.#shared.start();
  }

  announce(wanted: Wanted): void {
    this.#shared.announce(wanted);
  }

  /** To be called when its workers have ended. Never throws. */
  stop(options: { readonly undeploy: boolean }): Promise<void> {
    return this.#shared.stop(options);
  }

  status(): CoordinationStatus {
    return { node: this.#node, tasks: this.leases.map((lease) => lease.status()) };
  }
}

/** Why a processor does not work on this server; undefined: it does. */
export function pinnedElsewhere(pinnedServers: string | undefined, server: string | undefined): string | undefined {
  if (server === undefined || isPinnedTo(pinnedServers, server)) return undefined;
  return `it is pinned to the servers '${pinnedServers}', and this is '${server}'`;
}
