import { describe, expect, test } from 'vitest';
import { BrokerDelivery } from '../../../src/stores/broker/broker-delivery.ts';
import { RefusedError } from '../../../src/stores/broker/put-window.ts';
import type { StoredMessage } from '../../../src/stores/stored-message.ts';
import { openInMemoryStore } from '../in-memory-stores.ts';
import { storedMessage } from '../messages.ts';

/** A delivery whose broker answers acknowledgements as told. */
class ScriptedDelivery extends BrokerDelivery {
  readonly answers: Array<() => Promise<void>> = [];
  asked = 0;

  constructor(message: StoredMessage) {
    const host = { name: 'Orders', deadlineMs: 20, noteSettled: () => undefined };
    super({ message, poison: undefined, redelivered: false, put: undefined }, host);
  }

  protected override get carrierLost(): boolean {
    return false;
  }

  protected override sendAcknowledgement(): Promise<void> {
    this.asked += 1;
    return this.answers.shift()?.() ?? Promise.resolve();
  }

  protected override async giveBack(): Promise<void> {}
}

describe('a message of a broker that is moved to another medium', () => {
  test.each([
    ['refused', () => Promise.reject(new RefusedError('not now')), 3],
    ['not confirmed in time', () => new Promise<void>((resolve) => setTimeout(resolve, 50)), 1],
  ])('is put there once, though its removal was %s', async (_, answer, asked) => {
    const message = storedMessage();
    const delivery = new ScriptedDelivery(message);
    delivery.answers.push(answer, answer);
    const target = openInMemoryStore();
    const moves: string[] = [];
    for (let move = 0; move < 5 && !delivery.settled; move += 1) {
      await delivery.moveTo(target, message).then(
        () => moves.push('moved'),
        (error: Error) => moves.push(error.message),
      );
    }
    expect(moves.at(-1)).toBe('moved');
    expect(moves[0]).toContain(`was stored in store [${target.name}], but not confirmed to be removed here`);
    expect(delivery.asked).toBe(asked);
    expect(await target.depth()).toEqual({ count: 1, estimated: false });
    await target.close();
  });

  test('is put into each store that it is moved to', async () => {
    const message = storedMessage();
    const delivery = new ScriptedDelivery(message);
    delivery.answers.push(() => Promise.reject(new RefusedError('not now')));
    const [one, other] = [openInMemoryStore(), openInMemoryStore()];
    await expect(delivery.moveTo(one, message)).rejects.toThrow('not now');
    await delivery.moveTo(other, message);
    expect(await other.depth()).toEqual({ count: 1, estimated: false });
    await Promise.all([one.close(), other.close()]);
  });
});
