import type { ChildProcess } from 'node:child_process';

/** A connection that node:cluster hands to a worker, as the supervising process has it. */
interface Connection {
  close(): void;
}

/** What node:cluster sends with a connection, and what the worker answers. */
interface Sent {
  readonly act?: unknown;
  readonly seq?: unknown;
}

interface Answer {
  readonly ack?: unknown;
}

/**
 * Sees to it that connections end with the worker that they were handed to. node:cluster keeps its own end of a connection open until
 * the worker says that it has it; when the worker is killed before, nobody ever closes that, and the client waits for nothing.
 *
 * There is no interface for that: it looks at the messages that go by. Where another version of Node.js writes them differently, nothing
 * is seen, and all is as node:cluster does it.
 */
export function endWithWorker(worker: ChildProcess): void {
  const handed = new Map<unknown, Connection>();
  const send = worker.send as (...args: unknown[]) => boolean;
  const watched = (...args: unknown[]): boolean => {
    const [message, handle] = args as [Sent | undefined, unknown];
    if (message?.act === 'newconn' && message.seq !== undefined && isConnection(handle))
      handed.set(message.seq, handle);
    return send.apply(worker, args);
  };
  worker.send = watched as ChildProcess['send'];
  worker.on('internalMessage', (answer: Answer | undefined) => {
    if (answer?.ack !== undefined) handed.delete(answer.ack);
  });
  worker.once('exit', () => {
    for (const connection of handed.values()) connection.close();
    handed.clear();
  });
}

function isConnection(handle: unknown): handle is Connection {
  return typeof handle === 'object' && handle !== null && 'close' in handle && typeof handle.close === 'function';
}
