import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** What one node knows of the cluster that it belongs to (spec stores 6.2). */
export interface Cluster {
  /** The name under which other nodes and operators know this one. */
  readonly node: string;
  /** Nodes of different groups have nothing to do with each other; `default` as in the reference. */
  readonly group: string;
  /** How long a task stays with a node that does not give a sign of life any more, ms (OP-16: at most 30 s). */
  readonly leaseMs: number;
}

/** Bounds and default of {@link Cluster.leaseMs}. The default is the reference's: three heart-beats of 5 s. */
export const SHORTEST_LEASE_MS = 3_000;
export const LONGEST_LEASE_MS = 30_000;
export const DEFAULT_LEASE_MS = 15_000;
export const DEFAULT_GROUP = 'default';

const LONGEST_HOST_NAME = 40;

/** A name that is the same after a restart: the machine, and what tells this data directory from others on it. */
export function defaultNodeId(dataDirectory: string): string {
  const host = hostname().slice(0, LONGEST_HOST_NAME);
  return `${host}-${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 8)}`;
}

/** The reference's names of the tasks of a processor, one for each of `member.count` (spec stores 4.1). */
export function taskNames(processor: string, members: number): string[] {
  return Array.from({ length: members }, (_, index) => `MSMP_${processor}_${index}`);
}

/** What a broker calls the place where a task is given away: only characters that no broker reads as something else. */
export function leaseName(group: string, task: string): string {
  const safe = (text: string) =>
    text.replace(/[^\w-]/gu, (character) => `.${(character.codePointAt(0) ?? 0).toString(16)}.`);
  return `mini-synapse.lease.${safe(group)}.${safe(task)}`;
}

/** Whether a list of servers, separated by blanks or commas, names this one; no list names all (spec proxies 1.1). */
export function isPinnedTo(pinnedServers: string | undefined, server: string): boolean {
  const names = (pinnedServers ?? '').split(/[\s,]+/).filter((name) => name !== '');
  return names.length === 0 || names.includes(server);
}
