import { describe, expect, it } from 'vitest';
import { failureGroups, normalizedCause } from '../../../src/management/operations/failure-groups.ts';
import type { DeliveryFailure } from '../../../src/stores/stored-message.ts';
import { openInMemoryStore } from '../../stores/in-memory-stores.ts';
import { storedMessage } from '../../stores/messages.ts';

const look = () => ({ signal: AbortSignal.timeout(10_000) });

function failure(cause: string, changes: Partial<DeliveryFailure> = {}): DeliveryFailure {
  const times = { firstAttemptAt: 1_000, lastAttemptAt: 2_000 };
  return { processor: 'P', sourceStore: 'S', endpoint: 'E', cause, status: 500, attempts: 1, ...times, ...changes };
}

describe('failure groups (OP-48)', () => {
  it.each([
    ['order 0f8fad5b-d9cb-469f-a165-70867728950e is unknown', 'order <id> is unknown'],
    ['message urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e\n  failed', 'message <id> failed'],
    ['too late: 2026-01-31T12:00:00.123Z', 'too late: <time>'],
    ['order 12345 of customer 987654', 'order <number> of customer <number>'],
    ['HTTP status 503', 'HTTP status 503'],
    ['connect ECONNREFUSED 127.0.0.1:9000', 'connect ECONNREFUSED 127.0.0.1:9000'],
    ['at 0xdeadbeef', 'at <hex>'],
  ])('%s is the cause %s', (cause, expected) => {
    expect(normalizedCause(cause)).toBe(expected);
  });

  it('puts together what failed in the same way, the largest group first', async () => {
    const store = openInMemoryStore();
    const put = (cause: string, changes: Partial<DeliveryFailure> = {}) => {
      const message = storedMessage({ history: [failure('an earlier one'), failure(cause, changes)] });
      return store.put(message).then(() => message.id);
    };
    await store.put(storedMessage());
    const first = await put('order 11111 is unknown', { lastAttemptAt: 5_000 });
    await put('order 11111 is unknown', { status: 400 });
    const second = await put('order 22222 is unknown', { lastAttemptAt: 3_000 });
    await put('order 33333 is unknown', { endpoint: undefined });
    const { groups, scanned, complete } = await failureGroups(store, look());
    expect({ scanned, complete }).toEqual({ scanned: 5, complete: true });
    expect(groups).toHaveLength(3);
    expect(groups[0]).toEqual({
      cause: 'order <number> is unknown',
      endpoint: 'E',
      status: 500,
      count: 2,
      oldest: 3_000,
      newest: 5_000,
      sampleIds: [first, second],
    });
    await store.close();
  });

  it('has a bound for the number of groups', async () => {
    const store = openInMemoryStore();
    for (let index = 0; index < 250; index += 1) {
      await store.put(storedMessage({ history: [failure(`cause ${'x'.repeat(index)}`)] }));
    }
    const { groups } = await failureGroups(store, look());
    expect(groups.length).toBe(201);
    expect(groups[0]).toMatchObject({ cause: 'other causes', count: 50 });
    await store.close();
  });
});
