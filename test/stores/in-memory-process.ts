import { randomUUID } from 'node:crypto';
import { openInMemoryStore } from './in-memory-stores.ts';
import { storedMessage } from './messages.ts';

/* A process of its own, to be killed: puts messages into a store with a journal in the folder given, and prints each confirmed id. */

const [dataDirectory = ''] = process.argv.slice(2);
const store = openInMemoryStore({ name: 'Killed', journal: true, dataDirectory });

await Promise.all(
  Array.from({ length: 16 }, async () => {
    for (;;) {
      const message = storedMessage({ id: `urn:uuid:${randomUUID()}` });
      await store.put(message);
      // Said before the next one is put, however slowly the other process listens.
      await new Promise((said) => process.stdout.write(`${message.id}\n`, said));
    }
  }),
);
