import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { integer, javaBoolean } from '../grammar/attributes.ts';
import { logger } from '../logging/index.ts';
import { fileNameOf } from '../processors/durable-file.ts';
import { messageStore } from './component.ts';
import { JournaledKeys } from './dedup/journaled-keys.ts';
import { DEDUP_PARAMETERS, type DedupRules, dedupMisfit, dedupRules } from './dedup/parameters.ts';
import type { PutsOnce } from './dedup/puts-once.ts';
import type { RememberedIds } from './dedup/remembered-ids.ts';
import { borrowIds, releaseIds } from './dedup/shared-ids.ts';
import { WindowedPuts } from './dedup/windowed-puts.ts';
import { FAILOVER_PARAMETERS } from './failover-parameters.ts';
import { InMemoryBrowser } from './memory/browse.ts';
import { InMemoryConsumer } from './memory/consumer.ts';
import { Holding } from './memory/holding.ts';
import type { QueueBounds } from './message-queue.ts';
import type { MessageStore, StoreConsumer, StoreDepth, StoreStatus } from './message-store.ts';
import type { StoreBrowser } from './store-browser.ts';
import type { StoredMessage } from './stored-message.ts';

const log = logger('InMemoryStore');

const TYPE = 'in-memory-message-store';
const DEFAULT_MAX_MESSAGES = 100_000;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
/** Below the data folder: one folder for each store. */
const JOURNALS = 'journal';

/** The store that is meant when no class is given: fast, and gone with the process unless it has a journal (spec stores 2.2). */
export const inMemoryStore = messageStore({
  type: TYPE,
  doc: 'Keeps messages in memory, in order. They are delivered only while the process lives, unless x.journal is true.',
  classes: [
    'org.apache.synapse.message.store.impl.memory.InMemoryStore',
    'org.apache.synapse.message.store.InMemoryMessageStore',
  ],
  parameters: {
    ...FAILOVER_PARAMETERS,
    ...DEDUP_PARAMETERS,
    'x.max.messages': integer({
      minimum: 1,
      default: DEFAULT_MAX_MESSAGES,
      doc: 'The most messages that it holds; storing one more fails.',
    }),
    'x.max.bytes': integer({
      minimum: 1,
      default: DEFAULT_MAX_BYTES,
      doc: 'The most bytes of memory that its messages may take; storing more fails.',
    }),
    'x.journal': javaBoolean({
      default: false,
      doc: 'true: every message is also written to a journal in the data folder before it counts as stored.',
    }),
  },
  misfit: ({ written }) => dedupMisfit(written),
  open({ name, parameters, written, services, previous }) {
    return new InMemoryStore({
      name,
      parameters: written,
      bounds: { maxMessages: parameters['x.max.messages'], maxBytes: parameters['x.max.bytes'] },
      journaled: parameters['x.journal'],
      journalFolder: join(services.dataDirectory, JOURNALS, fileNameOf(name)),
      putDeadlineMs: services.putDeadlineMs,
      dataDirectory: services.dataDirectory,
      dedup: dedupRules(parameters),
      previous: previous instanceof InMemoryStore ? previous : undefined,
    });
  },
});

interface InMemoryStoreOptions {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly bounds: QueueBounds;
  readonly journaled: boolean;
  readonly journalFolder: string;
  readonly putDeadlineMs: number;
  readonly dataDirectory: string;
  readonly dedup: DedupRules | undefined;
  readonly previous: InMemoryStore | undefined;
}

/**
 * A message store in memory. Redeployed, it serves the very queue of the store that it replaces, leased messages included
 * (REQ-28, OP-34); messages that are still stored through the old one arrive there as well.
 */
class InMemoryStore implements MessageStore {
  readonly name: string;
  readonly type = TYPE;
  readonly parameters: ReadonlyMap<string, string>;
  readonly once: PutsOnce | undefined;
  readonly #holding: Holding;
  #ids: RememberedIds | undefined;
  readonly #consumers = new Set<InMemoryConsumer>();
  readonly #browser: InMemoryBrowser;
  #closedAt: number | undefined;
  readonly #openedAt = Date.now();

  constructor(options: InMemoryStoreOptions) {
    const { name, previous, bounds, journaled, journalFolder, putDeadlineMs } = options;
    this.name = name;
    this.parameters = options.parameters;
    this.#holding =
      previous?.takeOver(journaled) ??
      new Holding({ store: name, bounds, journalFolder: journaled ? journalFolder : undefined, putDeadlineMs, log });
    this.#holding.queue.bounds = bounds;
    this.#holding.owners += 1;
    this.once = options.dedup && this.#recognising(options, options.dedup);
    this.#holding.listener = this.#ids && new JournaledKeys(this.#ids);
    this.#browser = new InMemoryBrowser(this.#holding);
    this.#announce(options);
  }

  get durable(): boolean {
    return this.#holding.journaled;
  }

  async put(message: StoredMessage): Promise<void> {
    // A store that was replaced has closed, but messages in flight may still know it: its successor has the queue.
    if (this.#closedAt !== undefined && this.#holding.owners === 0) throw this.#holding.error('is closed');
    const written = this.#holding.put(message);
    if (written) await written;
  }

  consumer(): StoreConsumer {
    const holding = this.#holding;
    if (this.#closedAt !== undefined) throw holding.error('is closed');
    holding.consumers += 1;
    const id = `[${this.name}-C-${holding.consumers}]`;
    const consumer = new InMemoryConsumer(id, holding, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }

  browser(): StoreBrowser {
    if (this.#closedAt !== undefined) throw this.#holding.error('is closed');
    return this.#browser;
  }

  status(): StoreStatus {
    const { queue, ready, lastError } = this.#holding;
    const { enqueued, dequeued } = queue;
    const since = this.#closedAt ?? this.#openedAt;
    if (this.#closedAt !== undefined) return { state: 'CLOSED', since, lastError, enqueued, dequeued };
    const waiting = lastError === undefined ? 'CONNECTING' : 'DOWN';
    const working = lastError === undefined ? 'READY' : 'DEGRADED';
    return { state: ready ? working : waiting, since, lastError, enqueued, dequeued };
  }

  async depth(): Promise<StoreDepth> {
    return this.#holding.depth;
  }

  async close(): Promise<void> {
    if (this.#closedAt !== undefined) return;
    this.#closedAt = Date.now();
    await Promise.all([this.#browser.close(), ...[...this.#consumers].map((consumer) => consumer.close())]);
    try {
      await this.#letGo();
    } finally {
      if (this.#ids) await releaseIds(this.#ids);
    }
  }

  async #letGo(): Promise<void> {
    const holding = this.#holding;
    holding.owners -= 1;
    if (holding.owners > 0) return;
    const left = holding.queue.count;
    await holding.close();
    if (left > 0 && !holding.journaled) {
      log.warn(`Store [${this.name}] was closed with ${left} messages in memory, which are gone.`, {
        store: this.name,
      });
    }
  }

  /**
   * What a store that replaces this one serves on. With or without a journal as it is, for what is in it is there already: another
   * wish is heard at the next start.
   */
  takeOver(journaled: boolean): Holding {
    if (journaled !== this.#holding.journaled) {
      log.warn(`Store [${this.name}] holds messages already: x.journal=${journaled} takes effect at the next start.`, {
        store: this.name,
      });
    }
    return this.#holding;
  }

  #recognising({ name, dataDirectory, putDeadlineMs: deadlineMs }: InMemoryStoreOptions, rules: DedupRules): PutsOnce {
    const holding = this.#holding;
    const durable = holding.journaled;
    const ids = borrowIds({ store: name, dataDirectory, durable, rules, deadlineMs, log });
    this.#ids = ids;
    const storeRemembers = { ready: () => holding.untilReady() };
    return new WindowedPuts({ store: this, rules, ids, deadlineMs, ...(durable && { storeRemembers }) });
  }

  #announce({ name, bounds, journalFolder }: InMemoryStoreOptions): void {
    const { journaled, queue } = this.#holding;
    const held = queue.count > 0 ? ` It takes over ${queue.count} messages.` : '';
    const bound = `It holds at most ${bounds.maxMessages} messages or ${bounds.maxBytes} bytes.${held}`;
    log.info(`Initialized Store [${name}]...`, { store: name });
    if (journaled) {
      log.info(`Store [${name}] keeps messages in memory and in its journal ${journalFolder}. ${bound}`, {
        store: name,
      });
      return;
    }
    log.info(`Store [${name}] keeps messages in memory: they are delivered only while this process lives. ${bound}`, {
      store: name,
    });
    if (existsSync(journalFolder)) {
      log.warn(`Store [${name}] has a journal, ${journalFolder}, and does not use it because x.journal is not true.`, {
        store: name,
      });
    }
  }
}
