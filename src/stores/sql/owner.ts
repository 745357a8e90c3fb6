import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/*
 * Who holds a claim: `<node>.<process id>.<one running store>`. The node is what keeps its data directory from one run to the next,
 * on one machine; so a runtime that was killed finds what it held, and frees it at once instead of waiting for the leases to expire.
 */

const NODE_FILE = 'node-id';
const NODE_ID = /^[0-9a-f-]{36}$/;
const OWNER = /^(.+)\.(\d+)\.([0-9a-f]{8})$/;
const LONGEST_HOST_NAME = 40;

/** Owners in this process that are alive. */
const living = new Set<string>();

/** A new owner, alive until {@link endOwner}. */
export function newOwner(dataDirectory: string): string {
  const owner = `${nodeName(dataDirectory)}.${process.pid}.${randomUUID().slice(0, 8)}`;
  living.add(owner);
  return owner;
}

export function endOwner(owner: string): void {
  living.delete(owner);
}

/**
 * Whether an owner was a store of this node that has ended without a good-bye. Owners of other nodes are never called dead: only
 * their leases tell.
 */
export function isDeadOwner(other: string, ours: string): boolean {
  const [, node, pid] = OWNER.exec(other) ?? [];
  const [, ourNode] = OWNER.exec(ours) ?? [];
  if (node === undefined || node !== ourNode || living.has(other)) return false;
  return Number(pid) === process.pid || !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Two machines that share a data directory by mistake must not take each other for dead, hence the host. */
function nodeName(dataDirectory: string): string {
  const host = hostname()
    .replace(/[^\w-]/g, '-')
    .slice(0, LONGEST_HOST_NAME);
  return `${nodeId(dataDirectory)}.${host}`;
}

/** The id in the data directory, made when there is none; where it cannot be kept, one that nobody will know again. */
function nodeId(dataDirectory: string): string {
  const file = join(dataDirectory, NODE_FILE);
  const id = randomUUID();
  try {
    mkdirSync(dataDirectory, { recursive: true });
    writeFileSync(file, `${id}\n`, { flag: 'wx' });
    return id;
  } catch {
    return readNodeId(file) ?? id;
  }
}

function readNodeId(file: string): string | undefined {
  try {
    const id = readFileSync(file, 'utf8').trim();
    return NODE_ID.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
