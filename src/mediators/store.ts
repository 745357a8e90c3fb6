import { dynamic } from '../expressions/attribute-types.ts';
import { POINTS, reach } from '../fault-points.ts';
import { nonEmptyText } from '../grammar/attributes.ts';
import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { mediator } from '../mediation/component.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { TypedNumber } from '../message/property-value.ts';
import { isBusy } from '../stores/busy.ts';
import { captureMessage } from '../stores/capture.ts';
import { type FailoverOrder, failoverOrder, forgetFailoverOrder, isOut } from '../stores/failover-order.ts';
import { failoverPlan } from '../stores/failover-parameters.ts';
import type { MessageStore } from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';

const log = logger('MessageStoreMediator');

/** `true` after a store has recognised a repetition (`x.dedup.id`); not there otherwise. */
const DUPLICATE = 'STORE_DUPLICATE';
/** The id of the message that was stored before. */
const DUPLICATE_OF = 'STORE_DUPLICATE_OF';

/**
 * Puts a copy of the message into a message store and goes on (spec stores 3). The flow continues only after the store has
 * confirmed the message: "stored" is a promise of delivery (OP-02).
 */
export const store = mediator({
  element: 'store',
  doc: 'Stores a copy of the message; the flow goes on when the store has confirmed it.',
  attributes: {
    messageStore: dynamic({
      required: true,
      missing: 'Message Store mediator must have a Message store defined',
      invalid: "Invalid XPath expression for attribute 'messageStore'",
      doc: 'The name of the message store; may be `{expression}`.',
    }),
    sequence: nonEmptyText({ doc: 'A sequence that runs on the message before it is stored.' }),
    name: nonEmptyText({ doc: 'A name for this mediator.' }),
  },
  compile({ element, attributes, reader }) {
    const { messageStore, sequence } = attributes;
    if (messageStore.static !== undefined) reader.refer('messageStore', messageStore.static, element, 'messageStore');
    if (sequence !== undefined) reader.refer('sequence', sequence, element, 'sequence');
    return async (message) => {
      const name = messageStore.static ?? messageStore.evaluate(message) ?? '';
      const target = message.configuration.find('messageStore', name);
      if (!target)
        throw new MediationError('Message Store does not exist.', { detail: `No message store is named '${name}'` });
      if (sequence !== undefined) await message.configuration.find('sequence', sequence)?.mediate(message);
      await storeCopy(message, target);
      message.exchange?.take();
      return true;
    };
  },
});

function storeCopy(message: MessageContext, target: MessageStore): Promise<void> {
  return storeWithFailover(message, target, captureMessage(message));
}

/**
 * Puts a copy of a message into a store, or where that fails over to.
 * @param message what is stored, for what is said and counted of it
 * @param key by which the target recognises a repetition, where it was found before
 * @throws MediationError when no store has taken it
 */
export async function storeWithFailover(
  message: MessageContext,
  target: MessageStore,
  copy: StoredMessage,
  key?: string,
): Promise<void> {
  const standby = standbyOf(message, target);
  const following = standby?.order && (await follow(message, copy, target, standby));
  if (following === 'stored') return;
  try {
    // A store that is known to be down would only let the client wait for its deadline.
    if (standby && target.status().state === 'DOWN') throw new MediationError('the store is down');
    reach(POINTS.putBegun, target.name, copy);
    await put(message, target, copy, key);
    reach(POINTS.putConfirmed, target.name, copy);
  } catch (cause) {
    if (standby === undefined || following === 'failed') throw notStored(message, `store [${target.name}]`, cause);
    logNotTaken(message, target, cause);
    await storeInFailover(message, copy, target, standby);
  }
}

/** The store that stands in for another one. */
interface Standby {
  readonly name: string;
  /** Undefined when there is none of that name. */
  readonly store: MessageStore | undefined;
  /** Given when messages are to stay in order while it holds some. */
  readonly order: FailoverOrder | undefined;
}

/** Where messages go that a store does not take, if delivery is guaranteed (spec stores 3.1 step 8a). Read for every message. */
function standbyOf({ configuration }: MessageContext, target: MessageStore): Standby | undefined {
  const plan = failoverPlan(target.parameters);
  if (!plan) return undefined;
  const { store: name, ordered } = plan;
  const store = configuration.find('messageStore', name);
  const order = ordered && store ? failoverOrder(configuration.services, target.name, name) : undefined;
  return { name, store, order };
}

/**
 * Stores the message behind those that wait in the failover store, if there are any. `failed`: that one is out of reach, and the store
 * is to be tried. A failover store that refuses the message, as it is full or only being opened, is no reason to go past what waits in
 * it.
 */
async function follow(
  message: MessageContext,
  copy: StoredMessage,
  target: MessageStore,
  { name, store, order }: Standby,
): Promise<'stored' | 'failed' | undefined> {
  if (!store || !order || (await order.way(target, store)) === 'store') return undefined;
  // It is said and done as without order.
  if (target.status().state === 'DOWN') return undefined;
  try {
    await order.divert(() => put(message, store, copy));
  } catch (cause) {
    if (!isOut(store)) throw notStored(message, `failover store [${name}]`, cause);
    logNotTaken(message, store, cause);
    return 'failed';
  }
  reach(POINTS.failoverPut, name, copy);
  logInFailover(message, name);
  return 'stored';
}

function put(message: MessageContext, target: MessageStore, copy: StoredMessage, key?: string): Promise<void> {
  const plain = !message.span && !message.trace && !target.once;
  return plain ? target.put(copy) : putFollowed(message, target, copy, key);
}

/** For stores that recognise repetitions, and messages that are followed: with a span, the stored message says what it belongs to (OP-73). */
async function putFollowed(
  message: MessageContext,
  target: MessageStore,
  copy: StoredMessage,
  key: string | undefined,
): Promise<void> {
  const span = message.span?.stores(target, copy.id);
  message.trace?.storing(copy.id);
  let first: string | undefined;
  try {
    const stored = span ? withHeader(copy, 'traceparent', span.traceparent) : copy;
    if (target.once) first = await putOnce(message, target, stored, key);
    else await target.put(stored);
  } catch (error) {
    span?.end({ error });
    throw error;
  }
  span?.end({});
  message.trace?.stored(target.name, first ?? copy.id);
}

/**
 * Stores the message unless it is a repetition (OP-07), which the flow learns from properties: it goes on as the first one's did.
 * Resolves with the id of the first one.
 */
async function putOnce(
  message: MessageContext,
  target: MessageStore,
  stored: StoredMessage,
  known: string | undefined,
): Promise<string | undefined> {
  const { properties } = message;
  const { once } = target;
  properties.delete(DUPLICATE);
  properties.delete(DUPLICATE_OF);
  const key = known ?? once?.keyOf(message);
  if (once === undefined || key === undefined) {
    await target.put(stored);
    return undefined;
  }
  const first = await once.put(stored, key);
  if (first === undefined) return undefined;
  properties.set(DUPLICATE, 'true');
  properties.set(DUPLICATE_OF, first);
  const text = `Message [${message.messageId}] repeats message [${first}] in store [${target.name}] and is not stored again`;
  log.info(text, { ...aboutMessage(message), store: target.name, first });
  return first;
}

function withHeader(stored: StoredMessage, name: string, value: string): StoredMessage {
  const others = stored.headers.filter(([present]) => present.toLowerCase() !== name);
  return { ...stored, headers: [...others, [name, value]] };
}

/** The failover store's own failover store is not asked: there is no chain. */
async function storeInFailover(
  message: MessageContext,
  copy: StoredMessage,
  target: MessageStore,
  { name, store, order }: Standby,
): Promise<void> {
  try {
    if (!store) throw new MediationError('Message Store does not exist.');
    if (order) {
      await order.divert(() => put(message, store, copy));
    } else {
      forgetFailoverOrder(message.configuration.services, target.name, name);
      await put(message, store, copy);
    }
    reach(POINTS.failoverPut, name, copy);
  } catch (cause) {
    throw notStored(message, `failover store [${name}]`, cause);
  }
  logInFailover(message, name);
}

function logNotTaken(message: MessageContext, store: MessageStore, cause: unknown): void {
  log.warn(`Message [${message.messageId}] could not be stored in store [${store.name}]: ${reasonOf(cause)}`, {
    ...aboutMessage(message),
    store: store.name,
    cause: reasonOf(cause),
  });
}

function logInFailover(message: MessageContext, name: string): void {
  log.info(`Message [${message.messageId}] store in the failover message store [${name}]`, {
    ...aboutMessage(message),
    store: name,
  });
}

/** The properties and the fault of spec stores 3.1 step 8; HTTP_SC also where it has an effect (spec mediators 3.19). */
function notStored(message: MessageContext, where: string, cause: unknown): MediationError {
  const text = `Failed to store message [${message.messageId}] in ${where}.`;
  // A client that hears 503 may come again: there is nothing wrong with its message.
  const status = isBusy(cause) ? 503 : 500;
  const value = new TypedNumber('INTEGER', status);
  message.properties.set('HTTP_SC', value);
  message.axis2.set('HTTP_SC', value);
  log.error(text, { ...aboutMessage(message), where, cause: reasonOf(cause) });
  return new MediationError(text, { detail: 'Failed to store message.', status, cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
