import { expect, it } from 'vitest';
import { messageLine } from '../../../src/management/operations/message-lines.ts';
import { importMessages } from '../../../src/management/operations/transfer.ts';
import { DeliveryLedger } from '../../../src/processors/delivery-ledger.ts';
import { type MessageStore, StoreError } from '../../../src/stores/message-store.ts';
import { storedMessage } from '../../stores/messages.ts';

const OPERATIONS = { ledger: new DeliveryLedger(), count: () => {} };

/** A store that takes a message when it is its turn. */
function storeTaking(takes: (n: number) => boolean) {
  let puts = 0;
  const put = async () => {
    puts += 1;
    if (!takes(puts)) throw new StoreError('Down', 'is down');
  };
  return { store: { name: 'Down', put } as unknown as MessageStore, puts: () => puts };
}

async function* lines(count: number, line = () => messageLine(storedMessage())) {
  for (let n = 0; n < count; n += 1) yield Buffer.from(`${line()}\n`);
}

const wishes = () =>
  ({ duplicates: 'allow', dryRun: false, force: false, signal: AbortSignal.timeout(20_000) }) as const;

it('an import ends when the store takes nothing any more, and says so', async () => {
  const { store, puts } = storeTaking((n) => n <= 3);
  const result = await importMessages(store, lines(90), wishes(), OPERATIONS);
  expect(result).toMatchObject({ done: 3, count: 23, failed: { length: 20 } });
  expect(result.stopped).toBe('stopped after 20 messages in a row that the store did not take');
  expect(puts()).toBe(23);
});

it('an import goes on where the store refuses single messages', async () => {
  const { store } = storeTaking((n) => n % 2 === 0);
  const result = await importMessages(store, lines(90), wishes(), OPERATIONS);
  expect(result).toMatchObject({ done: 45, count: 90, failed: { length: 45 } });
  expect(result).not.toHaveProperty('stopped');
});

it('an import of a broken file says that it ended early', async () => {
  const { store } = storeTaking(() => true);
  const result = await importMessages(
    store,
    lines(200, () => 'x'),
    wishes(),
    OPERATIONS,
  );
  expect(result).toMatchObject({ done: 0, count: 100, stopped: 'stopped after 100 failures' });
});
