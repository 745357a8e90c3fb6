import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigElement } from '../../src/grammar/element.ts';
import { readParameters, type WrittenParameter } from '../../src/grammar/parameters.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import type { DataSource } from '../../src/stores/component.ts';
import { jdbcStore } from '../../src/stores/jdbc.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import type { RecognisingStore } from './dedup-suite.ts';

/** How tests reach a database. */
export interface DatabaseAccess {
  readonly url: string;
  readonly driver: string;
  readonly user?: string;
  readonly password?: string;
}

export interface JdbcStoreWishes {
  readonly name?: string;
  readonly table?: string;
  /** Two stores with different data directories are on two nodes. */
  readonly dataDirectory?: string;
  readonly deadlineMs?: number;
  readonly previous?: MessageStore;
  /** More parameters, or others. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly dataSources?: ReadonlyMap<string, DataSource>;
  /** PEM, as of the configuration. */
  readonly trustedCertificates?: string;
}

const POSITION = { file: 'store.xml', line: 1, column: 1 };

/** Names and tables made in this process; all of them may be in one database. */
let names = 0;

/** Stores of one test file: opened as a deployment opens them, from parameters as text. */
export class JdbcStores {
  readonly #opened = new Set<MessageStore>();
  readonly #folders: string[] = [];

  /** A new table name. */
  table(): string {
    names += 1;
    return `messages_${process.pid}_${names}`;
  }

  /** A new, empty folder, removed at the end. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'mini-synapse-jdbc-test-'));
    this.#folders.push(folder);
    return folder;
  }

  async open(access: DatabaseAccess, wishes: JdbcStoreWishes = {}): Promise<MessageStore> {
    return this.openWith(
      {
        'store.jdbc.driver': access.driver,
        'store.jdbc.connection.url': access.url,
        'store.jdbc.username': access.user ?? '',
        'store.jdbc.password': access.password ?? '',
        'store.jdbc.table': wishes.table ?? this.table(),
        'x.create.table': 'true',
        ...wishes.parameters,
      },
      wishes,
    );
  }

  async openWith(parameters: Readonly<Record<string, string>>, wishes: JdbcStoreWishes = {}): Promise<MessageStore> {
    names += 1;
    const dataDirectory = wishes.dataDirectory ?? (await this.folder());
    const store = jdbcStore.open({
      name: wishes.name ?? `Jdbc${names}`,
      position: POSITION,
      parameters: readJdbcParameters(parameters),
      written: new Map(Object.entries(parameters)),
      services: {
        dataDirectory,
        // A busy machine may need long for the tables; whoever waits for the end says so.
        putDeadlineMs: wishes.deadlineMs ?? 60_000,
        stompUrls: new Map(),
        dataSources: new Map(),
        trustedCertificates: wishes.trustedCertificates,
        ...(wishes.dataSources && { dataSources: wishes.dataSources }),
      },
      previous: wishes.previous,
    });
    return this.keep(store);
  }

  /** A store that is to be closed with the others. */
  keep(store: MessageStore): MessageStore {
    this.#opened.add(store);
    return store;
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#opened].map((store) => store.close()));
    this.#opened.clear();
    await Promise.all(
      this.#folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 3 })),
    );
  }
}

/** How `dedupSuite` opens JDBC stores on a database. */
export function jdbcDedup(stores: JdbcStores, access: () => DatabaseAccess): RecognisingStore {
  const like = (store: MessageStore) => ({ name: store.name, table: store.parameters.get('store.jdbc.table') ?? '' });
  return {
    durable: true,
    open: (parameters, after) => {
      if (!after) return stores.open(access(), { parameters });
      const replaced = after.status().state === 'CLOSED' ? {} : { previous: after };
      return stores.open(access(), { parameters, ...like(after), ...replaced });
    },
    beside: (store, parameters) => stores.open(access(), { parameters, ...like(store) }),
    closeAll: () => stores.closeAll(),
  };
}

/** Takes everything that is there. */
export async function drain(store: MessageStore): Promise<string[]> {
  const consumer = store.consumer();
  const ids: string[] = [];
  for (;;) {
    const delivery = await consumer.receive({ signal: new AbortController().signal, waitMs: 500 });
    if (delivery) {
      ids.push(delivery.message?.id ?? '(poison)');
      await delivery.done();
    } else if ((await store.depth()).count === 0) {
      await consumer.close();
      return ids;
    }
  }
}

/** Reads parameters as the deployment does. @throws with all diagnostics */
export function readJdbcParameters(parameters: Readonly<Record<string, string>>) {
  const element = {
    name: 'messageStore',
    path: 'messageStore[S]',
    position: POSITION,
    prefixes: () => ({}),
    attribute: () => undefined,
  } as unknown as ConfigElement;
  const written = new Map<string, WrittenParameter>(
    Object.entries(parameters).map(([name, value]) => [name, { name, value, element }]),
  );
  const reader = new ArtifactReader();
  const values = readParameters(element, jdbcStore.parameters, written, reader);
  if (!values) throw new Error(reader.diagnostics.map(({ message, expected }) => `${message}; ${expected}`).join('\n'));
  return values;
}
