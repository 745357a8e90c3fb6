import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inMemoryStore } from '../../src/stores/in-memory.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';

export interface InMemoryStoreOptions {
  readonly name?: string;
  readonly maxMessages?: number;
  readonly maxBytes?: number;
  readonly journal?: boolean;
  /** Below it is the journal. */
  readonly dataDirectory?: string;
  readonly putDeadlineMs?: number;
  readonly previous?: MessageStore;
  /** `x.dedup.` parameters, as written. */
  readonly dedup?: Readonly<Record<string, string>>;
}

let names = 0;

/** A store in memory as an artifact with these parameters would open it. */
export function openInMemoryStore(options: InMemoryStoreOptions = {}): MessageStore {
  names += 1;
  return inMemoryStore.open({
    name: options.name ?? `Memory${names}`,
    position: { file: 'store.xml', line: 1, column: 1 },
    parameters: {
      'x.max.messages': options.maxMessages ?? 100_000,
      'x.max.bytes': options.maxBytes ?? 268_435_456,
      'x.journal': options.journal ?? false,
      ...parsed(options.dedup ?? {}),
    },
    written: new Map(),
    services: {
      dataDirectory: options.dataDirectory ?? 'unused',
      putDeadlineMs: options.putDeadlineMs ?? 10_000,
      stompUrls: new Map(),
      dataSources: new Map(),
    },
    previous: options.previous,
  });
}

function parsed(written: Readonly<Record<string, string>>): Record<string, unknown> {
  const element = { prefixes: () => ({}), attribute: () => undefined };
  const values = Object.entries(written).map(([name, text]) => {
    return [name, inMemoryStore.parameters[name]?.parse(text, { name, element } as never)];
  });
  return Object.fromEntries(values);
}

/** Temporary folders of one test file. */
export class Folders {
  readonly #folders: string[] = [];

  async make(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'mini-synapse-journal-test-'));
    this.#folders.push(folder);
    return folder;
  }

  async removeAll(): Promise<void> {
    await Promise.all(
      this.#folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 3 })),
    );
  }
}
