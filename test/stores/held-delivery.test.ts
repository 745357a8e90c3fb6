import { describe, expect, it } from 'vitest';
import { HeldDelivery } from '../../src/stores/held-delivery.ts';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { type ConsumerHost, SqlDelivery } from '../../src/stores/sql/consumer.ts';
import type { ClaimedMessage } from '../../src/stores/sql/message-table.ts';
import { storedMessageBytes } from '../../src/stores/sql/stored-message-bytes.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { storedMessage } from './messages.ts';

class TestDelivery extends HeldDelivery {
  readonly steps: string[] = [];
  confirm: () => Promise<void> = async () => undefined;

  constructor() {
    super({ message: storedMessage({ id: 'm1' }), poison: undefined, redelivered: false });
  }

  override done(): Promise<void> {
    return this.settleBy(() => this.#confirmed('done'));
  }

  override moveTo(_store: MessageStore, message: StoredMessage): Promise<void> {
    return this.settleBy(() => this.#confirmed(`moved ${message.id}`));
  }

  protected override giveBack(): void {
    this.steps.push('given back');
  }

  protected override error(reason: string): StoreError {
    return new StoreError('S', reason);
  }

  async #confirmed(step: string): Promise<void> {
    await this.confirm();
    this.steps.push(step);
  }
}

describe('a delivery that its store holds', () => {
  it('is settled once', async () => {
    const delivery = new TestDelivery();
    expect(delivery.settled).toBe(false);
    await delivery.done();
    expect([delivery.settled, delivery.steps]).toEqual([true, ['done']]);
    await expect(delivery.done()).rejects.toThrow('the delivery of message [m1] was settled already');
    await expect(delivery.release()).rejects.toThrow('was settled already');
    await delivery.abandon();
    expect(delivery.steps).toEqual(['done']);
  });

  it('can be settled again when that was not confirmed', async () => {
    const delivery = new TestDelivery();
    delivery.confirm = () => Promise.reject(new StoreError('S', 'no answer'));
    await expect(delivery.done()).rejects.toThrow('no answer');
    expect(delivery.settled).toBe(false);
    delivery.confirm = async () => undefined;
    await delivery.moveTo({} as MessageStore, storedMessage({ id: 'm2' }));
    expect([delivery.settled, delivery.steps]).toEqual([true, ['moved m2']]);
  });

  it('goes back when its consumer closes, after what has begun', async () => {
    const begun = new TestDelivery();
    const answer = Promise.withResolvers<void>();
    begun.confirm = () => answer.promise;
    const settling = begun.done();
    const abandoned = begun.abandon();
    answer.resolve();
    await Promise.all([settling, abandoned]);
    expect(begun.steps).toEqual(['done']);
    const open = new TestDelivery();
    await open.abandon();
    expect([open.settled, open.steps]).toEqual([true, ['given back']]);
    await open.release();
    await expect(open.done()).rejects.toThrow('gave message [m1] back when its consumer was closed');
    expect(open.steps).toEqual(['given back']);
  });
});

it('a message of a table is in hand for as long as its lease is', async () => {
  let holds = true;
  const claimed = { lease: { indexId: 7, deliveries: 1 }, msgId: 'm1', bytes: storedMessageBytes(storedMessage()) };
  const host = { tableName: 'T', holds: () => holds } as unknown as ConsumerHost;
  const delivery = new SqlDelivery(claimed as unknown as ClaimedMessage, host);
  expect(delivery.settled).toBe(false);
  holds = false;
  expect(delivery.settled).toBe(true);
});
