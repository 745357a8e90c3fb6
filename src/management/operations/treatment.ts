import type { Configuration } from '../../message/configuration.ts';
import { DeliveryFlow } from '../../processors/delivery-flow.ts';
import type { DeliveryLedger } from '../../processors/delivery-ledger.ts';
import { ForwardingMethod } from '../../processors/forwarding-method.ts';
import { storedPoison } from '../../processors/message-delivery-ending.ts';
import type { Outcome } from '../../processors/outcome.ts';
import { type Delivery, type MessageStore, StoreError } from '../../stores/message-store.ts';
import type { StoredMessage } from '../../stores/stored-message.ts';
import { ManagementError } from '../management-error.ts';
import { reasonOf } from './operation-error.ts';

/** An operator's replays of one message are refused beyond this (OP-62). */
export const MAX_REPLAYS = 5;
/** As it is called in logs. */
const OPERATOR = 'operator';

/** What is done with a message that was taken. */
export type Treatment =
  | { readonly action: 'delete' }
  | { readonly action: 'move'; readonly to: string }
  | {
      readonly action: 'resend';
      /** Where to; one of them at most. None: to the store in which it failed, else to the end of its own. */
      readonly store?: string | undefined;
      readonly sequence?: string | undefined;
      readonly endpoint?: string | undefined;
      /** Also when it was replayed {@link MAX_REPLAYS} times already. */
      readonly force?: boolean | undefined;
    };

export interface TreatmentContext {
  readonly source: MessageStore;
  readonly configuration: Configuration;
  readonly ledger: DeliveryLedger;
  readonly signal: AbortSignal;
}

/**
 * Treats a message that is in hand; afterwards it is settled. What throws leaves it unsettled, and nothing has happened to it.
 * @throws ManagementError, StoreError
 */
export async function treat(delivery: Delivery, treatment: Treatment, context: TreatmentContext): Promise<void> {
  const { ledger, source } = context;
  switch (treatment.action) {
    case 'delete':
      await delivery.done();
      ledger.forget(source.name, idOf(delivery));
      return;
    case 'move': {
      const target = storeNamed(treatment.to, context);
      if (target === source) throw new ManagementError(409, `It is in store '${source.name}' already`);
      await put(delivery, target, delivery.message ?? storedPoison(delivery.poison), context);
      return;
    }
    case 'resend':
      await resend(delivery, treatment, context);
  }
}

/** What is wrong with a treatment as a whole, before anything is taken. @throws ManagementError 404, 409 */
export function checkTreatment(
  treatment: Treatment,
  context: Pick<TreatmentContext, 'source' | 'configuration'>,
): void {
  const { configuration, source } = context;
  if (treatment.action === 'move') {
    if (storeNamed(treatment.to, context) === source) {
      throw new ManagementError(409, `The messages are in store '${source.name}' already`);
    }
  } else if (treatment.action === 'resend') {
    const { store, sequence, endpoint } = treatment;
    if ([store, sequence, endpoint].filter((target) => target !== undefined).length > 1) {
      throw new ManagementError(400, "Only one of 'store', 'sequence' and 'endpoint' can be the target");
    }
    if (store !== undefined) storeNamed(store, context);
    for (const [kind, name] of [
      ['sequence', sequence],
      ['endpoint', endpoint],
    ] as const) {
      if (name !== undefined && !configuration.find(kind, name)) {
        throw new ManagementError(404, `There is no ${kind} named '${name}'`);
      }
    }
  }
}

async function resend(
  delivery: Delivery,
  treatment: Treatment & { action: 'resend' },
  context: TreatmentContext,
): Promise<void> {
  const { message } = delivery;
  const { sequence, endpoint, force = false } = treatment;
  if (!message) throw new ManagementError(409, `It cannot be decoded: ${delivery.poison?.reason}`);
  const replays = message.replays ?? 0;
  if (replays >= MAX_REPLAYS && !force) {
    throw new ManagementError(409, `It was sent again ${replays} times already; once more with force`);
  }
  if (sequence !== undefined) await runThrough(sequence, message, context);
  else if (endpoint !== undefined) await sendTo(endpoint, message, context);
  else {
    await put(delivery, resendTarget(message, treatment.store, context), { ...message, replays: replays + 1 }, context);
    return;
  }
  await delivery.done();
  context.ledger.forget(context.source.name, message.id);
}

function resendTarget(message: StoredMessage, wanted: string | undefined, context: TreatmentContext): MessageStore {
  if (wanted !== undefined) return storeNamed(wanted, context);
  const failedIn = message.history.at(-1)?.sourceStore;
  if (failedIn === undefined) return context.source;
  const store = context.configuration.find('messageStore', failedIn);
  if (store) return store;
  throw new ManagementError(409, `The store '${failedIn}', in which it failed, does not exist; name another one`);
}

/** Whoever gets it there must not take it for one that was delivered already. */
async function put(
  delivery: Delivery,
  target: MessageStore,
  message: StoredMessage,
  { ledger, source }: TreatmentContext,
): Promise<void> {
  ledger.forget(target.name, message.id);
  await delivery.moveTo(target, message);
  ledger.forget(source.name, message.id);
}

async function runThrough(name: string, message: StoredMessage, { configuration }: TreatmentContext): Promise<void> {
  const sequence = configuration.find('sequence', name);
  if (!sequence) throw new ManagementError(404, `There is no sequence named '${name}'`);
  const flow = new DeliveryFlow();
  try {
    await flow.runHandled(sequence, flow.restore(message, configuration));
  } catch (cause) {
    throw new ManagementError(502, `The sequence '${name}' failed: ${reasonOf(cause)}`, {}, { cause });
  }
}

/** One-way: nobody waits for the answer but for its status. */
async function sendTo(endpoint: string, message: StoredMessage, context: TreatmentContext): Promise<void> {
  const { configuration, signal } = context;
  const method = new ForwardingMethod({
    processor: OPERATOR,
    endpoint,
    replySequence: undefined,
    statuses: { nonRetry: undefined, retry: undefined },
    idHeader: 'X-Message-ID',
  });
  const stored = { ...message, properties: new Map([...message.properties, ['OUT_ONLY', 'true'] as const]) };
  const outcome = await method.deliver({ stored, number: 1, delivery: NO_DELIVERY, configuration, signal });
  if (outcome.kind === 'delivered') return;
  throw new ManagementError(502, `The endpoint '${endpoint}' did not take it: ${problemOf(outcome)}`);
}

function problemOf(outcome: Exclude<Outcome, { kind: 'delivered' | 'settled' }> | Outcome): string {
  if (outcome.kind === 'failed') return outcome.failure.cause;
  return 'reason' in outcome ? outcome.reason : outcome.kind;
}

/** Forwarding settles nothing by itself. */
const NO_DELIVERY: Delivery = {
  message: undefined,
  poison: undefined,
  redelivered: false,
  done: () => Promise.reject(new StoreError(OPERATOR, 'there is nothing to be settled')),
  release: () => Promise.resolve(),
  moveTo: () => Promise.reject(new StoreError(OPERATOR, 'there is nothing to be moved')),
};

/** @throws ManagementError 404 */
function storeNamed(name: string, { configuration }: Pick<TreatmentContext, 'configuration'>): MessageStore {
  const store = configuration.find('messageStore', name);
  if (!store) throw new ManagementError(404, `There is no message store named '${name}'`);
  return store;
}

export function idOf({ message, poison }: Delivery): string {
  return message?.id ?? poison?.id ?? '';
}
