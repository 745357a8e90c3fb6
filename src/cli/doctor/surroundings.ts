import type { StoreServices } from '../../stores/component.ts';
import type { MessageProcessorDefinition } from '../../synapse/message-processor.ts';
import { type Finding, ok, wrong } from './finding.ts';

/** What surrounds the stores that are checked. */
export interface StoreSurroundings {
  readonly services: StoreServices;
  /** How long a store may take to answer, ms. */
  readonly deadlineMs: number;
  /** Bytes of the largest request that is taken. */
  readonly maxBodyBytes: number;
  /** The names of all stores. */
  readonly stores: readonly string[];
  readonly processors: readonly MessageProcessorDefinition[];
}

/** Where messages of a store go that cannot be delivered: that is said by the processors that take them. */
export function deadLetterTargets(store: string, { processors, stores }: StoreSurroundings): readonly Finding[] {
  const subject = `store ${store}`;
  const takers = processors.filter(({ storeName }) => storeName === store);
  const check = 'dead-letter target';
  if (takers.length === 0) return [ok(subject, 'none needed: no message processor takes messages from it', check)];
  return takers.map(({ name, written }) => {
    const failStore = written.get('message.processor.failMessagesStore');
    if (!failStore) return ok(subject, `data/dead-letter/${store}, by message processor ${name}`, check);
    return stores.includes(failStore)
      ? ok(subject, `store ${failStore}, by message processor ${name}`, check)
      : wrong(subject, `message processor ${name} names store ${failStore}, which is not there`, check);
  });
}

/** What says how often a message is tried, where the medium itself does not count. */
export function attemptsOf(store: string, { processors }: StoreSurroundings): string {
  const takers = processors.filter(({ storeName }) => storeName === store);
  const texts = takers.map(({ name, written }) => {
    const attempts = written.get('max.delivery.attempts');
    return attempts === undefined ? name : `${name} (max.delivery.attempts ${attempts})`;
  });
  return texts.length === 0 ? 'the message processor counts attempts' : `attempts are counted by ${texts.join(', ')}`;
}
