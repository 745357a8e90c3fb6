import { POINTS, reach } from '../fault-points.ts';
import type { Logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import { causeChain } from '../mediation/fault.ts';
import type { MessageContext } from '../message/message-context.ts';
import { foreignMessage } from '../stores/foreign-message.ts';
import type { Delivery, PoisonMessage } from '../stores/message-store.ts';
import type { DeliveryFailure, StoredMessage } from '../stores/stored-message.ts';
import { aboutStored } from './about-stored.ts';
import { deadLetterOf, putAside, type UndecodedMessage } from './dead-letter.ts';
import type { DeliveryClaim } from './delivery-ledger.ts';
import { wasTakenBack } from './hold.ts';
import type { OrderedWorker } from './ordering.ts';
import type { AttemptFailure } from './outcome.ts';
import type { ProcessorCore, SelfDeactivation, WorkerProgress } from './processor-core.ts';
import type { NextStep } from './retry-policy.ts';
import { letGo, settle } from './settle.ts';

/** What was tried with one message so far, in the hands of one worker. */
export interface AttemptRecord {
  /** Those that were made: the number that the back end sees. */
  attempts: number;
  /** Those that count against the message. */
  failures: number;
  /** Epoch ms; 0: there was none. */
  firstAttemptAt: number;
  lastAttemptAt: number;
}

/**
 * All the ways in which a message leaves the hands of its worker (spec stores 4.9):
 *
 *   in hand ──┬── settle ─────────────────────────► gone: delivered or dropped
 *             ├── moved to the fail store ────────► gone         ─ not taken there ─► deactivate
 *             ├── buried in the dead-letter area ─► gone         ─ not written ─────► deactivate
 *             ├── release ────────────────────────► back in its store
 *             └── deactivate: state, sequence, release ──► back in its store
 */
export class MessageEnding {
  readonly #core: ProcessorCore;
  readonly #progress: WorkerProgress;
  readonly #delivery: Delivery;
  readonly #order: OrderedWorker | undefined;
  readonly #record: AttemptRecord;
  readonly #log: Logger;
  #released = false;

  constructor(options: {
    core: ProcessorCore;
    progress: WorkerProgress;
    delivery: Delivery;
    order: OrderedWorker | undefined;
    record: AttemptRecord;
    log: Logger;
  }) {
    this.#core = options.core;
    this.#progress = options.progress;
    this.#delivery = options.delivery;
    this.#order = options.order;
    this.#record = options.record;
    this.#log = options.log;
  }

  /** It went back to its store. */
  get released(): boolean {
    return this.#released;
  }

  /** Removes the message from its store, as the last step. Never throws. */
  async settle(claim: DeliveryClaim, id: string): Promise<void> {
    this.#progress.activity = 'settling';
    const { name: processor, cutOff: signal } = this.#core;
    await this.#order?.takeToSettle();
    await settle(this.#delivery, claim, {
      log: this.#log,
      processor,
      id,
      signal,
      about: () => this.#details(id),
    });
  }

  /** Gives the message back to its store. Never throws. */
  release(): Promise<void> {
    this.#progress.activity = 'settling';
    this.#released = true;
    return letGo(this.#delivery, this.#log, this.#core.name);
  }

  /** It comes again, to whoever asks for the next one, and begins anew there. */
  logTakenBack(id: string, cause?: string): void {
    this.#log.info(
      `[${this.#core.name}] Message ${id} is with its store [${this.#core.storeName}] again, whose connection or lease was lost; it comes again`,
      { ...this.#details(id), ...(cause !== undefined && { cause }) },
    );
  }

  /** The terminal action (spec stores 4.9). True when the message has left its store, false when the processor stopped or lost it. */
  async giveUp(
    action: Exclude<NextStep, 'retry'>,
    failure: AttemptFailure,
    claim: DeliveryClaim,
    stored: StoredMessage,
  ): Promise<boolean> {
    const { method, counters } = this.#core;
    switch (action) {
      case 'drop':
        await this.settle(claim, stored.id);
        counters.dropped += 1;
        this.#log.warn(method.texts.dropped(this.#record.failures), {
          ...this.#details(stored.id),
          cause: failure.cause,
        });
        return true;
      case 'move': {
        const problem = await this.#move(claim, stored, failure);
        if (problem === undefined) {
          this.#log.info(method.texts.moved(this.#record.failures), {
            ...this.#details(stored.id),
            cause: failure.cause,
          });
          return true;
        }
        if (wasTakenBack(this.#delivery)) {
          this.logTakenBack(stored.id, problem);
          await this.release();
          return false;
        }
        this.#log.error(method.texts.notMoved(this.#record.failures), { ...this.#details(stored.id), cause: problem });
        await this.deactivate(
          'DEACTIVATED',
          `the fail store did not take the message: ${problem}`,
          stored.id,
          failure.message,
        );
        return false;
      }
      case 'dead-letter':
        return this.#bury(claim, withFailure(stored, this.#failureRecord(failure)), failure.cause, failure.message);
      case 'deactivate': {
        const times = `${this.#record.failures} failed attempt${this.#record.failures === 1 ? '' : 's'}`;
        await this.deactivate('DEACTIVATED', `${times}: ${failure.cause}`, stored.id, failure.message);
        return false;
      }
    }
  }

  /** Moves the message as it was stored, with the reason; what went wrong, or undefined (OP-26). */
  async #move(claim: DeliveryClaim, stored: StoredMessage, failure: FailureFacts): Promise<string | undefined> {
    const { policy, services, counters } = this.#core;
    const name = policy.failStore ?? '';
    const store = services.configuration().find('messageStore', name);
    if (!store) return `there is no message store named '${name}'`;
    this.#progress.activity = 'settling';
    await this.#order?.takeToSettle();
    try {
      await this.#delivery.moveTo(store, withFailure(stored, this.#failureRecord(failure)));
    } catch (error) {
      // It is still in hand, so no other one comes.
      this.#order?.release();
      return causeChain(error);
    }
    reach(POINTS.failStoreMoved, this.#core.name, stored);
    claim.settled();
    counters.moved += 1;
    return undefined;
  }

  /**
   * A message that cannot be delivered by anybody: to the fail store, else into the dead-letter area; the next one is not kept
   * waiting (REQ-26, OP-06).
   */
  async quarantine(
    claim: DeliveryClaim,
    stored: StoredMessage,
    reason: string,
    problem = 'cannot be decoded',
  ): Promise<void> {
    const { name, storeName, policy, services } = this.#core;
    this.#core.noteFailure(reason, stored.id);
    if (policy.failStore === undefined) {
      if (await this.#bury(claim, stored, reason, undefined)) services.ledger.crashes.forget(storeName, stored.id);
      return;
    }
    const failure = await this.#move(claim, stored, { cause: reason, status: undefined, endpoint: undefined });
    if (failure === undefined) {
      services.ledger.crashes.forget(storeName, stored.id);
      this.#log.error(
        `[${name}] Message ${stored.id} of store [${storeName}] ${problem} and was moved to [${policy.failStore}]: ${reason}`,
        { ...this.#details(stored.id), cause: reason },
      );
      return;
    }
    await this.deactivate(
      'DEACTIVATED',
      `the fail store did not take a message that ${problem}: ${failure}`,
      stored.id,
      undefined,
    );
  }

  async #bury(
    claim: DeliveryClaim,
    stored: StoredMessage,
    reason: string,
    message: MessageContext | undefined,
  ): Promise<boolean> {
    const { name, storeName, services, counters } = this.#core;
    let path: string;
    try {
      path = await putAside(services.dataDirectory, deadLetterOf(stored, storeName, name, reason));
    } catch (error) {
      const problem = `message ${stored.id} could not be written to the dead-letter area: ${causeChain(error)}`;
      await this.deactivate('DEACTIVATED', problem, stored.id, message);
      return false;
    }
    await this.settle(claim, stored.id);
    counters.deadLettered += 1;
    this.#log.error(
      `[${name}] Message ${stored.id} of store [${storeName}] could not be processed and was put aside as ${path}: ${reason}`,
      { ...this.#details(stored.id), cause: reason },
    );
    return true;
  }

  /** The same for what a store could not decode. */
  quarantinePoison(claim: DeliveryClaim, poison: PoisonMessage | undefined): Promise<void> {
    return this.quarantine(claim, storedPoison(poison), poison?.reason ?? 'the message cannot be decoded');
  }

  /** State first, then the sequence, then the message goes back (REQ-23, OP-23). */
  async deactivate(
    state: SelfDeactivation['state'],
    reason: string,
    messageId: string,
    message: MessageContext | undefined,
  ): Promise<void> {
    const { sequences } = this.#core;
    this.#core.noteFailure(reason, messageId);
    await this.#core.deactivateItself({
      state,
      reason,
      messageId,
      about: { ...this.#details(messageId), cause: reason },
    });
    if (message) await sequences.deactivate(message);
    await this.release();
  }

  #failureRecord(failure: FailureFacts): DeliveryFailure {
    const { name: processor, storeName: sourceStore } = this.#core;
    const now = Date.now();
    return {
      processor,
      sourceStore,
      endpoint: failure.endpoint,
      cause: failure.cause,
      status: failure.status,
      attempts: this.#record.attempts,
      firstAttemptAt: this.#record.firstAttemptAt || now,
      lastAttemptAt: this.#record.lastAttemptAt || now,
    };
  }

  #details(messageId: string) {
    return messageDetails(this.#core, this.#delivery.message, messageId, this.#record);
  }
}

/** What log lines about a message say about it. */
export function messageDetails(
  { name: processor, storeName: store, position }: ProcessorCore,
  stored: StoredMessage | undefined,
  id: string,
  { attempts }: AttemptRecord,
): LogDetails {
  return { ...aboutStored({ processor, position, store }, stored, id), ...(attempts > 0 && { attempt: attempts }) };
}

type FailureFacts = Pick<AttemptFailure, 'cause' | 'status' | 'endpoint'>;

function withFailure(stored: StoredMessage, failure: DeliveryFailure): StoredMessage {
  return { ...stored, history: [...stored.history, failure] };
}

/** What a store could not decode, as a message of raw bytes. */
export function storedPoison(poison: PoisonMessage | undefined): UndecodedMessage {
  const headers = poison?.headers ?? [];
  const id = poison?.id ?? 'unknown';
  const contentType =
    headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? 'application/octet-stream';
  const body = { kind: 'binary', bytes: poison?.bytes ?? new Uint8Array(), contentType } as const;
  return { ...foreignMessage({ id, body, headers, doingRest: true }), undecoded: true };
}
