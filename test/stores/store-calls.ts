import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import type { Delivery, MessageStore, StoreConsumer } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { waitFor } from '../support/wait-for.ts';

/* What tests do with stores all the time. */

export const FOR_EVER = new AbortController().signal;

/** The next message. @throws when none comes in time, or one that cannot be read */
export async function next(consumer: StoreConsumer, waitMs = 15_000): Promise<Delivery & { message: StoredMessage }> {
  const delivery = await consumer.receive({ signal: FOR_EVER, waitMs });
  if (!delivery?.message) throw new Error(delivery ? `poison: ${delivery.poison?.reason}` : 'no message came');
  return delivery as Delivery & { message: StoredMessage };
}

/** Receives and settles until nothing has come for `quietMs`. */
export async function drain(store: MessageStore, quietMs = 700): Promise<StoredMessage[]> {
  const consumer = store.consumer();
  const messages: StoredMessage[] = [];
  for (;;) {
    const delivery = await consumer.receive({ signal: FOR_EVER, waitMs: quietMs });
    if (!delivery?.message) break;
    messages.push(delivery.message);
    await delivery.done();
  }
  await consumer.close();
  return messages;
}

/** Milliseconds until the promise is settled, and with what error. */
export async function timed(work: Promise<unknown>): Promise<{ ms: number; error: unknown }> {
  const begin = performance.now();
  const error = await work.then(
    () => undefined,
    (problem: unknown) => problem,
  );
  return { ms: performance.now() - begin, error };
}

/** What is logged while `work` runs. */
export async function logged(work: () => Promise<unknown>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const stop = onLogRecord((record) => records.push(record));
  await work().finally(stop);
  return records;
}

export const stateOf = (store: MessageStore) => store.status().state;

export function becomes(store: MessageStore, state: string, deadlineMs = 8_000): Promise<unknown> {
  const what = () => `state ${state}: ${JSON.stringify(store.status())}`;
  return waitFor(() => stateOf(store) === state, { what, deadlineMs });
}

/** Opened stores, to be closed after each test. */
export class OpenStores {
  readonly #opened: MessageStore[] = [];

  add(store: MessageStore): MessageStore {
    this.#opened.push(store);
    return store;
  }

  readonly closeAll = async (): Promise<void> => {
    await Promise.all(this.#opened.splice(0).map((store) => store.close()));
  };
}
