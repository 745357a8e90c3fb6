import { DESCRIPTION, integer, nonEmptyText, readAttributes, text } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { ExecutorQueue, PriorityExecutorDefinition } from '../mediation/priority-executor.ts';

const DEFAULT_SIZE = 10_000;

const ATTRIBUTES = {
  name: nonEmptyText({ required: true, missing: 'Priority executor must have a name', doc: 'Its name.' }),
  description: DESCRIPTION,
} as const;
const QUEUES = {
  isFixedSize: text({ doc: 'Accepted; a queue without a size has room for 10,000.' }),
  nextQueue: text({ doc: 'Accepted and without effect: it names a Java class.' }),
} as const;
const QUEUE = {
  size: integer({ minimum: 0, doc: 'Messages that may wait.' }),
  priority: integer({ required: true, doc: 'Higher numbers are served more often.' }),
} as const;
const THREADS = {
  max: integer({ minimum: 1, default: 100, doc: 'Messages that are mediated at the same time.' }),
  core: integer({ minimum: 0, doc: 'Accepted and without effect: there are no threads.' }),
  'keep-alive': integer({ minimum: 0, doc: 'Accepted and without effect.' }),
} as const;

/** Reads a `<priorityExecutor>` (spec mediators 3.41); undefined after an error. */
export function readPriorityExecutor(
  element: ConfigElement,
  reader: ArtifactReader,
): PriorityExecutorDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['queues', 'threads', 'description']);
  const queues = readQueues(element, reader);
  const threads = element.child('threads');
  const counts = threads ? readAttributes(threads, THREADS, reader) : { max: 100 };
  if (!attributes || !queues || !counts) return undefined;
  return { name: attributes.name, queues, concurrency: counts.max };
}

function readQueues(element: ConfigElement, reader: ArtifactReader): ExecutorQueue[] | undefined {
  const parent = element.child('queues');
  const written = parent?.childrenNamed('queue') ?? [];
  if (!parent || written.length === 0) {
    reader.error(parent ?? element, 'Queue configuration must be present', {
      expected: '<queues><queue priority="…"/></queues>',
    });
    return undefined;
  }
  readAttributes(parent, QUEUES, reader);
  const queues: ExecutorQueue[] = [];
  for (const queue of written) {
    const attributes = readAttributes(queue, QUEUE, reader);
    // The reference's size 0 and a missing one stand for a queue without end.
    if (attributes) queues.push({ priority: attributes.priority, size: attributes.size || DEFAULT_SIZE });
  }
  return queues.length === written.length ? queues : undefined;
}
