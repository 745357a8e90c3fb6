import type { Databases } from '../../databases/databases.ts';
import type { DatabaseTransaction } from '../../databases/transaction.ts';
import { text } from '../../grammar/attributes.ts';
import { nearestName } from '../../grammar/diagnostic.ts';
import { mediator } from '../../mediation/component.ts';
import { causeChain } from '../../mediation/fault.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';

type Act = (message: MessageContext, databases: Databases) => Promise<void> | void;

const ACTIONS: Readonly<Record<string, Act>> = {
  commit: (message, databases) =>
    end(message, databases, 'Unable to commit transaction', (transaction) => transaction.commit()),
  rollback: (message, databases) =>
    end(message, databases, 'Unable to rollback transaction', (transaction) => transaction.rollBack()),
  new(message, databases) {
    if (databases.transactionOf(message)) {
      throw new MediationError('Require to begin a new transaction, but a transaction already exist');
    }
    databases.begin(message);
  },
  'use-existing-or-new'(message, databases) {
    if (!databases.transactionOf(message)) databases.begin(message);
  },
  'fault-if-no-tx'(message, databases) {
    if (!databases.transactionOf(message)) {
      throw new MediationError('No active transaction. Require an active transaction');
    }
  },
};

/** Begins and ends the transaction of a flow (spec mediators 3.41). */
export const transaction = mediator({
  element: 'transaction',
  doc: 'Begins, commits or rolls back what the dbreports with useTransaction="true" of this flow do together.',
  attributes: {
    action: text({
      required: true,
      missing: "The 'action' attribute is required for Transaction mediator definition",
      doc: `One of: ${Object.keys(ACTIONS).join(', ')}.`,
    }),
  },
  compile({ element, attributes: { action }, reader }) {
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (!act) {
      const nearest = nearestName(action, Object.keys(ACTIONS));
      reader.error(element, `Invalid transaction mediator action : ${action}`, {
        attribute: 'action',
        expected: `one of: ${Object.keys(ACTIONS).join(', ')}`,
        ...(nearest !== undefined && { nearest }),
      });
      return undefined;
    }
    return async (message) => {
      await act(message, message.configuration.services.databases);
      return true;
    };
  },
});

async function end(
  message: MessageContext,
  databases: Databases,
  problem: string,
  how: (transaction: DatabaseTransaction) => Promise<void>,
): Promise<void> {
  const transaction = databases.transactionOf(message);
  if (!transaction) throw new MediationError(problem, { detail: 'no transaction is active' });
  try {
    await how(transaction);
  } catch (cause) {
    throw new MediationError(`${problem}: ${causeChain(cause)}`, { cause });
  } finally {
    databases.forget(message);
  }
}
