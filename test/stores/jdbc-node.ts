import { randomUUID } from 'node:crypto';
import { type DatabaseAccess, JdbcStores } from './jdbc-stores.ts';
import { storedMessage } from './messages.ts';

/*
 * A process of its own with a JDBC store, to be killed. Arguments: what to do, and a JSON of how to reach the database.
 *
 *   hold   takes one message, prints its id, and keeps it
 *   put    puts messages, eight at a time, and prints the id of each that is confirmed
 */

interface NodeTask {
  readonly access: DatabaseAccess;
  readonly table: string;
  readonly dataDirectory: string;
}

const [task, how = ''] = process.argv.slice(2);
const { access, table, dataDirectory } = JSON.parse(how) as NodeTask;
const store = await new JdbcStores().open(access, { table, dataDirectory });
const say = (line: string) => process.stdout.write(`${line}\n`);

if (task === 'hold') {
  const delivery = await store.consumer().receive({ signal: new AbortController().signal });
  say(delivery?.message?.id ?? 'none');
} else {
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (;;) {
        const message = storedMessage({ id: `urn:uuid:${randomUUID()}` });
        await store.put(message);
        say(message.id);
      }
    }),
  );
}
