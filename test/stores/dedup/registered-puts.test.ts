import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../../src/expressions/compile-expression.ts';
import { RegisteredPuts } from '../../../src/stores/dedup/registered-puts.ts';
import { claimOf, type TableClaim } from '../../../src/stores/dedup/table-claim.ts';
import type { StoredMessage } from '../../../src/stores/stored-message.ts';
import { storedMessage } from '../messages.ts';

function puts(put: (message: StoredMessage) => Promise<void>): RegisteredPuts {
  const rules = { id: compileExpression('$trp:Key', {}), windowMs: 1_000, maxIds: 10 };
  return new RegisteredPuts({ store: { name: 'S', put }, rules, deadlineMs: 5_000, duplicates: 0 });
}

describe('puts into a table with a register of ids', () => {
  it.each(['is stored', 'fails'])(
    'claim an id until the put %s: what is put again later is a message that moves',
    async (end) => {
      const claimed: Array<TableClaim | undefined> = [];
      const once = puts(async (message) => {
        claimed.push(claimOf(message));
        if (end === 'fails') throw new Error('no');
      });
      const message = storedMessage();
      const outcome = once.put(message, 'k');
      if (end === 'fails') await expect(outcome).rejects.toThrow('no');
      else expect(await outcome).toBeUndefined();
      expect(claimed).toEqual([{ key: 'k', windowMs: 1_000, first: undefined }]);
      expect(claimOf(message)).toBeUndefined();
    },
  );

  it('count repetitions, and tell who was first', async () => {
    const once = puts(async (message) => {
      const claim = claimOf(message);
      if (claim) claim.first = 'm1';
    });
    expect(await once.put(storedMessage(), 'k')).toBe('m1');
    expect(once.duplicates).toBe(1);
  });
});
